import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.evidence.printable import escape_unprintable


@given(st.text(st.characters(codec=None)))
def test_what_is_clean_is_printable_and_encodable(text: str) -> None:
    assert escape_unprintable(text).isprintable()
    assert escape_unprintable(text).encode().decode() == escape_unprintable(text)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nready", "a\\nready"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud83d", "\\ud83d"),
        ("你好 ñ 👍", "你好 ñ 👍"),
    ],
)
def test_what_could_forge_a_line_is_written_as_an_escape(hostile: str, shown: str) -> None:
    assert escape_unprintable(hostile) == shown
