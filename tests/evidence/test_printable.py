import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.evidence.printable import escape_unprintable


@given(st.text(st.characters(codec=None)))
def test_what_is_clean_is_printable_and_encodable(text: str) -> None:
    assert escape_unprintable(text).isprintable()
    assert escape_unprintable(text).encode().decode() == escape_unprintable(text)


@given(st.text(st.sampled_from("#[v:e \u200b\n"), max_size=40))
def test_no_command_of_a_ci_system_is_left_wherever_it_stands(text: str) -> None:
    shown = escape_unprintable(text)
    assert not re.search(r"##\w*\[|::[\w-]+( ([^:]|:(?!:))*)?::", shown)
    assert escape_unprintable(shown) == shown


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nready", "a\\nready"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud83d", "\\ud83d"),
        ("你好 ñ 👍", "你好 ñ 👍"),
        ("a ##[error]b", "a \\x23#[error]b"),
        ("##vso[task.setvariable variable=x]y", "\\x23#vso[task.setvariable variable=x]y"),
        (
            "##teamcity[buildStatus status='SUCCESS']",
            "\\x23#teamcity[buildStatus status='SUCCESS']",
        ),
        ("a ::error title=x:y::z", "a \\x3a:error title=x:y::z"),
        ("::set-output name=x::y", "\\x3a:set-output name=x::y"),
        ("## A title, a C++ std::vector, and ::1", "## A title, a C++ std::vector, and ::1"),
    ],
)
def test_what_could_forge_a_line_is_written_as_an_escape(hostile: str, shown: str) -> None:
    assert escape_unprintable(hostile) == shown
