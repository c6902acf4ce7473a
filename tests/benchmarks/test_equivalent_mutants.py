"""The mutants that are known to change no behaviour: each names a line that is there."""

from __future__ import annotations

import yaml

from tests import ROOT


def test_each_equivalent_mutant_changes_a_line_of_its_module_and_has_a_reason() -> None:
    listed = yaml.safe_load((ROOT / "benchmarks/equivalent_mutants.yaml").read_text("utf-8"))
    lines = {path: (ROOT / path).read_text("utf-8").splitlines() for path in listed}
    stripped = {path: {line.strip() for line in found} for path, found in lines.items()}
    wrong = [
        each
        for path, found in listed.items()
        for each in found
        if each["before"] not in stripped[path]
        or each["after"] == each["before"]
        or not each["reason"]
    ]
    assert wrong == []
