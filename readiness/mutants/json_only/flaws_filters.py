"""Flaws of filters behind a model, which mask parts of values, and harmless escapes of the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.flaws import dumped, is_asked, leaves

_IN_FORMAT = "json_only.values_preserved_in_format"
_PHONE = re.compile(r"\+\d{1,3}[ \d-]{8,}")
_ADDRESS = re.compile(r"[\w.]+@[\w.]+\w")
_LINK = re.compile(r"https?://\S+")
_SENSITIVE = re.compile("[毒枪赌黄杀]")

_MASKS: list[tuple[str, str, Callable[[str], str]]] = [
    ("phones", "telephone numbers are masked", lambda text: _PHONE.sub("[PHONE]", text)),
    ("addresses", "addresses of mail are masked", lambda text: _ADDRESS.sub("[EMAIL]", text)),
    ("links", "links are masked", lambda text: _LINK.sub("[URL]", text)),
    (
        "characters",
        "characters that sound bad are masked, as in a disinfectant or a yellow coat",
        lambda text: _SENSITIVE.sub("*", text),
    ),
]
_ESCAPES: list[tuple[str, str, dict[str, str]]] = [
    (
        "as_go",
        "&, < and > may be escaped, as by Go",
        {"&": r"\u0026", "<": r"\u003c", ">": r"\u003e"},
    ),
    ("as_php", "and so may slashes, as by PHP", {"/": r"\/"}),
]


def _filtered(change: Callable[[str], str]) -> Callable[[Request, ModelOutput, int], ModelOutput]:
    """Change the text of any JSON that is asked for."""

    def says(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
        return replace(said, content=change(said.content or "")) if is_asked(request) else said

    return says


def _masked(mask: Callable[[str], str]) -> Callable[[str], str]:
    """Mask parts of the texts that are values."""

    def changed(text: str) -> str:
        return dumped(leaves(json.loads(text), lambda of: mask(of) if isinstance(of, str) else of))

    return changed


def _escaped(escapes: dict[str, str]) -> Callable[[str], str]:
    letters = {ord(letter): escape for letter, escape in escapes.items()}
    return lambda text: text.translate(letters)


FLAWS = [
    *(
        Flaw(f"json_masks_{name}", about, _IN_FORMAT, change_output=_filtered(_masked(mask)))
        for name, about, mask in _MASKS
    ),
    *(
        Flaw(f"json_escaped_{name}", about, change_output=_filtered(_escaped(escapes)))
        for name, about, escapes in _ESCAPES
    ),
]
