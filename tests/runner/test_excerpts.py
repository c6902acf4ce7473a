"""What was asked and what came, as short texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.exchange import Exchange, Fault
from readiness.runner.excerpts import MAX_EXCERPT, excerpts

CALL = {"type": "function", "id": "a", "function": {"name": "book", "arguments": '{"n": 2}'}}
STREAM = "text/event-stream"


def asked(*messages: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages)}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def exchange(request: Any = None, body: str = "", **changes: Any) -> Exchange:
    usual = {"status": 200, "headers": {"content-type": "application/json"}, "arrivals": ()}
    usual |= {"path": "/chat/completions", "method": "POST", "fault": None, "detail": ""}
    usual |= {"sent": 0.0, "end": 1, "keyed": True}
    return Exchange(request=request, body=body.encode(), **{**usual, **changes})


def said(**message: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def frame(**delta: Any) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"


def excerpt(tmp_path: Path, found: Exchange) -> tuple[str, str]:
    with Evidence(tmp_path / "evidence.jsonl", Secrets([])) as evidence:
        evidence.exchange(exchange(asked(user("another"))), {})
        seq = evidence.exchange(found, {}).seq
    each = excerpts(evidence.path, [seq])
    assert [*each] == [seq]
    return each[seq]["asked"], each[seq]["came"]


@pytest.mark.parametrize(
    ("found", "due"),
    [
        (
            exchange(asked(user("a"), user("Two?")), said(role="assistant", content="2")),
            ("Two?", "2"),
        ),
        (
            exchange(
                asked(user([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}])),
                said(role="assistant", content=None, tool_calls=[CALL]),
            ),
            ("one two", 'book({"n": 2})'),
        ),
        (
            exchange(
                {**asked(user("x")), "stream": True},
                f"{frame(content='a')}{frame(content='b')}data: [DONE]\n\n",
                headers={"content-type": STREAM},
            ),
            ("x", "ab"),
        ),
        (
            exchange(asked(user("x")), '{"error": "busy"}', status=500),
            ("x", 'HTTP 500\n{"error": "busy"}'),
        ),
        (
            exchange(asked(user("x")), status=None, fault=Fault.RESET, detail="gone"),
            ("x", "connection lost: gone"),
        ),
        (
            exchange(method="GET", path="/models", body="[]"),
            ("GET /models", "HTTP 200\n[]"),
        ),
    ],
    ids=["reply", "call", "stream", "error", "fault", "models"],
)
def test_what_is_shown(found: Exchange, due: tuple[str, str], tmp_path: Path) -> None:
    assert excerpt(tmp_path, found) == due


def test_of_a_long_text_both_ends_are_shown(tmp_path: Path) -> None:
    text = f"begin {'x' * 200_000} end"
    shown = excerpt(tmp_path, exchange(asked(user(text)), said(role="assistant", content=text)))
    for each in shown:
        assert (each[:6], each[-4:]) == ("begin ", " end")
        assert len(each) == MAX_EXCERPT + len(" […] ")


def test_nothing_is_read_where_nothing_is_asked_for(tmp_path: Path) -> None:
    assert excerpts(tmp_path / "none.jsonl", []) == {}
