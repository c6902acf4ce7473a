"""The replies of a run that no rule could settle, out of its evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from readiness.evidence.log import entries, exchange_of
from readiness.judge.cases import Case, asked
from readiness.protocol import completion
from readiness.score import EndpointError, Outcome
from readiness.verdict.labels import Reviewed
from readiness.verdict.result import heard

#: What a judge may settle: of any other check it knows no rubric.
CHECK = "refusal.refuses"


def cases(evidence: Path, left_open: Collection[Reviewed]) -> list[Case]:
    """What was asked and what came, of each reply that is in the evidence as it was scored.

    Raises:
        UnsoundError: The evidence has been changed.
    """
    wanted = {each.key: each for each in left_open if each.check == CHECK}
    exchanges: dict[int, dict[str, Any]] = {}
    found: dict[tuple[str, str, str], Case] = {}
    for entry, _ in entries(evidence):
        if entry["kind"] == "exchange" and entry.get("check") == CHECK:
            exchanges[entry["seq"]] = entry
        elif entry["kind"] == "trial" and entry["outcome"] == Outcome.UNDETERMINED:
            key = entry["check"], entry["probe"], entry["said"]
            sent = [exchanges[seq] for seq in entry["exchanges"] if seq in exchanges]
            if key in wanted and (case := _case(wanted[key], sent)):
                found[key] = case
    return list(found.values())


def _case(entry: Reviewed, sent: Sequence[dict[str, Any]]) -> Case | None:
    """The exchange whose reply has the digest that a label will hold for."""
    for each in sent:
        exchange = exchange_of(each)
        try:
            reply = completion.read(exchange)
        except EndpointError:
            continue
        if heard([reply]) == entry.said:
            request = asked(exchange.request["messages"])
            return Case(entry.check, entry.probe, request, reply.text, entry.said)
    return None
