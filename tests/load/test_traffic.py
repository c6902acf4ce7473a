"""What the users of a load test send."""

from __future__ import annotations

from itertools import takewhile
from random import Random

from readiness.load.step import Shape
from readiness.load.traffic import user_script


def test_prompts_begin_with_a_nonce_and_have_their_size() -> None:
    random = Random(1)
    tickets = [user_script("ticket", random, small=False).turns[0] for _ in range(20)]
    assert len({each[:15] for each in tickets}) == 20
    assert [each for each in tickets if not 10_000 < len(each) < 10_500] == []
    assert "{" not in "".join(tickets)


def alike(one: str, other: str) -> int:
    """How many letters two texts begin with alike."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def test_warm_prompts_share_all_but_their_end() -> None:
    random = Random(1)
    for scenario in ("ticket", "code"):
        cold = [user_script(scenario, random, small=False).turns[0] for _ in range(2)]
        warm = [user_script(scenario, random, small=False, warm=True).turns[0] for _ in range(2)]
        assert alike(*cold) < 10
        assert len(warm[0]) * 0.6 < alike(*warm) < min(map(len, warm))
    copies = [user_script("copy", random, small=False, warm=True) for _ in range(2)]
    assert copies[0] == copies[1]
    assert Shape("code", 8, 100, 45.0, warm=True).shown == "code at 8 clients, warm"
