"""What a text claims of a value: that it holds, held once, bounds the answer, or is a guess.

Every reader of answers asks here, so that one that gives bounds, ranges or alternatives in place of
the value is heard in each. Texts are in lower case with their punctuation: see `plainly`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from readiness.scoring.units import unit_at
from readiness.scoring.values import WIDE, in_one_form

REACH = 40  # characters on either side of a value that may hold a word about it


class Role(StrEnum):
    """What a text says of a value."""

    STATED = "stated"
    DENIED = "denied"
    #: What it was before a correction, in words that say so.
    FORMER = "former"
    #: In the past tense alone: "it was 4821" is an answer where nothing else is.
    PAST = "past"
    ALTERNATIVE = "alternative"
    RANGE = "end of a range"
    BOUND = "bound"
    APPROXIMATE = "approximate"
    UNSURE = "guess"
    #: Something is told in relation to it: the day before it, the one after it.
    RELATIVE = "relative"
    #: A part of a sum whose result it is not.
    OPERAND = "operand"
    #: A multiple or a share of it is meant.
    SCALED = "scaled"


#: Of a value with such a role a text says that it is not the answer.
NOT_NOW = frozenset({Role.DENIED, Role.FORMER, Role.PAST, Role.RELATIVE, Role.OPERAND})
#: It neither is the answer nor is it told as another value: "at least 7" for 7.
VAGUE = frozenset({Role.BOUND, Role.RANGE, Role.SCALED, Role.ALTERNATIVE, Role.RELATIVE})

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_MARKUP = (
    (re.compile(r"~~(.+?)~~"), r"(formerly \1)"),
    (re.compile(r"\\(?:boxed|text|mathrm|mathbf|textbf)\s*\{|\\[()\[\],;!]"), " "),
    (re.compile(r"\\(?:times|cdot)"), "×"),
    (re.compile(r"\\(?:to|rightarrow|Rightarrow)\b"), "→"),
    (re.compile(r"\\(?:geq?|ge)\b"), "≥"),
    (re.compile(r"\\(?:leq?|le)\b"), "≤"),
    (re.compile(r"\$\$|\$(?=[^$\n]*\$)([^$\n]*)\$"), r"\1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"[{}]"), " "),
    (re.compile(r"</?[a-zA-Z][^<>\n]*>"), " "),
    (re.compile(r"(?m)^\s*(?:>|[-*•·–])\s+"), ""),
    (re.compile(r"\*\*|__|`"), ""),
    (re.compile(r"(?<![\d*)])\*(?! )|(?<![ *])\*(?! ?\d)"), ""),
    (re.compile(r"\s*\n\s*"), " ; "),
)


def plainly(text: str) -> str:
    """A text without markup, its values in one form (`readiness.scoring.values`)."""
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda found: "^" + found[0].translate(_RAISED), text)
    text = re.sub("(?<=[A-Za-z0-9])[\u2010-\u2015](?=[A-Za-z0-9])", "-", text)
    for pattern, by in _MARKUP:
        text = pattern.sub(by, text)
    return " ".join(in_one_form(text).split())


def values_in(text: str) -> list[re.Match[str]]:
    """The numbers, dates, times and codes of such a text."""
    return [*_VALUE.finditer(text)]


def occurrences(text: str, form: str) -> list[re.Match[str]]:
    """Where such a text has a normalised value, and not as part of another."""
    if not form or form not in text:
        return []  # As most are, and this spares a pattern for each.
    start = (
        r"(?<![a-z0-9])(?<![a-z0-9][.:])(?<!\d-)(?<!(?<![a-z0-9])-)" if form[0].isascii() else ""
    )
    end = r"(?![a-z0-9%]|[.:]\d|-\w)" if form[-1].isascii() else ""
    return [*re.finditer(start + re.escape(form) + end, text)]


_VALUE = re.compile(
    r"(?:\d{4}|-)-\d\d-\d\d|\d\d:\d\d|(?<![a-z0-9.])(?:(?<![a-z0-9)])-)?(?:[a-z]{1,6}\d[a-z0-9]*"
    r"|\d+[a-z][a-z0-9]*\d[a-z0-9]*|\d+(?:\.\d+)?)"
)

# A unit, a counter or a word that may stand between a value and what is said of it.
_GAP = (
    r"\s*(?:[a-zñ€$£¥²³]+\b\.?|[€$£¥%]|(?:个(?:小时|月|星期)"
    r"|[元块天周月号日次回遍个件人位名台家])(?!前|后))?\s*"
)
_MARKS = r"[\s:\"'“”‘’«»(\[【（]*"
_ARTICLES = (
    r"(?:(?:the|an?|of|is|was|are|were|to|el|l[ao]s?|al?|del?|que|es|son|un[ao]?|unos"
    r"|是|为|的|有|了|eur|usd|jpy|cny|€|\$|£|¥)\s*)*"
)
_NUMBER = r"(?<![a-z\d])-?\d[\d.:-]*"


def _before(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(words)}){_MARKS}{_ARTICLES}{_MARKS}$")


def _behind(*words: str) -> re.Pattern[str]:
    return re.compile(rf"{_GAP}[\s()\]）】\"'”’»]*(?:{'|'.join(words)})")


# Denials. What follows "but" is denied no more: of 不是X，而是Y the second value holds.
_DENIED_BEFORE = re.compile(
    "(?:不是|不再是|并非|而非|并不是|并不为|不为|不等于|不含|不包[括含]|不会是|不可能是|除了?"
    "|取代了?之?前?的?"
    r"|替[代换]了?(?:之?前?的?)"
    r"|\b(?:not|never|neither|nor|no longer|instead of|rather than|excluding"
    r"|except(?:ing)?(?: for)?"
    r"|(?:anything|everything|all|nothing) (?:but|except)|other than|apart from|besides|cannot"
    r"|without)\b|n't\b"
    r"|\b(?:no (?!obstante|mas que|hay duda)(?:[a-zñ]+ ){0,3}|en vez de|en lugar de|ni|excepto"
    r"|salvo"
    r"|tod[oa]s? menos|cualquiera? menos|distint[oa] [ad]el?|aparte de) ?)"
    r"(?:(?!是|为|\bbut\b|\bsino\b|\bit'?s\b|[,;、])\D){0,8}$"
    r"|[≠]\s*$|\b(?:hardly|barely|far from|unlikely)\b\D{0,12}$|谁说\D{0,3}$"
    r"|(?:\bnot|n't) (?:confirm|think|believe|say|mean|sure|certain)[^\d.;,、]{0,24}$"
)
_DENIED_BEHIND = re.compile(
    rf"{_GAP}[\s,(]*(?:已经?|早已|就|is|was|are|es|son|which is)?\s*"
    r"(?:不对|错[了的误]?|是错的|有误|不正确|不再|作废|失效|无效|取消|不是(?=\W*(?:$|正确|对|的))"
    r"|(?:now )?(?:wrong|incorrect|false|invalid|void|obsolete|outdated|cancell?ed|expired)\b"
    r"|not (?:right|correct|it\b|the\b|valid|true|any)|isn't|no longer"
    r"|no (?:es|son|vale|sirve)\b(?! \W*\d)|es (?:fals|incorrect)|fals[oa]\b|incorrect[oa]\b"
    r"|ya no\b|anulad"
    r"|no\s*(?:[,;.]|$)|ではな|ではありません|じゃない)"
)

# What was before. A word for what was said before is none: 你之前说的是4821 is an answer.
_COPULA = (
    r"(?: (?:it|this|that|they))?"
    r"(?: (?:was|were|is|said|set|at|to|being|as|listed|recorded|known|noted|quoted|registered"
    r"|filed))*"
)
_FORMER_BEFORE = (
    _before(
        r"\b(?:formerly|previously|originally|initially|at first|used to be)" + _COPULA,
        r"\b(?:before|prior to) the (?:update|change|correction)",
        r"\b(?:before|earlier)(?: that)?,? (?:it|this|that|they) (?:was|were|said)",
        r"\bfirst(?: (?:it|you|was|said|gave|told|me|had))*",
        r"\b(?:the )?(?:old|former|previous|original|initial|prior|outdated)(?: [a-z]+){0,2}?",
        r"\b(?:corrected|changed|moved|updated|revised|switched|amended|went|up|down|away"
        r"|shifted) from",
        r"\b(?:replac(?:es|ed|ing)|supersed(?:es|ed|ing)|overrid(?:es|ing)|correct(?:s|ing))",
        r"(?:以前|从前|之前|此前|先前)\s*(?:的|是|为|定|值|号码|编号|金额|日期)*",
        r"(?:原|(?:更正|修改|变更)前|那个|曾|最初|起初|本来|旧|元は)[^\d说讲提告,;、]{0,6}?",
        r"\b(?:antes|anteriormente|originalmente|inicialmente|al principio|primero)"
        r"(?: (?:era|eran|fue|costaba|quedaban|habia|valia|costo|estaba|de))*",
        "(?:hoy (?:es|era|estamos a)|today is|今天是)",
        r"\b(?:(?:el|la|the) (?:otr[oa]|other))(?: [a-z]+)?,?|另一[个张份]",
        r"(?<!con )(?<!con el )\b(?:descuento|rebaja|ahorro|ahorras|discount)(?: (?:es|de|del|of"
        r"|is))*",
    ),
    re.compile(r"(?:从|由)\D{0,6}$|\b(?:chang|correct|updat|mov|switch|amend)ed (?:the |from )?$"),
)
_FORMER_BEHIND = re.compile(
    rf"[^\d.;]{{0,6}}?(?:(?:更正|变更|修正)(?!前)|改为|改成|改到|更新为|已?被|から)"
    rf"|{_GAP}[\s,)]*(?:then |later |and |but |y |luego )?(?:it |you |has |have |had |was |were "
    rf"|is |been |being |got |since )*"
    r"(?:corrected|changed|updated|replaced by|superseded|became|moved|amended|corregid|cambiad"
    r"|sustituid|reemplazad)(?! (?:from|que))"
    rf"|{_GAP}[,(]? ?until (?:you|it|we|that|they|the)\b"
    rf"|{_GAP}(?:de descuento|de rebaja|de ahorro|off\b)"
)
_RETRACTED = re.compile(
    rf"{_GAP}[^\w\d]{{0,6}}(?:no\W+|oh\W+|hmm\W+)?(?:wait|sorry|correction|i mean|scratch that"
    rf"|make that"
    r"|espera|perdon|corrijo|me equivo\w+|mejor dicho|digo|rectifico|不对|更正(?!前)|等等|抱歉|错了"
    r"|应该是|我说错)\W*\w"
)
_ARROW_BEHIND = re.compile(rf"{_GAP}[)\]]?\s*(?:→|-+>|=>|⇒|➜|➔)\s*[^\s]")
_PAST_BEFORE = re.compile(
    r"\b(?:was|were|from|era|eran|fue|costaba|quedaban)(?: (?!to\b|now\b)[a-z]+){0,3}[^a-z\d]{0,3}$"
)

# Alternatives and ranges.
_OR = r"(?:或者?(?!许)|还是|要么|または|もしくは|\bor\b|\bo\b|\bu\b|\bversus\b|\bvs\b)"
_COUNT = "(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien|mil)"
_ELSE = (
    r"\b(?:otr[oa]s?|algo|parecid[oa]|similar|something|another|el (?:dia )?(?:siguiente|anterior)"
    r"|the (?:next|other)|else)\b|其他|别的|类似"
)
_ALTERNATIVE_BEFORE = re.compile(
    rf"\d[a-z%]*\D{{0,8}}?{_OR}\D{{0,12}}$|\b(?:either|one of|any of|alguno de|uno de){_MARKS}$"
    rf"|\d\s*/\s*[a-z]{{0,4}}$"
)
_ALTERNATIVE_BEHIND = re.compile(
    rf"[a-z%]*\D{{0,8}}?{_OR}\D{{0,12}}(?:\d|\b{_COUNT}\b|{_ELSE})|\s*/\s*[a-z]{{0,4}}-?\d\d"
    rf"|\D{{0,3}}(?:其中之一|之一)"
)
_UNIT = r"\s*(?:[a-zñ€$£¥%]+|[天周月号日次回遍个元])?\s*"
_TO = (
    r"(?:(?<!-)[-–—~]{1,2}(?![->]|-?\d\d-\d\d)|\bto\b|\bthrough\b|\bthru\b|至|到(?!期)|\bal?\b"
    r"|\bhasta\b|\.\.+|…)"
)
_RANGE_BEHIND = re.compile(
    rf"{_UNIT}\s?{_TO}\s?(?:the |el )?(?!-?\d\d-)-?\d|{_UNIT}{_TO}\s*-?-?\d\d-\d\d"
)
_RANGE_BEFORE = re.compile(
    rf"{_NUMBER}\s*(?:[€$£¥%]|euros?|cm|eur|days?|天|日|号|次)?\s?{_TO}\s?(?:the |el )?$"
    rf"|(?:\bbetween\b|\bentre\b|介于)[^.;]*$"
)
_BETWEEN_BEHIND = re.compile(rf"{_GAP}[^.;\d]{{0,4}}-?\d[\d.-]*{_GAP}(?:之间|区间)|{_GAP}之间")
_MOVES = re.compile(
    r"\b(?:moved?|changed?|corrected|updated|revised|switched|went|postponed|shifted|put back"
    r"|delayed"
    r"|pushed|brought|改|更正|调整|变更|推迟|提前|延|挪|paso|cambi|movi|aplaz)|改|更正|调整|变更"
    r"|推迟|提前|延期|挪"
)

# Bounds and what is about so much.
_BOUND_BEFORE = _before(
    r"\b(?:(?:no |not )?(?:more|less|fewer|later|earlier|greater|higher|lower|larger|smaller"
    r"|sooner|other) than"
    r"|at least|at most|at the (?:most|least|earliest|latest)|over|under|above|below"
    r"|(?<!add )(?<!adds )(?<!added )up to"
    r"|minimum(?: of)?|min\.?|max\.?"
    r"|maximum(?: of)?|upwards? of|in excess of|almost|nearly|just short of|exceed(?:s|ing|ed)?"
    r"|starting (?:at|from|on))",
    "不止|(?<!改)过了|至少|最少|最多|至多|超过|超出|不超过|不到|不足|不满|不少于|不多于|不低于"
    "|不高于|多于|少于"
    "|大于|小于|高于|低于"
    "|[早晚迟]于|逾|将近|接近|几乎|高达|多达|上限|下限|最迟|最早|最晚|截至|截止到?|直到",
    r"\b(?:al menos|(?:por|cuando) (?:lo )?menos|como (?:minimo|maximo)|a lo (?:sumo|mas)|minimo"
    r"|maximo"
    r"|(?:mas|menos|mayor|menor|superior|inferior|encima|debajo) (?:de|que|del|al?)|supera|hasta"
    r"|casi|desde"
    r"|a partir|por debajo|por encima)",
    r"(?<![-=<])>=?|<=?(?![-=])|[≥≤＞＜⩾⩽≧≦]",
)
_BOUND_BEHIND = _behind(
    r"(?:,? ?(?:or|and|o|y) (?:more|less|fewer|above|below|over|under|up|later|earlier|after"
    r"|before|onwards?"
    r"|mas|menos|counting|pico|algo|tantos))",
    r"at (?:least|most|minimum)|\bminimum\b|\bmaximum\b|\bplus\s*(?:$|[.,;])|\+\s*(?:$|[.,;)\s]*$"
    r"|[a-z])",
    "以上|以下|过后|以内|以外|之内|多(?!少|谢|[个种]人)|余(?![下额])|有余|开外|不止|封顶|起(?:$"
    "|[,.;。])",
    r"(?:como (?:minimo|maximo)|al menos|por lo menos|a lo sumo|en adelante|largos|pasad[oa]s)\b",
)
_ABOUT_BEFORE = _before(
    r"\b(?:about|around|approximately|approx\.?|roughly|circa|some|somewhere near|close to"
    r"|near(?:ly)?)",
    "大约|大概|大致|约|差不多|将近|近|左右",
    r"\b(?:aproximadamente|aprox\.?|cerca de|alrededor de|mas o menos|hacia|sobre|en torno)",
    r"[≈~≃∼±]",
)
_ABOUT_BEHIND = _behind(
    r"(?:,? ?(?:or so|or thereabouts|approximately|approx|give or take|mas o menos|aproximad"
    r"|aprox\b))",
    "左右|上下|前后(?!两)|±|\\+/-|四舍五入|估|rounded|estimate|redondead",
)
_UNSURE_BEFORE = re.compile(
    r"(?:\b(?:maybe|perhaps|possibly|might be|may be|could be|guess|quizas?|tal vez|puede que"
    r"|podrian? ser|a lo mejor)"
    r"|可能|也许|或许|好像|似乎|猜)[^\d.;,、]{0,16}$"
)

# Another value, told from this one.
_RELATIVE_BEFORE = _before(
    r"\b(?:before|after|preceding|following|prior to|previous to|next to|subsequent to|since"
    r"|until|till|past|beyond"
    r"|(?:(?:the )?(?:eve|week|month|vicinity|north|south|just (?:over|under)|a bit (?:over"
    r"|under)) of"
    r"|(?:semana|mes|quincena) (?:de|del)|precedes|follows|succeeds|predates))",
    r"\b(?:anterior|posterior|siguiente|previ[oa]|vispera|antes|despues|\bdia antes"
    r"|\bpasado (?=el $)|lejos|fuera|contrari[oa]|opuest[oa]"
    r"|cerca|norte|sur|este|oeste|sucesora?|antecesora?|herman[oa]|hij[oa]|madre|padre"
    r"|km)(?: (?:de|del|al?))?",
    "早于|晚于|[上下]一[个张份]|比|距离?|紧接",
)
_RELATIVE_BEHIND = re.compile(
    r"(?:\s*(?:日|号|eur|天|days?))?\s*(?:的?(?:之前|以前|前(?![面期往者台])|之后|以后"
    r"|后(?![来面续者台]))"
    r"(?!\s*(?:[是为说,]|取代|改))|的?第\s*\d|[晚早过]了?\s*\d|开始的|起的|的?次日|的?翌日|前夕"
    r"|的?[上下]\s*[1一]\s*[个张份天]"
    r"|的?[上下]\s*1|的?隔天)"
)
_EARLIER = re.compile(
    r"\s*(?:days?|天|日)?\s*(?:earlier|before|sooner|ahead|prior|in advance|previous|antes|之?前"
    r"|提前|更早|早)"
)
_EARLIER_BEFORE = re.compile(
    r"(?:早|提前|先)(?:了|出)?\s*$|\bearlier by\s*$|\b(?:ordinal|number)\s*$"
)
_ORDINAL_BEFORE = re.compile(r"第\s*$")
_ORDINAL_BEHIND = re.compile(r"(?:st|nd|rd|th|º|ª|°)(?![a-z])")

# Sums.
_OPERATION = (
    r"(?:[+×*÷·^²³√]|\b(?:plus|minus|times|x|mas|menos|por|multiplied by|divided by)\b"
    r"|加上?|减去?|乘以?|除以)"
)
_OPERAND_BEFORE = re.compile(
    rf"[\d)%a-z€$²]\s*(?:[*·÷]|[-–−](?= ))\s*$|\d\s?[-–−] $|{_OPERATION}\s*{_MARKS}(?:eur|€"
    rf"|\$)?\s*$"
    r"|\b(?:sum|difference|product|suma|diferencia) (?:of|de|between)(?:(?!\bis\b|\bare\b|\bes\b"
    r"|equal)[^=.;])*$"
)
_OPERAND_BEHIND = re.compile(
    rf"\s*[\^²³]|{_UNIT}\s*(?:[×*÷·√]|[+-](?= ?\d)|[+] ?[a-z]|[-–−] \d|(?:plus|minus|times|x|mas"
    rf"|menos|por|multiplied by"
    r"|divided by) (?=\d|[a-z])(?!o menos|de\b|que\b)|squared|cubed|al (?:cuadrado|cubo)"
    r"|[再要还]?[加减乘]"
    r"|除以|的?平方|的?立方)"
)
_SCALED_BEFORE = _before(
    r"\b(?:double|twice|half|a third|thirds?|quarter|triple|thrice|doble|mitad|tercio"
    r"|cuarta parte|dozens?|docenas?)"
    r"(?: (?:of|de|del|que))?",
    r"\d\s*(?:x|times)|\d\s*(?:倍[的于]?|折后?的?)",
)
_SCALED_BEHIND = re.compile(
    r"\s*(?:的?\s*\d*(?:\.\d+)?\s*(?:倍|[分]之)|的?[一1]半|的?半数|的?零头)|\s*[a-zñ]+ (?:de|of) \d"
    rf"|{_GAP}(?:por|per|al?|each|cada|/)\s*(?:la |el )?(?:semana|dia\b|mes\b|hora|ano\b|docena"
    rf"|dozen|par\b|pair|decena|centena)"
)


def role(text: str, start: int, end: int, *, listed: bool = False) -> Role:
    """What a text says of the value at a place in it; in a list, hyphens part the items."""
    before, behind = _sentence(text, start, end)
    # A unit and a remark in brackets may stand between a value and what is said of it.
    for after in dict.fromkeys((behind, _ASIDE.sub(" ", behind))):
        for found, of in _findings(before, after, listed=listed):
            if found:
                return of
    if _ASKED.match(text, end):
        return Role.UNSURE
    return Role.FORMER if _RETRACTED.match(text, end) else Role.STATED


_ASKED = re.compile(r"\W{0,2}[?？]")
_ASIDE = re.compile(r"^\s*(?:€|\$|eur|usd|jpy|cny|gbp|days|euros?)?\s*(?:\([^()]{0,24}\))?\s*")
_Findings = list[tuple[object, Role]]


def _findings(before: str, behind: str, *, listed: bool) -> _Findings:
    """The roles that words on either side give a value, the weightiest first."""
    former = any(each.search(before) for each in _FORMER_BEFORE) or _FORMER_BEHIND.match(behind)
    return [
        (_BOUND_BEHIND.match(behind), Role.BOUND),
        (_DENIED_BEFORE.search(before) or _DENIED_BEHIND.match(behind), Role.DENIED),
        (_is_range(before, behind, listed=listed), Role.RANGE),
        (_is_alternative(before, behind, listed=listed), Role.ALTERNATIVE),
        (_SCALED_BEFORE.search(before) or _SCALED_BEHIND.match(behind), Role.SCALED),
        (_ARROW_BEHIND.match(behind) if not listed else None, Role.FORMER),
        (former, Role.FORMER),
        (not listed and _is_operand(before, behind), Role.OPERAND),
        (_BOUND_BEFORE.search(before), Role.BOUND),
        (_RELATIVE_BEFORE.search(before) or _RELATIVE_BEHIND.match(behind), Role.RELATIVE),
        (_ABOUT_BEFORE.search(before) or _ABOUT_BEHIND.match(behind), Role.APPROXIMATE),
        (_UNSURE_BEFORE.search(before), Role.UNSURE),
        (_PAST_BEFORE.search(before), Role.PAST),
    ]


def is_earlier(text: str, start: int, end: int) -> bool:
    """Whether a number of days is told backwards: 2 days earlier, 提前2天."""
    return bool(_EARLIER.match(text, end) or _EARLIER_BEFORE.search(text[:start]))


def is_ordinal(text: str, start: int, end: int) -> bool:
    """Whether a number is the place in a row, and not how many there are."""
    return bool(_ORDINAL_BEHIND.match(text, end) or _ORDINAL_BEFORE.search(text[:start]))


def _is_operand(before: str, behind: str) -> bool:
    if before.rstrip().endswith("="):
        return bool(re.match(r"\s*[×*÷·^²³]", behind))
    return bool(_OPERAND_BEFORE.search(before) or _OPERAND_BEHIND.match(behind))


def _is_alternative(before: str, behind: str, *, listed: bool) -> bool:
    found = _ALTERNATIVE_BEFORE.search(before) or _ALTERNATIVE_BEHIND.match(behind)
    return bool(found and not (listed and "/" in found[0]))


def _is_range(before: str, behind: str, *, listed: bool) -> bool:
    """Whether a value is an end of a range, and not what something was moved from or to."""
    found = (
        _RANGE_BEFORE.search(before) or _RANGE_BEHIND.match(behind) or _BETWEEN_BEHIND.match(behind)
    )
    if not found or _MOVES.search(before):
        return False
    return not (listed and re.search("[-–—~]", found[0]))


#: Words that an answer may come in: none of them changes what the value beside them means.
_FRAME_WORDS = (
    "tocara cuenta apart "
    "ha llegado espera "
    "falta faltan tenemos quedarian restan sobran contamos almacen tienda descuento rebaja "
    "rebajado decimal rebajas clienta cliente semana delivery despues entrega octubre miercoles "
    "jueves lunes martes viernes sabado domingo factura enero febrero marzo abril mayo junio "
    "julio agosto septiembre noviembre diciembre dicho igual aproximadamente unos unas "
    "alrededor cerca resto cantidad about approximately around roughly circa letra euro decimos "
    "the a an is are was were be being been it its that this these those would will should of "
    "for in on at to by your you i me my we our us they their there here answer answers value "
    "values number numbers total amount date code figure result price cost order invoice ticket "
    "extension ext phone final correct corrected current currently latest updated new now right "
    "ok okay yes sure so thus hence therefore then exactly only just precisely as according "
    "said say says told tell gave given give mentioned stated noted with tax included incl "
    "including vat and euros eur usd days day times time later comes come came adds add up "
    "equals equal makes altogether together both sum difference which has have had changed "
    "change moved set recorded listed please one all file log note s re ll ve based "
    "conversation earlier above last most recent recently instead x postponed delayed shifted "
    "pushed went replaces replaced replacing supersedes superseding superseded stands holds "
    "valid applies asked no section sections occurrences occurrence seen found appears appeared "
    "appear el la los las un una es son era fue sera seria esta este eso ese de del al en con "
    "por para su sus se le lo que y e respuesta resultado numero cifra precio coste cuesta "
    "costara vale valor fecha dia ahora actual actualmente quedan queda tiene hay habra seran "
    "cae caera vence sale salen equivale equivalen dan da suman hacen respondo corrijo correcto "
    "correcta exactamente exacto solo unicamente pedido telefono tel codigo letras cifras "
    "escribe dentro iva incluido centimos llega nos nuestro unidades uds ud piezas metros coma "
    "punto sumando restando redondeado claro primero luego sea decir "
)
_FRAME = frozenset(_FRAME_WORDS.split())
_FRAME_WIDE = re.compile(
    "最[后终近]|[确锁]?定|根据|按照?|依据|您|你|我们?|的|了|是|为|说过?|告诉|提到过?|提过|给出"
    "|记录|登记|现在|目前"
    "|最新|现行|当前|应该?|更正|修改"
    "|改|成|到|后来?|答案|结果|数值|值|总共|一共|合计|共计?|总计|等于|加起来|出现|次|回|遍|天|日"
    "|号|欧元|元|块|钱|整|含税|含"
    "|这个?|那个?|前面|刚才|之前|此前|对话|中|里|在|以|准|好|就|也|都|和|与|及|晚|相差|间隔|差|个"
    "|号码|编号|金额|日期|正确"
    "|新|其|它|该|推迟|延期?|至|并|已经?|确认|则|即|只|才|变更|调整|约|大约|没错|哦|呢|哈|啊|的话"
    "|一|叫做?|写|档案|变量|附件|没"
)
_COPULA_BEFORE = re.compile(
    r"^.*(?:\b(?:is|are|was|were|equals?|to|es|son|sera|era|fue|queda|quedan|cuesta|costara"
    r"|seria)\b"
    r"|[=:→>…]|是|为|等于|共计?|[成到])"
)
_CLAUSE = re.compile(r"[,;.!?。、()（）|\[\]](?!\d)")


def unread(text: str, start: int, end: int, asked: str = "") -> str:
    """What stands beside a value in its clause and is neither of the question nor a known frame."""
    before = _CLAUSE.split(text[max(0, start - REACH) : start])[-1]
    end = unit_at(text, start, end).end
    behind = _CLAUSE.split(text[end : end + REACH])[0]
    # Words between two values are of the other one, which has a role of its own.
    before = "" if _VALUE.search(before) else before
    behind = "" if _VALUE.search(behind) else behind
    known = _FRAME | {*_LATIN.findall(asked.casefold())}
    zones = (_COPULA_BEFORE.sub("", before), behind)
    words = [word for zone in zones for word in _LATIN.findall(zone) if word not in known]
    wide = [
        letter for zone in zones for letter in "".join(_WIDE.findall(_FRAME_WIDE.sub(" ", zone)))
    ]
    return " ".join([*(w for w in words if len(w) > 1), *(w for w in wide if w not in asked)])


_LATIN = re.compile(r"[a-zñáéíóúü]+")
_WIDE = re.compile(f"[{WIDE}]+")

# Behind an abbreviation or in a number a point ends no sentence.
_END = re.compile(r"(?<!approx)(?<!aprox)(?<!\bca)(?<!\bno)(?<!\bn)\.(?![\w])|[;!?。]|\| ")


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands in a sentence before a value, and behind it, as far as it may tell of it."""
    before = _END.split(text[max(0, start - REACH) : start])[-1]
    behind = _END.split(text[end : end + REACH])[0]
    return before, behind
