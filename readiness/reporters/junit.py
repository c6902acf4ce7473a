"""`junit.xml`: a test case per check, with its figures as properties."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as xml
from xml.etree.ElementTree import Element, SubElement

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.reporters.charts import interval, needs
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
    suite = Element("testsuite", name="readiness", timestamp=escaped["started"].rstrip("Z"))
    _add_properties(suite, _about(escaped))
    waived = conclusions.waivers(escaped, Translations("en"))
    for dimension in escaped["dimensions"]:
        for check in dimension["checks"]:
            _add_check(suite, dimension, check, waived.get(check["id"], ""))
        for name in dimension["missing"]:
            SubElement(_case(suite, name), "error", type="missing", message="no result")
    if problem := escaped["problem"]:
        SubElement(_case(suite, "readiness.endpoint"), "error", type="problem", message=problem)
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


def _add_check(suite: Element, dimension: Record, check: Record, waived: str) -> None:
    case = _case(suite, check["id"])
    _add_properties(case, _figures(dimension, check))
    if check["verdict"] == Verdict.READY:
        return
    gates = conclusions.gates(dimension, check) and check["verdict"] != Verdict.NOT_ASSESSED
    # Some viewers show only the message, and most show no properties.
    message = f"{check['verdict']}: {_shown(check)}"
    if waived or not gates:
        message = f"{waived or check['gate']}, {message}"
    kind = "skipped" if waived or not gates else "failure"
    ending = SubElement(case, kind, type=check["verdict"], message=message)
    reasons = [f"{each['count']} × {each['reason']}" for each in check["reasons"][:MAX_REASONS]]
    remarks = conclusions.remarks(check, Translations("en"))
    ending.text = "\n".join([check["requirement"], *remarks, *reasons])


def _shown(check: Record) -> str:
    counts = f"{check['passed']} of {check['made']} passed"
    return f"{counts} ({interval(check)}), needs {needs(check)}"


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
        **conclusions.settled(check),
    }


def _case(suite: Element, check: str) -> Element:
    dimension, _, name = check.partition(".")
    return SubElement(suite, "testcase", classname=f"readiness.{dimension}", name=name, time="0")


def _add_properties(element: Element, values: dict[str, Any]) -> None:
    properties = SubElement(element, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=name, value=str(value))
