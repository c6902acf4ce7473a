from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.policy.policy import PolicyError, load
from readiness.resources import schema

Write = Callable[[str], Path]

EXTENDS = "schema: readiness-policy/1\nextends: article\n"
KEYS = "schema, name, extends, alpha, margin, accepts, hardware, slo, upgrade, prices, profiles"
WHOLE = f"choose a mapping of {KEYS} and dimensions"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a policy to my.yaml, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = Path("my.yaml")
        path.write_text(text, "utf-8")
        return path

    return write


def problems(path: Path) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        load(path)
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "dimensions:\n  json_only:\n    gate: requird\n",
            "my.yaml:5: dimensions.json_only.gate is 'requird': choose required, advisory or off",
        ),
        (
            "dimensions:\n  json_only:\n    gaet: off\n",
            "my.yaml:5: dimensions.json_only.gaet is unknown: did you mean gate?",
        ),
        (
            "dimensions:\n  json_only:\n    volume: 11\n",
            "my.yaml:5: dimensions.json_only.volume is unknown: "
            "choose gate, advice, upgrade or checks",
        ),
        (
            "dimensions:\n  json_only: []\n",
            "my.yaml:4: dimensions.json_only is []: "
            "choose a mapping of gate, advice, upgrade and checks",
        ),
        (
            "dimensions:\n  json_only:\n    checks: {a: }\n",
            "my.yaml:5: dimensions.json_only.checks.a is None: "
            "choose a mapping of gate, required, margin, trials, unsupported and upgrade",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {required: 1.2}\n",
            "my.yaml:6: dimensions.a.checks.b.required is 1.2: choose a rate above 0, up to 1",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b:\n        required: all\n",
            "my.yaml:7: dimensions.a.checks.b.required is 'all': choose a rate above 0, up to 1",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {required: .nan}\n",
            "my.yaml:6: dimensions.a.checks.b.required is .nan: choose a number",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {unsupported: fine}\n",
            "my.yaml:6: dimensions.a.checks.b.unsupported is 'fine': choose not ready or accepted",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {trials: 0}\n",
            "my.yaml:6: dimensions.a.checks.b.trials is 0: "
            "choose a whole number from 1 to 1000000, or one for each profile, "
            "where 0 leaves the check out",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b:\n        trials:\n          ci: 2.5\n",
            "my.yaml:8: dimensions.a.checks.b.trials.ci is 2.5: "
            "choose a whole number from 0 to 1000000",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b:\n        trials:\n          cii: 2\n",
            "my.yaml:8: dimensions.a.checks.b.trials.cii is unknown: did you mean ci?",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {required: 0.95, trials: {ci: 20}}\n",
            "my.yaml:6: dimensions.a.checks.b can never show 0.95 less 0.05 by 20 trials: "
            "ci needs 29 or more",
        ),
        (
            "dimensions:\n  a:\n    checks:\n      b: {required: 0.2, margin: 0.2, trials: 9}\n",
            "my.yaml:6: dimensions.a.checks.b has a margin of 0.2: choose one from 0, below 0.2",
        ),
        ("alpha: 5\n", "my.yaml:3: alpha is 5: choose a risk above 0, below 0.5"),
        ("alpha: true\n", "my.yaml:3: alpha is True: choose a risk above 0, below 0.5"),
        (
            "margin: -0.1\n",
            "my.yaml:3: margin is -0.1: choose a rate from 0, below 0.5, or one for each profile",
        ),
        ("margin:\n  fulll: 0.1\n", "my.yaml:4: margin.fulll is unknown: did you mean full?"),
        (
            "profiles:\n  soak: {shows: readiness}\n",
            "my.yaml:4: profiles.soak has no margin",
        ),
        (
            "profiles:\n  soak: {shows: all}\n",
            "my.yaml:4: profiles.soak.shows is 'all': choose readiness or defects",
        ),
        (
            "dimension: {}\n",
            "my.yaml:3: dimension is unknown: did you mean dimensions?",
        ),
        ("name: off\nname: on\n", "my.yaml:4: name is given twice, first in line 3"),
        (
            "dimensions:\n  a: {gate: off}\n  b:\n    gate: off\n    gate: off\n",
            "my.yaml:7: dimensions.b.gate is given twice, first in line 6",
        ),
        ("name: &n me\nmargin: *n\n", "my.yaml:4: *n is an alias: write it out"),
        (
            "name: !!python/name:os.system\n",
            "my.yaml:3: tag:yaml.org,2002:python/name:os.system is a tag: leave it out",
        ),
        ("? [a]\n: b\n", "my.yaml:3: a key is a word"),
        ("name: 2024-13-01\n", "my.yaml:3: name: month must be in 1..12"),
        (f"name: {'[' * 100}", "my.yaml:3: nested too deeply for a policy"),
        ("name: a: b\n", "my.yaml:3: not YAML: mapping values are not allowed in this context"),
        ("--- {}\n", "my.yaml:3: not YAML: but found another document"),
    ],
)
def test_an_error_names_the_line_and_what_is_allowed(write: Write, text: str, problem: str) -> None:
    assert problems(write(EXTENDS + text)) == [problem]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [f"my.yaml:1: the document is None: {WHOLE}"]),
        ("- a\n", [f"my.yaml:1: the document is ['a']: {WHOLE}"]),
        ("off\n", [f"my.yaml:1: the document is 'off': {WHOLE}"]),
        ("extends: article\n", ["my.yaml:1: schema is missing"]),
        (
            "schema: readiness-policy/2\nextends: article\n",
            ["my.yaml:1: schema is 'readiness-policy/2': choose readiness-policy/1"],
        ),
        (
            "schema: readiness-policy/1\nextends: artcle\n",
            ["my.yaml:2: extends is 'artcle': choose article or hosted"],
        ),
        (
            "schema: readiness-policy/1\nprofiles: {}\nalpha: .1\n",
            [
                "my.yaml:1: margin is missing",
                "my.yaml:1: dimensions is missing",
                "my.yaml:2: profiles is {}: choose a mapping of profiles",
            ],
        ),
        (
            "schema: readiness-policy/1\nextends: article\nalpha: 7\nalfa: 7\nmargin: x\n",
            [
                "my.yaml:3: alpha is 7: choose a risk above 0, below 0.5",
                "my.yaml:4: alfa is unknown: did you mean alpha?",
                "my.yaml:5: margin is 'x': "
                "choose a rate from 0, below 0.5, or one for each profile",
            ],
        ),
    ],
)
def test_all_problems_are_reported_together_and_in_order(
    write: Write, text: str, found: list[str]
) -> None:
    assert problems(write(text)) == found


