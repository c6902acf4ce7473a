"""What a record says of its run beside the baseline."""

from __future__ import annotations

from readiness.evidence.run_folder import Record
from readiness.verdict.claim import Gate


def compared(record: Record) -> dict[str, Record]:
    """The checks that were compared, by id; none where there is no baseline."""
    return {each["id"]: each for each in record.get("baseline", {"checks": []})["checks"]}


def notable(record: Record) -> list[Record]:
    """The checks of which there is something to say, what chance explains least first."""
    told = [each for each in compared(record).values() if _tells(each)]
    return sorted(told, key=lambda each: (not each["regressed"], each["chance"]))


def rate(check: Record, beside: Record) -> float:
    """The baseline's own rate: of the same trials, what is neither lost nor gained is alike."""
    lost = (beside["lost"] - beside["gained"]) / beside["pairs"]
    before: float = check["passed"] / check["made"] + lost
    return min(max(before, 0.0), 1.0)


def broken(record: Record) -> set[str]:
    """The rules that the baseline kept and this run does not: no matter of chance."""
    rules = {
        check["id"]
        for dimension in record["dimensions"]
        for check in dimension["checks"]
        if check["required"] == 1
    }
    return {each["id"] for each in compared(record).values() if each["lost"]} & rules


def standing(beside: Record) -> str:
    """What the comparison shows of a check, by the name of its words."""
    if beside["regressed"]:
        return "worse"
    return "no_worse" if beside["shown"] else "not_shown"


def _tells(beside: Record) -> bool:
    due = beside["non_inferiority"] == Gate.REQUIRED and beside["gates"]
    changed = beside["lost"] or beside["gained"] or beside["slower"]
    return bool(changed or (due and not beside["shown"]))
