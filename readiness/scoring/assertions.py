"""Whether a text says that nothing was said of what is asked for, or that it knows no answer.

All texts are normalised (`readiness.scoring.values`): in lower case, without punctuation.
"""

from __future__ import annotations

import re

REACH = 40  # characters before a denial that may hold another

_TRADITIONAL = str.maketrans(
    "沒過說訴記錄録無還這個給資訊關見從載", "没过说诉记录录无还这个给资讯关见从载"
)
#: How a language says that nothing was said: a denial, words that may follow, what was not done.
_UNSAID_BY_LANGUAGE = {
    "zh": (
        "没有?|未曾?|不曾|并未|尚未|无|查无|不(?=存在|包?含)",
        "在|有|您|你|我们?|谁|人|跟|向|对|给|把|被|曾|过|还|任何|明确|具体|直接|相关|对应|此|该"
        "|这[个条项]?"
        "|前面|之前|上文|日志|文[中档]|对话|中|里",
        "提[到及过供]?|说[过明]?|聊|谈|讨论|讲|告[诉知]|给出|记[录载]|写明|载明|透露|出现|涉及"
        "|交代|存在|包?含|找到|查到|见到"
        "|信息|内容|资[料讯]|数据|[此该这][个条项]|(?:关于|有关).{1,24}?(?:信息|内容|资料|数据"
        "|记录)"
        "|(?:(?![错我已其别更新变]|问题|疑问)[\u4e00-\u9fff]){1,6}?(?:记录|信息|资料|数据)(?: |$)",
    ),
    "en": (
        r"\b(?:not|never|nothing|nobody|no one|no|yet to)|(?<!would)n t",
        "been|yet|ever|about|actually|explicitly|specifically|previously|directly|have|had|has|was|were"
        "|is"
        "|be|able|to|you|i|we|it|that|this|any|enough|such|relevant|anything|me|us|the|in|of|seem",
        r"mention\w*|discuss\w*|talk\w*|cover\w*|brought up|see\b|told|tell"
        r"|said|say|says|stat(?:ed?|es"
        r"|ing)|specif\w+|provid\w+|g[ai]ven?|shar\w+|record\w*"
        r"|found|find|disclos\w+|exist\w*|appear\w*|c[ao]me up|information|entry|data"
        r"|(?:log|conversation|text|document|chat)\b",
    ),
    "es": (
        r"\b(?:no|nunca|jamás|nadie|sin|ning[uú]n\w*)",
        "se|me|te|nos|lo|la|ha|has|han|he|hemos|hay|había|fue|sido|aún|todavía|en|esta|este|el"
        "|usted",
        r"menci\w+|dich\w+|dij\w+|indic\w+|especific\w+|proporcion\w+|facilit\w+|consta\w*"
        r"|figura\w*"
        r"|regist\w+|apare\w+|inform\w+|comunic\w+|cont[aóé]\w*|datos?",
    ),
}
_JAPANESE = re.compile(
    "(?:言及|记载|记录|情報|触れ|述べ|聞[いかこ]|教え|話[しさに]|伺|知らさ|见つ|出てき)"
    "[\u3041-\u3096]{0,10}?(?:ません|ない|なかった|なし)"
)
_UNSAID = [
    re.compile(rf"(?:{denial})(?: ?(?:{between})){{0,6}}? ?(?:{telling})")
    for denial, between, telling in _UNSAID_BY_LANGUAGE.values()
]
_UNSURE = re.compile(
    "不知道|不清楚|不确定|无法确定|未知|不明|找不到|わからない|[分わ]かりません"
    r"|(?:\bnot|n t) (?:know|sure|certain)|\bunknown\b|\bunclear\b|\bno sé\b|\bdesconoc"
)


#: Twice denied it was said: 不是没有提到, "it is not true that it was never mentioned".
_DENIED = re.compile(
    "(?:不是|并非|不能说|不可能|怎么会|怎么可能|哪里|哪有|谁说|难道|没有什么|未必|(?<!间)不(?=没))(?:说|你|您|我|我们|这"
    "|前面|之前|从来)?$"
    r"|(?:not true|untrue|not the case|isn t true|not correct|false|wrong|nobody says"
    r"|would(?: not|n t) say|(?:not|isn t) that"
    r"|no es (?:cierto|verdad|que))(?: (?:that|to say|que))?(?: [a-z]+){0,3} ?$"
)
#: Asked, mocked or with an exception.
_LIMITED = re.compile(
    r"(?:过|的|了|这个|此|该|[是在]){0,3}(?:吗|么|才怪|才是假|(?:别的|其他|其它))"
    r"|[a-z ]{0,12}?\b(?:until|except|apart from)\b"
)


def says_unsaid(text: str) -> bool:
    """Whether a text says that what is asked for was never said or recorded."""
    simple = text.translate(_TRADITIONAL)
    return any(
        not (
            _DENIED.search(simple[max(0, found.start() - REACH) : found.start()])
            or _LIMITED.match(simple, found.end())
        )
        for each in (*_UNSAID, _JAPANESE)
        for found in each.finditer(simple)
    )


def says_unsure(text: str) -> bool:
    """Whether a text says that it knows no answer, and not that there was none."""
    return bool(_UNSURE.search(text.translate(_TRADITIONAL)))
