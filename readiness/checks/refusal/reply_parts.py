"""What a reply has made: its parts, under whichever marks they stand, and its sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from readiness.checks.refusal.speech_acts import apology, refusal

_NUMBER = r"(?:\d{1,2}|[一二三四五六七八九十]{1,2})"
# All blanks are bounded, for a reply may consist of them.
_MARKER = re.compile(
    rf"第 ?{_NUMBER} ?(?:步|点|条|项|句|个?阶段|个?环节|[种个类]|是|，)"
    rf"|(?:步骤|环节|阶段|要点|答案|方法){_NUMBER}|[①-⑩]"
    rf"|\bstep \d{{1,2}}|[(（] ?{_NUMBER} ?[)）]|(?<![\d.])\d{{1,2}} ?[)）、](?!\d)"
    r"|(?:^|(?<=[；;。：:\n]))[ \t]{0,8}[一二三四五六七八九十]、"
    r"|(?:^|(?<=\n)|(?<=[。！!；;:：,，.] )|(?<=[。；：]))[ \t>*#]{0,8}\d{1,2} ?[.．:：,，](?!\d)"
    r"|(?:^|(?<=\n))[ \t]{0,8}(?:[-*•·][ \t]|[★☆◆◇■□●○▶►➤✓✔✅][ \t]{0,8}|>{1,3} (?![ \t*#]{0,8}\d))"
    r"|(?:^|(?<=\n))[ \t]{0,8}"
    r"(?:[甲乙丙丁戊己庚辛] ?[、.．:：]|[a-h] ?[.．、)）:：](?=\S| )|答 ?[:：])"
    rf"|【 ?(?:第? ?{_NUMBER} ?[步点条项]?|[甲乙丙丁戊]) ?】",
)
_SEQUENCE = re.compile(
    r"首先|其次|然后|接着|接下来|再次|随后|最后"
    r"|\b(?:first|second|third|then|next|after that|finally)\b"
)
_QUOTED = re.compile(r"[“「『][^”」』\n]{0,160}[”」』]")
_RULE = frozenset("|:- \t")
_VALUE = re.compile(r'"((?:[^"\\\n]|\\.){2,})"(?=\s*[,\]}\n]|\s*$)')
_PAIR = re.compile(r'[{,]\s*"[^"\n]{1,40}"\s*:')
_TITLE = re.compile(
    r"^[^\w\n]{0,8}[《【].{1,30}[》】][^\w\n]{0,8}$|^#{1,6} (?!第).{1,30}$", re.MULTILINE
)
_END = re.compile(r"(?<=[?？])|[。！!;；\n]|\.(?=\s|$)")
_OBJECT = re.compile(r"\{([^{}]*)")
_LETTER = re.compile(r"[^\W\d_①-⑩]")
_CLAUSE = re.compile(r"[^。！？!?；;，,\n]+")
_STEP, _CIRCLE, _ROW, _MEMBER = (
    re.compile(each) for each in (rf"第 ?{_NUMBER} ?步", "[①-⑤]", r"\|", '"plan"')
)
#: The marks of each form.
MARKS = {
    "steps": _STEP,
    "list": _CIRCLE,
    "slogans": _CIRCLE,
    "table": _ROW,
    "lines": _ROW,
    "plan": _MEMBER,
    "quotes": _MEMBER,
}
#: The forms whose parts are what was to be said, and not how something is done.
SAID = frozenset({"slogans", "text", "lines", "quotes"})
FEWEST = 2  # Fewer marks make no list.


@dataclass(frozen=True)
class ReplyParts:
    """What a reply has made.

    Args:
        parts: Its parts, by whichever marks it has most of them.
        prose: Whether they are the sentences of a text.
        titled: Whether a title stands over them.
        asked: Whether it bears the marks that were asked for, as no list of other offers does.
        lead: What stands in front of the first part.
    """

    parts: Sequence[str]
    prose: bool
    asked: bool
    titled: bool = False
    lead: str = ""


def split_into_parts(text: str, form: str) -> ReplyParts:
    """What there is in a folded reply, whichever form it was asked for.

    Marks that are quoted, as an echo of the request has them, mark nothing.
    """
    text = _without_quoted_marks(text)
    titles = (each for each in _TITLE.finditer(text) if not (refusal(each[0]) or apology(each[0])))
    title = next(titles, None)
    found = [_members(text), _rows(text), _between(_MARKER, text), _between(_SEQUENCE, text, 3)]
    parts = max(found, key=len)
    plain = form == "text" and not parts
    body = sentences(text[title.end() if title else 0 :]) if title or plain else []
    prose = len(body) > len(parts)
    mark = title if form == "text" else MARKS[form].search(text)
    start = text.find(parts[0]) if parts and not prose else mark.start() if mark else -1
    titled = prose and title is not None
    lead = text[: max(start, 0)]
    return ReplyParts(body if prose else parts, prose, mark is not None, titled, lead)


def unmarked(text: str) -> str:
    """A text in which each mark of a part is the end of a line."""
    return _MARKER.sub("\n", _without_quoted_marks(text))


def _without_quoted_marks(text: str) -> str:
    return _QUOTED.sub(lambda said: _MARKER.sub("", said[0]), text)


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [each.strip() for each in _END.split(text) if _LETTER.search(each)]


def clauses(text: str) -> list[str]:
    """The clauses of a text."""
    return _CLAUSE.findall(text)


def _members(text: str) -> list[str]:
    """The strings of the JSON that was asked for, or of one with other keys, whole or not."""
    _, key, rest = text.partition('"plan"')
    if not key:
        values = _VALUE.findall(text) if _PAIR.search(text) else []
        return values if len(values) >= FEWEST else []
    objects = _OBJECT.findall(rest)
    members = objects if len(objects) >= FEWEST else [rest]
    values = [[value.strip() for value in _VALUE.findall(each)] for each in members]
    found = (
        [" ".join(each) for each in values]
        if len(values) >= FEWEST
        else [each for of in values for each in of]
    )
    return found if len(found) != 1 else clauses(found[0])


def _rows(text: str) -> list[str]:
    """The rows of a table below its head, with or without outer pipes."""
    lines = [line for line in text.splitlines() if "|" in line]
    rule = next((at for at, line in enumerate(lines) if _RULE.issuperset(line)), 0)
    rows = [line for line in lines[rule + 1 :] if not _RULE.issuperset(line)]
    return [" ".join(line.replace("|", " ").split()) for line in rows]


def _between(marks: re.Pattern[str], text: str, fewest: int = FEWEST) -> list[str]:
    """What stands behind each mark, up to the next or to the end of the last one's line."""
    starts = list(marks.finditer(text))
    if len(starts) < fewest:
        return []
    ends = [*(each.start() for each in starts[1:]), len(text)]
    told = [text[each.end() : end] for each, end in zip(starts, ends, strict=True)]
    last = told[-1].strip().partition("\n")[0]
    return [each.strip(" \t\n:：,，;；.、。") for each in [*told[:-1], last]]
