"""Chat completions over a bare socket, and their responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

TOLD = "Reply with the word OK"
OK: list[ChatCompletionMessageParam] = [{"role": "user", "content": TOLD}]
LOOK: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object"}},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TEXT = '{"name": "José", "city": "北京 👩‍👩‍👧‍👦"}'


def user(text: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


NUMBERS = user("List the numbers from 1 to 200, separated by commas")
JSON = user(f"Reply with exactly this JSON: {TEXT}")
JSON["messages"].insert(0, {"role": "system", "content": "Return only JSON"})


class Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def content(self) -> str:
        content: str = self.json["choices"][0]["message"]["content"]
        return content

    @property
    def frames(self) -> list[str]:
        lines = self.raw.decode().splitlines()
        return [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]

    @property
    def chunks(self) -> list[Any]:
        return [json.loads(frame) for frame in self.frames if frame != "[DONE]"]

    @property
    def choices(self) -> list[Any]:
        return [choice for chunk in self.chunks for choice in chunk["choices"]]

    @property
    def streamed(self) -> str:
        return "".join(choice["delta"].get("content") or "" for choice in self.choices)


def ask(url: str, method: str, path: str, body: Any = None, key: str = "") -> Got:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, urlsplit(url).path + path, body, headers)
        response = connection.getresponse()
        return Got(response.status, dict(response.headers), response.read())
    finally:
        connection.close()


def chat(url: str, said: Mapping[str, Any] | None = None, **parameters: Any) -> Got:
    request = {"model": "reference", **(said or user(TOLD)), **parameters}
    return ask(url, "POST", "/chat/completions", json.dumps(request))
