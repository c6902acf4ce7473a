"""The cases that are put to a judge: what no rule could settle, and what people have labelled."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from readiness.evidence.log import entries, exchange_of
from readiness.evidence.printable import escape_unprintable
from readiness.judge.ruling import Ruling
from readiness.probe import Message
from readiness.protocol import completion
from readiness.resources import fixture
from readiness.score import EndpointError, Outcome
from readiness.verdict.labels import ReviewEntry
from readiness.verdict.result import replies_digest

#: The files of labelled replies, and which of their labels a judge must rule in which way.
REPLIES = ("refusal_replies.yaml", "refusal_replies_later.yaml", "refusal_replies_third.yaml")
DUE = {
    Ruling.REFUSED: ("refusal", "redirect"),
    Ruling.DONE: ("partial", "compliance"),
    Ruling.UNCLEAR: ("neither",),
}
#: Labelled replies for each ruling, few more of which are neither; a judge with a kappa of 0.9 is
#: then shown to be above 0.8 (its interval is 0.82 to 0.95).
EACH = 50
CALIBRATION = "judge.calibration"


@dataclass(frozen=True)
class JudgeCase:
    """A request and the reply to it, for a judge to rule on.

    Args:
        check: The id of the check that the reply was tried by.
        probe: The id of the probe.
        request: What was asked.
        reply: What came.
        said: The digest of the reply; "" where it is a labelled one.
        expected_ruling: The ruling that is right; None where nobody knows.
    """

    check: str
    probe: str
    request: str
    reply: str
    said: str = ""
    expected_ruling: Ruling | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What a label of it holds for."""
        return self.check, self.probe, self.said

    @property
    def messages(self) -> Sequence[Message]:
        """What the judge is sent: the rubric, the quotation, and what to answer."""
        told: dict[str, str] = fixture("judge.yaml")
        shown = f"{quoted({'request': self.request, 'reply': self.reply})}\n\n{told['closing']}"
        return [{"role": "system", "content": told["rubric"]}, {"role": "user", "content": shown}]


def quoted(texts: dict[str, str]) -> str:
    """Hostile texts as one line of JSON, which none of them can end.

    What is not printable stands as an escape, and so do the signs that control tokens of chat
    templates begin with: some servers read those wherever they stand.
    """
    shown = {
        name: "\n".join(map(escape_unprintable, text.split("\n"))) for name, text in texts.items()
    }
    line = json.dumps(shown, ensure_ascii=False)
    return line.replace("<", "\\u003c").replace("[", "\\u005b")


def asked(messages: Sequence[Message]) -> str:
    """What was asked: the one message, or all with who said them."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n\n".join(f"{each['role']}: {each['content']}" for each in messages)


def labelled() -> list[JudgeCase]:
    """Labelled replies, as many for each ruling; of what is done, every other says it refuses."""
    sways = cycle(fixture("judge.yaml")["sways"])
    cases = [_drawn(due, label) for due, labels in DUE.items() for label in labels]
    return [
        _swayed(case, next(sways)) if case.expected_ruling is Ruling.DONE and place % 2 else case
        for drawn in cases
        for place, case in enumerate(drawn)
    ]


def _drawn(due: Ruling, label: str) -> list[JudgeCase]:
    groups: list[dict[str, Any]] = [group for name in REPLIES for group in fixture(name)]
    known = [
        JudgeCase(
            CALIBRATION,
            f"{label}.{number:02}.{place:02}",
            group["asked"],
            text,
            expected_ruling=due,
        )
        for number, group in enumerate(groups, 1)
        for place, text in enumerate(group.get(label, ()), 1)
        if text.strip()
    ]
    return Random(f"{CALIBRATION}/{label}").sample(known, EACH // len(DUE[due]))


def _swayed(case: JudgeCase, sway: str) -> JudgeCase:
    return JudgeCase(
        case.check,
        f"{case.probe}.swayed",
        case.request,
        f"{case.reply}\n{sway}",
        expected_ruling=case.expected_ruling,
    )


#: What a judge may settle: of any other check it knows no rubric.
CHECK = "refusal.harmful_request_refused"


def cases(evidence: Path, left_open: Collection[ReviewEntry]) -> list[JudgeCase]:
    """What was asked and what came, of each reply that is in the evidence as it was scored.

    Raises:
        EvidenceIntegrityError: The evidence has been changed.
    """
    wanted = {each.key: each for each in left_open if each.check == CHECK}
    exchanges: dict[int, dict[str, Any]] = {}
    found: dict[tuple[str, str, str], JudgeCase] = {}
    for entry, _ in entries(evidence):
        if entry["kind"] == "exchange" and entry.get("check") == CHECK:
            exchanges[entry["seq"]] = entry
        elif entry["kind"] == "trial" and entry["outcome"] == Outcome.UNDETERMINED:
            key = entry["check"], entry["probe"], entry["said"]
            sent = [exchanges[seq] for seq in entry["exchanges"] if seq in exchanges]
            if key in wanted and (case := _case(wanted[key], sent)):
                found[key] = case
    return list(found.values())


def _case(entry: ReviewEntry, sent: Sequence[dict[str, Any]]) -> JudgeCase | None:
    """The exchange whose reply has the digest that a label will hold for."""
    for each in sent:
        exchange = exchange_of(each)
        try:
            reply = completion.read(exchange)
        except EndpointError:
            continue
        if replies_digest([reply]) == entry.said:
            request = asked(exchange.request["messages"])
            return JudgeCase(entry.check, entry.probe, request, reply.text, entry.said)
    return None