def test_a_file_that_is_not_text_is_refused(write: Write) -> None:
    assert problems(Path("none.yaml")) == ["none.yaml: cannot be read: No such file or directory"]
    assert problems(Path("/")) == ["/: cannot be read: no regular file"]
    path = write("name: a\0b")
    (found,) = problems(path)
    assert found.startswith("my.yaml: not YAML: ")
    path.write_bytes(b"name: \xff\n")
    assert problems(path) == ["my.yaml: is not text in UTF-8"]


def test_a_small_file_that_grows_large_is_refused_before_it_does(write: Write) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 40)
    )
    assert problems(write(bomb)) == ["my.yaml:2: *a0 is an alias: write it out"]


def test_a_hundred_thousand_brackets_are_refused_on_the_stack_there_is(write: Write) -> None:
    (problem,) = problems(write("[" * 100_000))
    # A parser that refuses it first says so in its own words.
    assert problem.startswith("my.yaml:1: ")


@given(st.text(max_size=60))
def test_no_text_makes_more_than_a_policy_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert all(each.startswith(str(path)) for each in problems(path))


def described(part: Any) -> list[bool]:
    """Whether each part of a schema says in words, or by its choices, what is allowed."""
    inner = [each for key in ("properties", "$defs") for each in part.get(key, {}).values()]
    if isinstance(part.get("additionalProperties"), dict):
        inner.append(part["additionalProperties"])
    own = bool(part.keys() & {"description", "enum", "$ref"})
    return [own, *(each for one in inner for each in described(one))]


def test_every_part_of_the_schema_says_what_is_allowed() -> None:
    found = described(schema("policy"))
    assert len(found) > 20
    assert all(found)
