"""`metrics.txt`: the figures as OpenMetrics, for monitoring and dashboards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.verdict.claim import Verdict

#: The gauges of a check, by their keys in the record.
OF_CHECKS = {
    "passed": "Trials that passed.",
    "trials": "Trials planned.",
    "made": "Trials tried: fewer where the verdict was settled, or nothing more was sent.",
    "low": "Lower end of the 95 % interval (Wilson).",
    "high": "Upper end of the 95 % interval (Wilson).",
    "at_least": "Exact one-sided lower bound of the pass rate (Clopper-Pearson).",
    "required": "The required pass rate.",
    "margin": "How far below the required rate the true rate may be.",
    "score": "0 to 100.",
}


def metrics(record: Record) -> str:
    """The metrics of a record."""
    return "\n".join([*_lines(escape_unprintable_json(record)), "# EOF", ""])


def _lines(record: Record) -> Iterator[str]:
    about = {
        "model": record["target"]["model"],
        "endpoint": record["target"]["endpoint"],
        "profile": record["profile"],
        "policy": record["harness"]["policy"],
        "version": record["harness"]["version"],
    }
    yield "# TYPE readiness_run info"
    yield f"readiness_run_info{_labels(about)} 1"
    yield from _gauge("readiness_score", "0 to 100.", [({}, record["score"])])
    yield from _verdicts("readiness_verdict", [({}, record["verdict"])])
    dimensions = [({"dimension": each["id"]}, each) for each in record["dimensions"]]
    scores = [(labels, each["score"]) for labels, each in dimensions if each["score"] is not None]
    yield from _gauge("readiness_dimension_score", "0 to 100.", scores)
    verdicts = [(labels, each["verdict"]) for labels, each in dimensions]
    yield from _verdicts("readiness_dimension_verdict", verdicts)
    found = conclusions.checks(record)
    checks = [({"check": each["id"], "gate": each["gate"]}, each) for each in found]
    for name, about_it in OF_CHECKS.items():
        values = [(labels, each[name]) for labels, each in checks]
        yield from _gauge(f"readiness_check_{name}", about_it, values)
    verdicts = [(labels, each["verdict"]) for labels, each in checks]
    yield from _verdicts("readiness_check_verdict", verdicts)


def _gauge(name: str, about: str, values: list[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {about}"
    for labels, value in values:
        yield f"{name}{_labels(labels)} {value}"


def _verdicts(name: str, verdicts: list[tuple[dict[str, str], str]]) -> Iterator[str]:
    """A state set: the current one of the four verdicts is 1."""
    yield f"# TYPE {name} stateset"
    for labels, verdict in verdicts:
        for each in Verdict:
            yield f"{name}{_labels({**labels, name: each})} {int(each == verdict)}"


def _labels(labels: Mapping[str, str]) -> str:
    parts = (f'{name}="{_escape(value)}"' for name, value in labels.items())
    return f"{{{','.join(parts)}}}" if labels else ""


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
