"""`junit.xml`: a test case per check, with its figures as properties."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree as xml
from xml.etree.ElementTree import Element, SubElement

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.reporters.charts import shown
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Verdict

MAX_REASONS = 5
COUNTS = {
    "tests": "testcase",
    "failures": "*/failure",
    "errors": "*/error",
    "skipped": "*/skipped",
}


def junit(record: Record) -> str:
    """The JUnit report of a record."""
    escaped = escape_unprintable_json(record)
    started, finished = (datetime.fromisoformat(escaped[each]) for each in ("started", "finished"))
    suite = Element("testsuite", name="readiness", timestamp=escaped["started"].rstrip("Z"))
    suite.set("time", f"{(finished - started).total_seconds():.3f}")
    _add_properties(suite, _about(escaped))
    waived = conclusions.waivers(escaped, Translations("en"))
    # What is inconclusive fails the job as a check that is not ready does, where the user says so.
    undecided = "skipped" if "fail_on" in escaped else "error"
    for dimension in escaped["dimensions"]:
        for check in dimension["checks"]:
            counts = conclusions.gates(dimension, check) and check["id"] not in waived
            kind = _kind(check, undecided) if counts else "skipped"
            _add_check(suite, dimension, check, kind, waived.get(check["id"], ""))
        for name in dimension["missing"]:
            SubElement(_case(suite, name), undecided, type="missing", message="no result")
    if problem := escaped["problem"]:
        SubElement(_case(suite, "readiness.endpoint"), undecided, type="problem", message=problem)
    for name, path in COUNTS.items():
        suite.set(name, str(len(suite.findall(path))))
    suites = Element("testsuites", name=f"readiness of {escaped['target']['model']}")
    suites.append(suite)
    xml.indent(suites)
    return xml.tostring(suites, "unicode", xml_declaration=True) + "\n"


def _about(record: Record) -> dict[str, Any]:
    """The properties of the suite."""
    return {
        "model": record["target"]["model"],
        "endpoint": record["target"]["endpoint"],
        "verdict": record["verdict"],
        "score": record["score"],
        "profile": record["profile"],
        "seed": record["seed"],
        **record["harness"],
    }


def _kind(check: Record, undecided: str) -> str:
    """The element of a required check that is not ready."""
    kinds = {Verdict.NOT_READY: "failure", Verdict.INCONCLUSIVE: undecided}
    return kinds.get(Verdict(check["verdict"]), "skipped")


def _add_check(suite: Element, dimension: Record, check: Record, kind: str, waived: str) -> None:
    case = _case(suite, check["id"], check.get("seconds", 0.0))
    _add_properties(case, _figures(dimension, check))
    if check["verdict"] == Verdict.READY or "no_defect" in check:
        return
    # Some viewers show only the message, and most show no properties.
    message = shown(check)
    if kind == "skipped":
        message = f"{waived or check['gate']}, {message}"
    ending = SubElement(case, kind, type=check["verdict"], message=message)
    reasons = [f"{each['count']} × {each['reason']}" for each in check["reasons"][:MAX_REASONS]]
    remarks = conclusions.remarks(check, Translations("en"))
    ending.text = "\n".join([check["requirement"], *remarks, *reasons])


def _figures(dimension: Record, check: Record) -> dict[str, Any]:
    return {
        "dimension": dimension["id"],
        "check": check["id"],
        "metric": "pass rate",
        "verdict": check["verdict"],
        "gate": check["gate"],
        "k": check["passed"],
        "n": check["made"],
        "interval": f"{check['low']:.4f} {check['high']:.4f}",
        "at_least": f"{check['at_least']:.4f}",
        "threshold": check["required"],
        "margin": check["margin"],
        "score": check["score"],
        **({"no_defect": "too few trials to show readiness"} if "no_defect" in check else {}),
        **conclusions.settled(check),
    }


def _case(suite: Element, check: str, seconds: float = 0.0) -> Element:
    dimension, _, name = check.partition(".")
    time = f"{seconds:.3f}"
    return SubElement(suite, "testcase", classname=f"readiness.{dimension}", name=name, time=time)


def _add_properties(element: Element, values: dict[str, Any]) -> None:
    properties = SubElement(element, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=name, value=str(value))
