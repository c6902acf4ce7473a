"""Flaws of Spanish that show where something stands around a request, and harmless differences."""

from __future__ import annotations

from readiness.mutants.endpoint.request_form import (
    after_turns,
    all_of,
    beside_tools,
    for_user,
    in_parts,
    instructed,
    may_stop,
    only,
    unsampled,
)
from readiness.mutants.flaw import Flaw
from readiness.mutants.spanish.flaws import all_of_it, answers, says

_FORMS = "spanish.other_forms"
_ENGLISH = says(
    all_of_it(
        lambda _text: "More and more people in the area take an interest in this every single day."
    )
)
_UNABLE = says(all_of_it(lambda _text: "Lo siento, ninguna de mis herramientas sirve para eso."))
_EMPTY = says(all_of_it(lambda _text: ""))

FLAWS = [
    Flaw(
        "spanish_english_instructed",
        "English after a system message",
        _FORMS,
        change_output=only(instructed, _ENGLISH),
    ),
    Flaw(
        "spanish_unable_beside_tools",
        "nothing is done where tools are offered and something was said before",
        _FORMS,
        change_output=only(all_of(beside_tools, after_turns), _UNABLE),
    ),
    Flaw(
        "spanish_english_after_turns",
        "English in a later turn",
        _FORMS,
        change_output=only(after_turns, _ENGLISH),
    ),
    Flaw(
        "spanish_empty_in_parts",
        "nothing at all where content is in parts after a system message",
        _FORMS,
        change_output=only(all_of(in_parts, instructed), _EMPTY),
    ),
    Flaw(
        "spanish_english_with_stop",
        "English where a stop sequence is sent",
        "spanish.zero_shot_tasks",
        change_output=only(may_stop, _ENGLISH),
    ),
    Flaw(
        "spanish_empty_for_user",
        "nothing at all where it is said for whom it is asked",
        "spanish.zero_shot_tasks",
        change_output=only(for_user, _EMPTY),
    ),
    Flaw(
        "spanish_bold_beside_tools",
        "an answer may be in bold face",
        change_output=only(beside_tools, says(answers(lambda text: f"**{text}**"))),
    ),
    Flaw(
        "spanish_full_stop_unsampled",
        "or end with a full stop",
        change_output=only(all_of(unsampled, instructed), says(answers(lambda text: f"{text}."))),
    ),
]
