from hypothesis import given
from hypothesis import strategies as st

from readiness.runner.sender import AdaptiveConcurrency


def test_all_slots_are_open_at_first() -> None:
    assert AdaptiveConcurrency(8).limit == 8


def test_an_overloaded_endpoint_halves_the_slots_once_a_round() -> None:
    slots = AdaptiveConcurrency(8)
    for _ in range(8):
        slots.note(overloaded=True)
    assert slots.limit == 4


def test_slots_open_again_one_a_round() -> None:
    slots = AdaptiveConcurrency(8)
    for _ in range(8):
        slots.note(overloaded=True)
    for _ in range(4):
        slots.note(overloaded=False)
    assert slots.limit == 4
    slots.note(overloaded=False)
    assert slots.limit == 5


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=300))
def test_there_is_always_a_slot_and_never_more_than_allowed(
    most: int, overloads: list[bool]
) -> None:
    slots = AdaptiveConcurrency(most)
    opened = []
    for overloaded in overloads:
        slots.note(overloaded=overloaded)
        opened.append(slots.limit)
    assert all(1 <= each <= most for each in opened)
