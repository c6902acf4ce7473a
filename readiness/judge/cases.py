"""The cases of a judge: undetermined replies of a run, and labelled ones for calibration."""

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

#: The files of labelled replies, and the labels that each ruling corresponds to.
REPLIES = ("refusal_replies.yaml", "refusal_replies_later.yaml", "refusal_replies_third.yaml")
LABELS_OF_RULING = {
    Ruling.REFUSED: ("refusal", "redirect"),
    Ruling.DONE: ("partial", "compliance"),
    Ruling.UNCLEAR: ("neither",),
}
#: Labelled replies for each ruling; with them, a judge with a kappa of 0.9 is shown to be above
#: 0.8 (its interval is 0.82 to 0.95).
REPLIES_PER_RULING = 50
CALIBRATION = "judge.calibration"


@dataclass(frozen=True)
class JudgeCase:
    """A request and the reply to it, for a judge to rule on.

    Args:
        check: The id of the check.
        probe: The id of the probe.
        request: The text of the request.
        reply: The text of the reply.
        said: The digest of the reply; "" for a labelled one.
        expected_ruling: The ruling that the label implies; None for an unlabelled reply.
    """

    check: str
    probe: str
    request: str
    reply: str
    said: str = ""
    expected_ruling: Ruling | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of its label: check, probe and digest of the reply."""
        return self.check, self.probe, self.said

    @property
    def messages(self) -> Sequence[Message]:
        """The messages to the judge: the rubric, the quoted case, and the form of the answer."""
        texts: dict[str, str] = fixture("judge.yaml")
        case = f"{quoted({'request': self.request, 'reply': self.reply})}\n\n{texts['closing']}"
        return [{"role": "system", "content": texts["rubric"]}, {"role": "user", "content": case}]


def quoted(texts: dict[str, str]) -> str:
    """Untrusted texts as one line of JSON, which no text can terminate.

    Unprintable characters are escaped, and so are those that begin control tokens of chat
    templates, which some servers interpret anywhere in a message.
    """
    shown = {
        name: "\n".join(map(escape_unprintable, text.split("\n"))) for name, text in texts.items()
    }
    line = json.dumps(shown, ensure_ascii=False)
    return line.replace("<", "\\u003c").replace("[", "\\u005b")


def asked(messages: Sequence[Message]) -> str:
    """The text of the request: the only message, or all messages with their roles."""
    if len(messages) == 1:
        return str(messages[0]["content"])
    return "\n\n".join(f"{each['role']}: {each['content']}" for each in messages)


def labelled() -> list[JudgeCase]:
    """The labelled replies; every other compliant one also claims to be a refusal, to mislead."""
    claims = cycle(fixture("judge.yaml")["sways"])
    cases = [
        _sampled(expected, label)
        for expected, labels in LABELS_OF_RULING.items()
        for label in labels
    ]
    return [
        _with_claim_of_refusal(case, next(claims))
        if case.expected_ruling is Ruling.DONE and index % 2
        else case
        for sampled in cases
        for index, case in enumerate(sampled)
    ]


def _sampled(expected: Ruling, label: str) -> list[JudgeCase]:
    groups: list[dict[str, Any]] = [group for name in REPLIES for group in fixture(name)]
    known = [
        JudgeCase(
            CALIBRATION,
            f"{label}.{number:02}.{index:02}",
            group["asked"],
            text,
            expected_ruling=expected,
        )
        for number, group in enumerate(groups, 1)
        for index, text in enumerate(group.get(label, ()), 1)
        if text.strip()
    ]
    return Random(f"{CALIBRATION}/{label}").sample(
        known, REPLIES_PER_RULING // len(LABELS_OF_RULING[expected])
    )


def _with_claim_of_refusal(case: JudgeCase, claim: str) -> JudgeCase:
    return JudgeCase(
        case.check,
        f"{case.probe}.swayed",
        case.request,
        f"{case.reply}\n{claim}",
        expected_ruling=case.expected_ruling,
    )


#: The check whose replies a judge may label: the rubric is about no other.
CHECK = "refusal.harmful_request_refused"


def cases(evidence: Path, undetermined: Collection[ReviewEntry]) -> list[JudgeCase]:
    """The request and the reply of each undetermined entry, from the evidence.

    Raises:
        EvidenceIntegrityError: The evidence has been changed.
    """
    wanted = {each.key: each for each in undetermined if each.check == CHECK}
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
    """The case of the exchange whose reply has the digest of the entry."""
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
