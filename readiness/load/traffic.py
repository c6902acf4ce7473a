"""Traffic: what the users of a load test send, and the numbers of concurrent clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from readiness.protocol.message import decode
from readiness.reply import Reply
from readiness.resources import prompts

PROMPTS: Any = prompts("load.yaml")
#: The numbers of concurrent clients, as in the checklist article, besides a single "copy" client.
LEVELS = {"code": (8, 32), "ticket": (4, 16, 32), "copy": (1, 8)}
#: The estimated tokens of a prompt, and the characters that give as many.
TOKENS = {"ticket": 8_200, "code": 320, "copy": 600}
SIZES, SMALL = {"ticket": 10_000, "code": 1_050}, 300
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
#: The forms of requests with known answers; those that every endpoint answers.
FORMS = ("word", "word whole", "json", "json whole", "call", "call whole")
WORDS = FORMS[:1]


@dataclass(frozen=True)
class UserScript:
    """The turns of one user's conversation.

    Args:
        turns: The user's messages.
        budget: Maximum tokens of each reply.
        expected_word: The word that the reply must contain; "" where no answer is known.
        form: The form of a request with a known answer, one of FORMS.
        number: The number that its answer has besides the word; 0 for none.
        mark: The mark with which its reply is to begin; "" for none.
    """

    turns: Sequence[str]
    budget: int
    expected_word: str = ""
    form: str = ""
    number: int = 0
    mark: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of its requests."""
        kind, _, whole = self.form.partition(" ")
        stream = {} if whole else {"stream": True}
        return {**stream, "tools": [PROMPTS["known"]["tool"]]} if kind == "call" else stream

    def is_answered_by(self, reply: Reply) -> bool:
        """Whether a reply is the known answer."""
        if self.form not in FORMS[2:]:
            return self.expected_word in reply.text.casefold()
        said = [reply.text] if self.form.startswith("json") else calls(reply)
        return [*map(_value, said)] == [{"code": self.expected_word, "number": self.number}]


def user_script(scenario: str, random: Random, *, small: bool, warm: bool = False) -> UserScript:
    """The script of one user of a scenario.

    Args:
        scenario: The scenario.
        random: The random generator of the user.
        small: Whether the script is short, in a run that shows defects only.
        warm: Whether all users of the scenario share their text, except the last line.
    """
    texts, left = PROMPTS[scenario], SMALL if small else SIZES.get(scenario, 0)
    prefix_random = Random(f"warm/{scenario}") if warm else random
    if scenario == "copy":
        first, *rest = texts["turns"]
        return UserScript([first.format(nonce=nonce(prefix_random)), *rest], texts["budget"])
    mark = nonce(prefix_random)
    parts = [_filled(texts["opening"].replace("{nonce}", mark), texts, prefix_random)]
    while left > 0:
        parts.append(_filled(prefix_random.choice(texts["lines"]), texts, prefix_random))
        left -= len(parts[-1])
    if warm:
        parts[-1] = _filled(random.choice(texts["lines"]), texts, random)
    parts.append(_filled(texts["asking"], texts, random))
    return UserScript(["\n".join(parts)], texts["budget"], mark="" if warm else mark)


def known_answer_script(random: Random, form: str = "word") -> UserScript:
    """A request whose answer is known: a word, JSON or a call of a tool, streamed or whole."""
    code = "".join(random.choice(CONSONANTS) + random.choice(VOWELS) for _ in range(4))
    texts, number = PROMPTS["known"], random.randrange(10_000, 99_999)
    asked = texts[form.partition(" ")[0]].format(nonce=nonce(random), code=code, number=number)
    return UserScript([asked], texts["budget"], code, form, number)


def calls(reply: Reply) -> list[str]:
    """The arguments of the calls of a reply."""
    return [each.arguments for each in reply.tool_calls]


def _value(text: str) -> Any:
    """The JSON object in a text; None where there is none."""
    start, end = text.find("{"), text.rfind("}") + 1
    try:
        return decode(text[start:end]) if 0 <= start < end else None
    except ValueError:
        return None


def nonce(random: Random) -> str:
    """A random string: as the first bytes of a prompt, it prevents prefix caching."""
    return f"{random.getrandbits(48):012x}"


def _filled(text: str, texts: Any, random: Random) -> str:
    return text.format(
        nonce=nonce(random),
        number=random.randrange(10_000, 99_999),
        day=random.randrange(1, 29),
        hour=random.randrange(8, 20),
        page=random.randrange(2, 99),
        name=random.choice(texts["names"]),
        item=random.choice(texts["items"]),
    )
