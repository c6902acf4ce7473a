"""What a text claims of each value in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.scoring.claims import (
    Role,
    is_earlier,
    is_ordinal,
    occurrences,
    plainly,
    role,
    unread,
    values_in,
)


def roles(text: str) -> list[str]:
    plain = plainly(text)
    return [str(role(plain, *each.span())) for each in values_in(plain)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4821", "stated"),
        ("没错，4821", "stated"),
        ("No. 4821", "stated"),
        ("The order total is 4821 euros.", "stated"),
        ("你之前说的是4821", "stated"),
        ("As you said earlier, it is 4821", "stated"),
        ("> 4821 euros", "stated"),
        ("不是4821", "denied"),
        ("不是4821，而是4827", "denied stated"),
        ("不，不是。是4827", "stated"),
        ("4827，不是4821", "stated denied"),
        ("4821不对，4827才对", "denied stated"),
        ("it isn't 4821", "denied"),
        ("I don't think it's 4821", "denied"),
        ("anything but 4821", "denied"),
        ("4821 is wrong", "denied"),
        ("4821 (no longer valid)", "denied"),
        ("not 4821 but 4827", "denied stated"),
        ("not the oak shelf but 4827", "stated"),
        ("4827 rather than 4821", "stated denied"),
        ("no es 4821", "denied"),
        ("no es 4821 sino 4827", "denied stated"),
        ("4821ではなく4827", "denied stated"),
        ("4821已作废，现为4827", "denied stated"),
        ("4827（原为4821）", "stated former"),
        ("4827（原来登记为4821）", "stated former"),
        ("从4821改成4827", "former stated"),
        ("4821，后更正为4827", "former stated"),
        ("4827 (superseding 4821)", "stated former"),
        ("4827 (previously listed as 4821)", "stated former"),
        ("4827, which replaced 4821", "stated former"),
        ("4821 was replaced by 4827", "former past"),
        ("used to be 4821, now 4827", "former stated"),
        ("4821 was corrected to 4827", "former stated"),
        ("4821→4827", "former stated"),
        ("4821 -> 4827", "former stated"),
        ("~~4821~~ 4827", "former stated"),
        ("4821. No, sorry: 4827", "former stated"),
        ("It moved from 4821 to 4827", "former stated"),
        ("it was 4821", "past"),
        ("4821 or 4827", "alternative alternative"),
        ("4821，或者4827", "alternative alternative"),
        ("4821还是4827", "alternative alternative"),
        ("4821 o 4827", "alternative alternative"),
        ("4821/4827", "alternative alternative"),
        ("4821 to 4827", "end of a range end of a range"),
        ("4821-4827", "end of a range end of a range"),
        ("between 4821 and 4827", "end of a range end of a range"),
        ("大约4821到4900", "end of a range end of a range"),
        ("4821 and 4827", "stated stated"),
        ("at least 4821", "bound"),
        ("4821 or more", "bound"),
        ("≥4821", "bound"),
        ("<4821", "bound"),
        ("4821+", "bound"),
        ("4821以上", "bound"),
        ("不到4821", "bound"),
        ("como maximo 4821", "bound"),
        ("4821 tornillos o mas", "bound"),
        ("about 4821", "approximate"),
        ("大约4821", "approximate"),
        ("或许4821", "guess"),
        ("might be 4821", "guess"),
        ("4821?", "guess"),
        ("4821 ？", "guess"),
        ("(4821) ?", "guess"),
        ("4821!", "stated"),
        ("4821. Fine. At least I think so.", "stated"),
        ("At least I think so. Fine. 4821", "stated"),
        ("the day before 2027-06-22", "relative"),
        ("2027-06-22之前", "relative"),
        ("2027-06-22的第二天", "relative stated"),
        ("the one after FP-4821", "relative"),
        ("4821 - 5", "end of a range end of a range"),
        ("4821 + 5", "operand operand"),
        ("4821 plus 5 = 4826", "operand operand stated"),
        ("4821加5等于4826", "operand operand stated"),
        ("twice 4821", "scaled"),
        ("4821的一半", "scaled stated"),
        ("4821²", "operand operand"),
    ],
)
def test_a_value_has_the_role_that_the_words_around_it_give_it(text: str, said: str) -> None:
    assert " ".join(roles(text)) == said


@given(st.lists(st.integers(1000, 9999), min_size=1, max_size=9))
def test_values_in_a_list_are_all_stated(values: list[int]) -> None:
    plain = plainly("、".join(map(str, values)))
    found = values_in(plain)
    assert [each[0] for each in found] == [*map(str, values)]
    assert {role(plain, *each.span()) for each in found} == {Role.STATED}


@pytest.mark.parametrize(("mark", "otherwise"), [("-", Role.RANGE), ("/", Role.ALTERNATIVE)])
@given(one=st.integers(1000, 9999), other=st.integers(1000, 9999))
def test_in_a_list_hyphens_and_slashes_part_the_items(
    mark: str, otherwise: Role, one: int, other: int
) -> None:
    plain = f"{one}{mark}{other}"
    found = values_in(plain)
    assert [role(plain, *each.span(), listed=True) for each in found] == [Role.STATED] * 2
    assert [role(plain, *each.span()) for each in found] == [otherwise] * 2


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("2 days earlier", True),
        ("2天前", True),
        ("提前2天", True),
        ("earlier by 2 days", True),
        ("2 days later", False),
        ("2", False),
    ],
)
def test_a_number_of_days_may_be_told_backwards(text: str, earlier: bool) -> None:
    at = text.index("2")
    assert is_earlier(text, at, at + 1) is earlier


@pytest.mark.parametrize(
    ("text", "ordinal"),
    [("2nd", True), ("第2", True), ("2º", True), ("2", False), ("2 ndas", False)],
)
def test_a_number_may_be_a_place_in_a_row(text: str, ordinal: bool) -> None:
    at = text.index("2")
    assert is_ordinal(text, at, at + 1) is ordinal


@pytest.mark.parametrize(
    ("text", "times"),
    [("4821", 1), ("大约-4821", 0), ("-4821", 0), ("48210", 0), ("4821.5", 0), ("q: 4821.", 1)],
)
def test_a_value_is_found_whole(text: str, times: int) -> None:
    assert len(occurrences(plainly(text), "4821")) == times
    assert occurrences(text, "") == []


@pytest.mark.parametrize(
    ("text", "form", "times"),
    [
        ("4821号", "4821号", 1),
        ("14821号", "4821号", 0),
        ("a号4", "号4", 1),
        ("号48", "号4", 0),
        ("4", "4", 1),
        ("号", "号", 1),
    ],
)
def test_a_value_ends_where_its_own_letters_would_go_on(text: str, form: str, times: int) -> None:
    assert len(occurrences(text, form)) == times


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    assert {*roles(text)} <= {*map(str, Role)}


@pytest.mark.parametrize(
    "piece", ["1 or ", "不是1", "was old 1 ", "$1 ", "~~1", "4821-", "*1", "<1"]
)
def test_a_reply_that_runs_away_is_read_in_good_time(piece: str) -> None:
    # Where the time grew with the square of the length, some of these took minutes.
    assert len(roles(piece * 2_000)) > 1


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("4821", ""),
        ("the answer is 4821 euros", ""),
        ("4821 sacks", "sacks"),
        ("blue 4821", "blue"),
        ("blue: 4821 sacks", "sacks"),
        ("the red sacks are 4821", ""),
        ("4821个苹果", "苹 果"),
        ("红的4821", "红"),
        ("4821, sacks", ""),
        ("(sacks) 4821", ""),
        ("blue, red 4821", "red"),
        ("4821 km^2 sacks", "sacks"),
        ("4821 q", ""),
        ("4821 qu", "qu"),
        # Of words between two values nobody knows whose they are.
        ("4821 blue 7", ""),
        ("blue 4821 green 7", "blue"),
    ],
)
def test_what_stands_beside_a_value_and_is_of_no_frame_is_told(text: str, beside: str) -> None:
    plain = plainly(text)
    assert unread(plain, *values_in(plain)[0].span()) == beside


def test_words_of_the_question_and_of_another_value_say_nothing_more() -> None:
    plain = plainly("7 green 4821 red sacks")
    _, found = values_in(plain)
    assert unread(plain, *found.span(), "How many sacks?") == "red"
    assert unread(plain, *found.span(), "How many RED sacks?") == ""
    wide = plainly("红苹果4821")
    assert unread(wide, *values_in(wide)[0].span(), "有多少红苹") == "果"
