"""The attestation: an in-toto statement of the test result of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from readiness.evidence.run_folder import EVIDENCE, RECORD, SUMS, Record, digest
from readiness.reporters import conclusions
from readiness.verdict.claim import Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
#: Inconclusive is neither a pass nor a failure.
RESULT = {"ready": "PASSED", "not ready": "FAILED", "inconclusive": "WARNED"}


def statement(record: Record, folder: Path) -> dict[str, Any]:
    """The statement of a run: subject, configuration and result."""
    return {
        "_type": STATEMENT,
        "subject": [_tested(record["target"]), _file(folder / SUMS)],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": RESULT[record["verdict"]],
            "configuration": _configuration(record, folder),
            **_names(record),
            "score": record["score"],
            "started": record["started"],
            "finished": record["finished"],
        },
    }


def agrees(document: Any, record: Record, folder: Path) -> bool:
    """Whether a signed statement matches this run and its current files."""
    match document:
        case {"subject": [*subjects], "predicate": {"result": result}}:
            return _file(folder / SUMS) in subjects and result == RESULT[record["verdict"]]
        case _:
            return False


def _tested(target: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint, by its reported identity: its weights cannot be verified remotely."""
    document = json.dumps(target, sort_keys=True, separators=(",", ":"))
    return {
        "name": target["model"] or "unknown",
        "uri": target["endpoint"],
        "digest": {"sha256": hashlib.sha256(document.encode()).hexdigest()},
        "annotations": {"identity": "as the endpoint says; the digest is of the record's target"},
    }


def _configuration(record: Record, folder: Path) -> list[dict[str, Any]]:
    harness = record["harness"]
    return [
        {"name": f"policy {harness['policy']}", "digest": {"sha256": harness["policy_sha256"]}},
        {"name": "prompts", "digest": {"sha256": harness["prompts_sha256"]}},
        {"name": f"harness llm-readiness {harness['version']}"},
        {"name": f"profile {record['profile']}, seed {record['seed']}"},
        _file(folder / RECORD),
        _file(folder / EVIDENCE),
    ]


def _names(record: Record) -> dict[str, list[str]]:
    """The ids of the checks by verdict."""
    lists = {
        "passedTests": Verdict.READY,
        "warnedTests": Verdict.INCONCLUSIVE,
        "failedTests": Verdict.NOT_READY,
        "notAssessed": Verdict.NOT_ASSESSED,
    }
    checks = conclusions.checks(record)
    return {
        name: [each["id"] for each in checks if each["verdict"] == verdict]
        for name, verdict in lists.items()
    }


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "digest": {"sha256": digest(path)}}
