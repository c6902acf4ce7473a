"""The documents: their links and names exist."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from readiness.cli.built_in import built_in_checks
from readiness.policy.plan import plan
from readiness.policy.policy import load
from tests import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
FOLDERS = ("benchmarks", "docs", "fixtures", "prompts", "readiness", "tests")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text("utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(document), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def named() -> Iterator[tuple[str, str]]:
    """Each word between backticks, with the document that it is in."""
    for document in DOCUMENTS:
        for quoted in re.findall(r"`([^`\n]+)`", prose(document)):
            yield from ((word, document.name) for word in quoted.split())


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for document in DOCUMENTS:
        for path, anchor in LINK.findall(prose(document)):
            target = (document.parent / path).resolve() if path else document
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{document.name}: {path}#{anchor}")
    assert broken == []


def test_every_check_that_is_named_with_its_dimension_exists() -> None:
    policy = load()
    ids = re.compile(rf"(?:{'|'.join(policy.dimensions)})\.(?!py$|yaml$)[a-z0-9_]+")
    found = {(word, document) for word, document in named() if ids.fullmatch(word)}
    assert len(found) >= 5
    assert {each for each in found if each[0] not in policy.checks} == set()


def test_every_path_that_is_named_exists() -> None:
    paths = re.compile(rf"(?:{'|'.join(FOLDERS)})/[a-z0-9_./-]+")  # in capitals: a placeholder
    found = {(word, document) for word, document in named() if paths.fullmatch(word)}
    assert len(found) >= 50
    assert {each for each in found if not (ROOT / each[0]).exists()} == set()


@pytest.mark.parametrize(
    ("pair", "least"),
    [(("README.md", "README.zh.md"), 14), (("docs/options.md", "docs/options.zh.md"), 25)],
)
def test_both_languages_show_the_same_output_and_options(pair: Sequence[str], least: int) -> None:
    shown = [
        [*re.findall(r"^```text\n.*?^```$", text, re.M | re.S), *re.findall(r"`(--[^`]+)`", text)]
        for text in ((ROOT / name).read_text("utf-8") for name in pair)
    ]
    assert len(shown[0]) >= least
    assert sorted(set(shown[0])) == sorted(set(shown[1]))


def test_a_dimension_has_the_trials_that_the_readmes_say() -> None:
    """To a twentieth: a check that is added need not change the README at once."""
    rows = re.compile(r"^\| `(\w+)` \| .* \| (\d+)[^|]* \|$", re.M)
    said = [
        rows.findall((ROOT / name).read_text("utf-8")) for name in ("README.md", "README.zh.md")
    ]
    checks = plan(built_in_checks(), load(), "ci", seed=0)
    planned = Counter(each.check.dimension for each in checks for _ in each.probes)
    told = [{name: int(count) for name, count in each if name in planned} for each in said]
    about = {name: pytest.approx(count, rel=0.05) for name, count in planned.items()}
    assert told == [about, about]
