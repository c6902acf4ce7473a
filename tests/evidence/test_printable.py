import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.evidence.printable import clean


@given(st.text(st.characters(codec=None)))
def test_what_is_clean_is_printable_and_encodable(text: str) -> None:
    assert clean(text).isprintable()
    assert clean(text).encode().decode() == clean(text)


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
    assert clean(hostile) == shown
