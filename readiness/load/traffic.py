"""Traffic: what the users of a load test send, and how many there are at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from readiness.resources import prompts

PROMPTS: Any = prompts("load.yaml")
#: How many clients there are at once, as the article has it; L3 with one of them is its own.
LEVELS = {"code": (8, 32), "ticket": (4, 16, 32), "copy": (1, 8)}
#: About how many tokens a prompt has, and how many characters take as many.
TOKENS = {"ticket": 8_200, "code": 320, "copy": 600}
SIZES, SMALL = {"ticket": 10_000, "code": 1_050}, 300
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True)
class UserScript:
    """What one user sends: a turn, or several that follow one another.

    Args:
        turns: What the user says.
        budget: Most tokens of each reply.
        expected_word: The word that the reply must have; "" where no answer is known.
    """

    turns: Sequence[str]
    budget: int
    expected_word: str = ""


def user_script(scenario: str, random: Random, *, small: bool, warm: bool = False) -> UserScript:
    """What one user of a scenario sends.

    Args:
        scenario: Which.
        random: What it is drawn by.
        small: Whether it is short, for readiness cannot be shown anyway.
        warm: Whether all users of the scenario say the same, but for the last of the lines.
    """
    said, left = PROMPTS[scenario], SMALL if small else SIZES.get(scenario, 0)
    drawn = Random(f"warm/{scenario}") if warm else random
    if scenario == "copy":
        first, *rest = said["turns"]
        return UserScript([first.format(nonce=nonce(drawn)), *rest], said["budget"])
    parts = [_filled(said["opening"], said, drawn)]
    while left > 0:
        parts.append(_filled(drawn.choice(said["lines"]), said, drawn))
        left -= len(parts[-1])
    if warm:
        parts[-1] = _filled(random.choice(said["lines"]), said, random)
    parts.append(_filled(said["asking"], said, random))
    return UserScript(["\n".join(parts)], said["budget"])


def known_answer_script(random: Random) -> UserScript:
    """A request whose answer is known."""
    code = "".join(random.choice(CONSONANTS) + random.choice(VOWELS) for _ in range(4))
    said = PROMPTS["known"]
    return UserScript([said["text"].format(nonce=nonce(random), code=code)], said["budget"], code)


def nonce(random: Random) -> str:
    """What nobody has sent before: as the first bytes of a prompt, it fits no cached prefix."""
    return f"{random.getrandbits(48):012x}"


def _filled(text: str, said: Any, random: Random) -> str:
    return text.format(
        nonce=nonce(random),
        number=random.randrange(10_000, 99_999),
        day=random.randrange(1, 29),
        hour=random.randrange(8, 20),
        page=random.randrange(2, 99),
        name=random.choice(said["names"]),
        item=random.choice(said["items"]),
    )
