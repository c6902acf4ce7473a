"""What a text says of a value: that it holds, held once or does not; or that none is known.

All texts are normalised (`readiness.scoring.values`): in lower case, without punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

REACH = 24  # characters on either side of a value that may hold a word about it


class Role(StrEnum):
    """What a text says of a value."""

    STATED = "stated"
    DENIED = "denied"
    FORMER = "former"
    ALTERNATIVE = "alternative"


@dataclass(frozen=True)
class Mention:
    """A number, date, time or code in a text, and what is said of it."""

    value: str
    role: Role


#: Words about the value behind them, and about the one in front, by language.
_DENIALS = (
    "不是|不再是|并非|而非|并不为|不等于|不含|不包[括含]",
    r"\b(?:not|isn t|wasn t|aren t|never|no longer|instead of|rather than|excluding|except)",
    r"\b(?:no es|no son|no fue|no era|en vez de|en lugar de)",
)
_DENIALS_BEHIND = (
    r"不对|错了|是错的|有误|不正确|已?作废|已失效|不是(?!.{0,12}\d)",
    "(?:is|was) (?:wrong|incorrect|not (?:right|correct|it|the))",
    "es (?:falso|incorrecto)|no es (?:correcto|la respuesta)",
    "ではない|ではなく|ではありません|じゃない",
)
_FORMER = (
    r"(?:从|由|原|原来|原先|(?:更正|修改|变更|之|以|此|先)前|最初|旧|曾|取代|替代|元は)\D{0,6}",
    r"\b(?:was|were|from|used to be|formerly|originally|previously|initially|earlier|before|old"
    r"|replacing|superseding|antes|anteriormente|era|originalmente)"
    r"(?: (?!to\b|now\b)[a-z]+){0,3}[^a-z\d]{0,3}",
)
_FORMER_BEHIND = (
    "更正|改为|改成|改到|变更|修正|更新为|から",
    "corrected to|changed to|updated to|replaced by|superseded|then became",
    "corregido a|cambiado a",
)
_OR = r"(?:或者?(?!许)|还是|要么|または|もしくは|\bor\b|\bo\b|\bou\b|\bversus\b|\bvs\b)"

# A word is about the value behind it where up to six letters stand between, and no other value.
# What follows "but" is denied no more: of 不是X，而是Y the second value holds.
_DENIED_BEFORE = re.compile(
    rf"(?:{'|'.join(_DENIALS)})(?:(?!是|为|\bbut\b|\bsino\b|\bit s\b)\D){{0,6}}$"
)
_DENIED_AFTER = re.compile(rf" ?(?:元|号|eur )? ?(?:{'|'.join(_DENIALS_BEHIND)})")
_FORMER_BEFORE = re.compile(rf"(?:{'|'.join(_FORMER)})$")
_FORMER_AFTER = re.compile(rf"\D{{0,6}}(?:{'|'.join(_FORMER_BEHIND)})")
_OR_BEFORE = re.compile(rf"\d[a-z%]*\D{{0,8}}?{_OR}\D{{0,12}}$")
_OR_AFTER = re.compile(rf"[a-z%]*\D{{0,8}}?{_OR}\D{{0,12}}\d")


def role(text: str, start: int, end: int) -> Role:
    """What a text says of the value that stands at a place in it."""
    before, behind = text[max(0, start - REACH) : start], text[end : end + REACH]
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(behind):
        return Role.DENIED
    if _OR_BEFORE.search(before) or _OR_AFTER.match(behind):
        return Role.ALTERNATIVE
    if _FORMER_BEFORE.search(before) or _FORMER_AFTER.match(behind):
        return Role.FORMER
    return Role.STATED


def mentions(text: str) -> Iterator[Mention]:
    """All that a text has with a digit in it."""
    for found in re.finditer(r"\S+", text):
        if any(map(str.isdecimal, found[0])):
            yield Mention(found[0], role(text, *found.span()))


_TRADITIONAL = str.maketrans(
    "沒過說訴記錄録無還這個給資訊關見從載", "没过说诉记录录无还这个给资讯关见从载"
)
#: How a language says that nothing was said: a denial, words that may follow, what was not done.
_UNSAID_BY_LANGUAGE = {
    "zh": (
        "没有?|未曾?|不曾|并未|尚未|无|查无|不(?=存在|包?含)",
        "在|有|您|你|我们?|谁|人|跟|向|对|给|把|被|曾|过|还|任何|明确|具体|直接|相关|对应|此|该|这[个条项]?"
        "|前面|之前|上文|日志|文[中档]|对话|中|里",
        "提[到及过供]?|说[过明]?|讲|告[诉知]|给出|记[录载]|写明|载明|透露|出现|涉及|交代|存在|包?含|找到|查到|见到"
        "|信息|内容|资[料讯]|数据|[此该这][个条项]|(?:关于|有关).{1,24}?(?:信息|内容|资料|数据|记录)"
        "|(?:(?![错我已其别更新变]|问题|疑问)[\u4e00-\u9fff]){1,6}?(?:记录|信息|资料|数据)(?: |$)",
    ),
    "en": (
        r"\b(?:not|never|nothing|nobody|no one|no|yet to)|n t",
        "been|yet|ever|actually|explicitly|specifically|previously|directly|have|had|has|was|were|is"
        "|be|able|to|you|i|we|it|that|this|any|enough|such|relevant|anything|me|us|the|in|of|seem",
        r"mention\w*|told|tell|said|say|says|stat(?:ed?|es|ing)|specif\w+|provid\w+|g[ai]ven?|shar\w+|record\w*"
        r"|found|find|disclos\w+|exist\w*|appear\w*|c[ao]me up|information|entry|data"
        r"|(?:log|conversation|text|document|chat)\b",
    ),
    "es": (
        r"\b(?:no|nunca|jamás|nadie|sin|ning[uú]n\w*)",
        "se|me|te|nos|lo|la|ha|has|han|he|hemos|hay|había|fue|sido|aún|todavía|en|esta|este|el|usted",
        r"menci\w+|dich\w+|dij\w+|indic\w+|especific\w+|proporcion\w+|facilit\w+|consta\w*|figura\w*"
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


def says_unsaid(text: str) -> bool:
    """Whether a text says that what is asked for was never said or recorded."""
    simple = text.translate(_TRADITIONAL)
    return any(each.search(simple) for each in (*_UNSAID, _JAPANESE))


def says_unsure(text: str) -> bool:
    """Whether a text says that it knows no answer, and not that there was none."""
    return bool(_UNSURE.search(text.translate(_TRADITIONAL)))
