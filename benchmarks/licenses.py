"""What is made of the licences of real repositories: a row for each folder of a folder.

python -m benchmarks.licenses FOLDER [--reasons]

Each folder in FOLDER has a repository's licences, notices and cards. None of them tells what its
weights were made from, so each is judged as though a record said: from none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from readiness.checks.license import scoring
from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.checks.license.license_evidence import LicenseEvidence
from readiness.score import Outcome, Score

_WRONG = (Outcome.FAIL, Outcome.UNDETERMINED)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reasons", action="store_true", help="print every reason in full")
    given = parser.parse_args()
    width = None if given.reasons else 120
    print("| repository | verdict | because |\n|---|---|---|")
    for folder in sorted(each for each in given.folder.iterdir() if each.is_dir()):
        verdict, reasons = _judged(folder)
        print(f"| {folder.name} | {verdict} | {'; '.join(reasons)[:width]} |")


def _judged(folder: Path) -> tuple[str, list[str]]:
    try:
        evidence = gather((folder,)) + LicenseEvidence(base_models=())
    except LicenseEvidenceError as error:
        return "no evidence", [str(error)]
    wrong = [each for each in _scores(evidence) if each.outcome in _WRONG]
    if not wrong:
        return "ready", []
    failed = any(each.outcome is Outcome.FAIL for each in wrong)
    return "not ready" if failed else "inconclusive", [each.reason for each in wrong]


def _scores(evidence: LicenseEvidence) -> list[Score]:
    """What the checks that gate score."""
    return [
        scoring.score_commercial_use(evidence, ()),
        scoring.score_verbatim_text(evidence),
        scoring.score_consistency(evidence),
        scoring.score_base_models(evidence, ()),
        scoring.score_restrictions(evidence, ()),
    ]


if __name__ == "__main__":
    main()
