"""Numbers in words, Chinese and English, written in digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

#: The most parts that a number in words has; what goes on for longer is none.
LONGEST = 40

_DIGITS = {letter: value for value, letter in enumerate("零一二三四五六七八九")}
_DIGITS |= {letter: value for value, letter in enumerate("〇壹贰叁肆伍陆柒捌玖")} | {"两": 2}
_TEN, _TEN_THOUSAND, _HUNDRED_MILLION = 10, 10**4, 10**8
_SCALES = {"十": _TEN, "百": 100, "千": 1000, "万": _TEN_THOUSAND, "亿": _HUNDRED_MILLION}
_SCALES |= {"拾": _TEN, "佰": 100, "仟": 1000, "萬": _TEN_THOUSAND, "億": _HUNDRED_MILLION}
_DIGIT = "".join(_DIGITS)
# 千克 and 千米 are units: 五千克 is five of them, and not five thousand.
_NUMERAL = rf"(?:[{_DIGIT}十百万亿拾佰仟萬億廿卅卌]|千(?![克米瓦]))"
#: Characters for several, as calendars and old books have them.
_TWENTY = str.maketrans({"廿": "二十", "卅": "三十", "卌": "四十"})
# Words with a numeral in them that count nothing; at the clock, 十分 is ten minutes.
_WORDS = (
    rf"一点(?![{_DIGIT}十半])|一下|一些|一起|一样|一般|一定|一直|一共|一切|一律|一致|一旦|一并|一边"
    "|一会儿|进一步"
    "|统一|唯一|万一|之一|同一|另一|某一|任一|逐一|(?<![点时])十分|千万(?=[别不])|(?:周|星期|礼拜)[一二三四五六]"
)
# After 点 come decimals, or minutes: 三点五 is a number, 三点五分 and 三点四十五 are times.
# Behind 百, 千 or 万 the last digits may be figures: 4千8百21, and not those of a date or a code.
_CHINESE = re.compile(
    rf"(?P<word>{_WORDS})"
    rf"|(?:(?<![胜正])(?P<minus>负|零下))?"
    rf"(?:(?<![\d.])\d++(?:\.\d++)?+)?{_NUMERAL}++(?:\d++{_NUMERAL}++)*+"
    r"(?:(?:(?<=[十百千万亿拾佰仟萬億])|(?<=[百千万亿佰仟萬億][零〇]))[1-9]\d{0,3}+(?![.,:/年月日号a-z-]))?"
    rf"(?:点[{_DIGIT}]++(?!十|分(?!之)))?"
)
_MINUS = re.compile(
    r"(?:(?<![胜正])负|零下) ?(?=\d)|(?<![\w.%])(?<![\w.%] )\b(?:minus|negative) (?=\d)"
)
_PART = re.compile(r"\d+(?:\.\d+)?|\D")

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_ENGLISH = {name: value for value, name in enumerate(_SMALL.split())}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH |= {name: 10 * value for value, name in enumerate(_TENS.split(), 2)}
#: In English only such a word goes on after a ten.
_BELOW_TEN = frozenset(_SMALL.split()[:10])
_MANY = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_NAME = "|".join(sorted((*_ENGLISH, *_MANY), key=len, reverse=True))
_WORDED = re.compile(
    rf"(?<![\w.])(?P<first>\d++(?:\.\d++)?+ (?=(?:{'|'.join(_MANY)})\b)|(?:{_NAME})\b)"
    rf"(?P<rest>(?:[ -]?(?:and )?(?:{_NAME})\b)*)"
)
# As in "the other one": nothing that somebody counts.
_PRONOUN = "one"


def in_digits(text: str) -> str:
    """The text, in lower case already, with its numbers in words written in digits."""
    return _MINUS.sub("-", _WORDED.sub(_english, _CHINESE.sub(_chinese, text)))


def plain(value: Decimal) -> str:
    """A number without an exponent and without zeros at the end of its decimals."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _chinese(found: re.Match[str]) -> str:
    run = found[0]
    if found["word"]:
        return run
    minus = found["minus"] or ""
    whole, _, decimals = run.removeprefix(minus).partition("点")
    value = _value(_PART.findall(whole.translate(_TWENTY)))
    if value is None:
        return run
    # What follows in figures is a number of its own, as in 两千2027年.
    gap = " " * found.string[found.end() : found.end() + 1].isdecimal()
    fraction = "." + "".join(str(_DIGITS[each]) for each in decimals) if decimals else ""
    return "-" * bool(minus) + value + fraction + gap


def _value(parts: Sequence[str]) -> str | None:
    """The value of a run of numerals; None where it is none, as in 百货."""
    if all(part in _DIGITS for part in parts):
        return "".join(str(_DIGITS[part]) for part in parts)
    if len(parts) > LONGEST:
        return None
    total = section = Decimal(0)
    digit: Decimal | None = None
    scale, ones = _TEN, 1
    for part in parts:
        if part in _SCALES:
            scale = _SCALES[part]
            ones = scale // _TEN
            if digit is None and not _may_stand_alone(scale, total, section):
                return None
            if scale < _TEN_THOUSAND:
                section += scale if digit is None else digit * scale
                digit = None
                continue
            own = section if digit is None else section + digit
            total = (total + own) * scale if scale == _HUNDRED_MILLION else total + own * scale
            section, digit = Decimal(0), None
        elif part in "零〇":
            ones = 1
        elif digit is not None:
            return None
        else:
            digit = Decimal(_DIGITS.get(part, part))
    # 一百二 is 120, while 一百零二 is 102, and 8百21 is 821.
    last = digit or Decimal(0)
    if last < _TEN:
        return plain(total + section + last * ones)
    return plain(total + section + last) if last < scale else None


def _may_stand_alone(scale: int, total: Decimal, section: Decimal) -> bool:
    """Whether a scale may follow none of its digits, as in 十五, 一百十五, 三百万 and 一万亿."""
    if scale < _TEN_THOUSAND:
        return scale == _TEN
    return bool(section or (total and scale == _HUNDRED_MILLION))


def _english(found: re.Match[str]) -> str:
    words = re.findall(r"\d+(?:\.\d+)?|[a-z]+", found[0])
    words = [word for word in words if word != "and"]
    if words == [_PRONOUN] or words[0] in _MANY or len(words) > LONGEST:
        return found[0]
    total = section = Decimal(0)
    for before, word in zip(["", *words], words, strict=False):
        if word == "hundred":
            section *= 100
        elif word in _MANY:
            total, section = total + section * _MANY[word], Decimal(0)
        elif _follows(word, before):
            section += Decimal(_ENGLISH.get(word, word))
        else:
            return found[0]
    return plain(total + section)


def _follows(word: str, before: str) -> bool:
    """Whether a number goes on with that word: after a ten only a digit may come."""
    if not before or before in _MANY:
        return True
    return before in _TENS.split() and word in _BELOW_TEN
