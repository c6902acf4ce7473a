"""Flaws of response formats: they are ignored, or taken although they are bad."""

from __future__ import annotations

from dataclasses import replace

from readiness.mutants.api.requests import CRASH, JSON, Errs
from readiness.mutants.endpoint.answer import Answer, Request
from readiness.mutants.endpoint.conversation import check_messages, text_of
from readiness.mutants.endpoint.formats import check_format
from readiness.mutants.endpoint.model import complete
from readiness.mutants.endpoint.problem import Problem
from readiness.mutants.endpoint.refusal import Refusal
from readiness.mutants.endpoint.response import encode, whole
from readiness.mutants.flaw import Flaw
from readiness.mutants.json_only.changes import Says, dumped, members_of
from readiness.mutants.json_only.reader import facts_of, wanted_format

_POEM = "Rain on the roof,\nrain on the leaves,\nautumn is here,\nand so am I."
_POEMS = ("poem", "诗", "詩")


def _ignoring(kind: str) -> Says:
    """Answer as if no response format had been sent."""

    def says(request: Request, said: Answer, _turn: int) -> Answer:
        ignored = wanted_format(request) == kind and facts_of(request).any
        return replace(said, content=f"Here you are:\n{said.content}") if ignored else said

    return says


def _loosely(request: Request, said: Answer, _turn: int) -> Answer:
    """JSON comes, but of another shape."""
    loose = wanted_format(request) == "json_schema" and facts_of(request).any
    return replace(said, content=dumped({"record": members_of(said)})) if loose else said


def _poem(request: Request, said: Answer, _turn: int) -> Answer:
    """The topic wins over the schema."""
    asked = text_of(request["messages"][-1]).lower()
    wins = wanted_format(request) == "json_schema" and any(word in asked for word in _POEMS)
    return replace(said, content=_POEM) if wins else said


def _is_bad(request: Request) -> bool:
    """Whether nothing but the response format of a request with data is wrong."""
    try:
        check_messages(request.get("messages"))
    except Problem:
        return False
    try:
        check_format(request)
    except Problem:
        return facts_of(request).any
    return False


def _for_bad_formats(status: int) -> Errs:
    """Answer a bad response format with that status, and with 200 as if it were not there."""

    def errs(request: Request | None, due: Refusal) -> Refusal:
        if request is None or not _is_bad(request):
            return due
        plain = {key: part for key, part in request.items() if key != "response_format"}
        body = encode(whole(complete(plain))) if status == 200 else CRASH.body
        return Refusal(status, body, JSON)

    return errs


_FORMATS = [
    ("json_object_ignored", "with_json_object", "json_object is ignored", _ignoring("json_object")),
    ("json_schema_ignored", "with_json_schema", "json_schema is ignored", _ignoring("json_schema")),
    ("json_schema_loose", "with_json_schema", "JSON comes, of another shape", _loosely),
    ("json_poem", "despite_the_topic", "the topic wins over the schema", _poem),
]

FLAWS = [
    *(Flaw(name, about, f"json_only.{check}", says=says) for name, check, about, says in _FORMATS),
    Flaw(
        "json_bad_format_taken",
        "a bad response format is taken for none",
        "json_only.refuses_bad_formats",
        errs=_for_bad_formats(200),
    ),
    Flaw(
        "json_bad_format_crashes",
        "a bad response format ends in a 500",
        "json_only.refuses_bad_formats",
        errs=_for_bad_formats(500),
    ),
]
