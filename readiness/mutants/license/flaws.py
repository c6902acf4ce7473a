"""Flaws of a licence: what a model's folder may hide, say wrongly, or leave out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.license.evidence import CARD, LICENSE, RECORD, WEIGHTS, apache, card, header
from readiness.verdict.claim import Verdict

_UNSURE = Verdict.INCONCLUSIVE
_TEXT = "license.verbatim_license_text"
_PERMITS = "license.commercial_use_permitted"
_LLAMA = "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nBy using the materials you agree to be bound.\n"

Shows = Callable[[Path], None]


def _text(change: Callable[[str], str]) -> Shows:
    """Change the text of the licence."""
    return lambda folder: _write(folder / LICENSE, change(apache()))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _named(name: str, text: str) -> Shows:
    """Put the model under another licence, in every source."""

    def shows(folder: Path) -> None:
        _write(folder / LICENSE, text)
        _write(folder / CARD, card(license=name))
        (folder / WEIGHTS).write_bytes(header({"general.license": name}))

    return shows


def _record(addition: str) -> Shows:
    """Add to the record."""
    return lambda folder: _write(folder / RECORD, (folder / RECORD).read_text("utf-8") + addition)


def _use_policy(folder: Path) -> None:
    _write(folder / "USE_POLICY.md", "You agree not to use the model for any of the following.\n")
    _write(folder / RECORD, (folder / RECORD).read_text("utf-8").replace("]", ", USE_POLICY.md]"))


def _header(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(header({"general.license": "mit"}))


def _another(folder: Path) -> None:
    for name in (CARD, RECORD):
        said = (folder / name).read_text("utf-8")
        # The file that has the reference model's weights keeps its name.
        _write(folder / name, said.replace(f": {MODEL}\n", ": another\n"))


FLAWS = [
    Flaw(
        "license_rider_at_the_end",
        "a sentence after the appendix forbids commercial use",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: f"{text}\nNo commercial use.\n"),
    ),
    Flaw(
        "license_rider_at_the_start",
        "a sentence before the licence limits it to one tenant",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: f"Not to be offered to more than one tenant.\n\n{text}"
        ),
    ),
    Flaw(
        "license_rider_in_chinese",
        "a line in another script forbids commercial use",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: f"{text}\n禁止商业使用。\n"),
    ),
    Flaw(
        "license_rider_in_the_copyright",
        "the line of copyright goes on",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: text.replace("reference model", "model, for research only")
        ),
    ),
    Flaw(
        "license_word_changed",
        "what is granted can be revoked",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(lambda text: text.replace("irrevocable", "revocable")),
    ),
    Flaw(
        "license_clause_left_out",
        "the grant of patents is missing",
        _TEXT,
        expected_verdict=_UNSURE,
        change_license_evidence=_text(
            lambda text: text.partition("3. Grant")[0] + "4. Red" + text.partition("4. Red")[2]
        ),
    ),
    Flaw(
        "license_not_commercial",
        "every source forbids commercial use",
        _PERMITS,
        change_license_evidence=_named(
            "cc-by-nc-4.0", "Attribution-NonCommercial 4.0 International\n"
        ),
    ),
    Flaw(
        "license_with_conditions",
        "every source names a licence with conditions that nobody has accepted",
        _PERMITS,
        expected_verdict=_UNSURE,
        change_license_evidence=_named("llama3.1", _LLAMA),
    ),
    Flaw(
        "license_header_disagrees",
        "the header of the weights names another licence than card and text",
        "license.consistent_license_name",
        expected_verdict=_UNSURE,
        change_license_evidence=_header,
    ),
    Flaw(
        "license_over_a_base",
        "a card that says Apache, of a model that was made from one of which nothing is shown",
        "license.base_models_permitted",
        expected_verdict=_UNSURE,
        change_license_evidence=lambda folder: _write(
            folder / CARD, card(license="apache-2.0", base_model="example/llama-8b")
        ),
    ),
    Flaw(
        "license_with_a_use_policy",
        "a use policy stands beside the licence",
        "license.no_extra_restrictions",
        expected_verdict=_UNSURE,
        change_license_evidence=_use_policy,
    ),
    Flaw(
        "license_statement_unfounded",
        "a statement of the vendor, of which no copy was kept",
        "license.recent_vendor_statement",
        change_license_evidence=_record(
            "statements:\n  - {url: 'https://vendor.example/license', date: 2026-11-01, "
            f"file: page.html, sha256: {'a' * 64}}}\n"
        ),
    ),
    Flaw(
        "license_of_another_model",
        "evidence of another model than the endpoint serves",
        "license.evidence_matches_model",
        expected_verdict=_UNSURE,
        change_license_evidence=_another,
    ),
]
