"""Error responses: message, codes, content filters and unsupported parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from readiness.exchange import Exchange
from readiness.protocol.message import decode

#: The names under which content filters report that they stopped a request or a reply.
FILTERS = re.compile(
    r"content[_ ]?filter|content_policy_violation|ResponsibleAIPolicyViolation"
    r"|data_?inspection_?failed|(?:in|out)putTextRiskDetection|SensitiveContentDetected"
    r"|sensitive_words_detected|prompt_blocked|risk_control|inappropriate content|high risk"
    r"|sensitive chat messages",
    re.IGNORECASE,
)
#: Zhipu's code of its content filter, matched as a code only: in a message it could be any number.
FILTER_CODE = "1301"
FILTERING = frozenset((400, 403, 451))
#: OpenAI's reasoning models decline logprobs by a 403.
DECLINING = frozenset((400, 403, 404, 422, 501))
DECLINES = re.compile(
    r"unsupported|unknown|unrecogni[sz]ed|unavailable|disabled|requires?\b|--enable-|--jinja"
    r"|extra inputs|extra_forbidden|no support for|does(?:n't| not)(?: \w+)? support"
    r"|\bnot (?:\w+ )?(?:supported|implemented|enabled|available|permitted|allowed)",
    re.IGNORECASE,
)
# Any other 500 is a crash; llama.cpp uses it to reject tools where they are not enabled.
DECLINES_BY_500 = re.compile(r"unsupported param|requires --\w", re.IGNORECASE)
#: What a chat template says of a message that it does not take, and a grammar of a schema.
RAISES = re.compile(r"jinja|template|grammar|\broles?\b", re.IGNORECASE)
#: Other names of parameters in error messages.
ALIASES = {
    "tools": r"tools?|function[ -]call(?:s|ing)?",
    "response_format": r"response[_ ]format|json[_ ](?:schema|object|mode)|structured outputs?",
}
NAMES_NOTHING = frozenset(("model", "messages"))
#: No more characters of an error are read.
MAX_READ = 4000


@dataclass(frozen=True)
class EndpointErrorBody:
    """An error as the endpoint reports it: message, codes, and the parameter it names."""

    message: str
    codes: tuple[str, ...] = ()
    param: str = ""

    @property
    def words(self) -> str:
        """The codes and the message, as far as they are read."""
        return " ".join((*self.codes, self.message))[:MAX_READ]

    @property
    def filtered(self) -> bool:
        """Whether a content filter reports the error."""
        return FILTER_CODE in self.codes or FILTERS.search(self.words) is not None


def error_text(exchange: Exchange) -> str:
    """The endpoint's own error message, whatever the shape of the body."""
    return read_error(exchange).message


def read_error(exchange: Exchange) -> EndpointErrorBody:
    """Read the error in the body of an exchange."""
    text = exchange.body.decode(errors="replace").strip()
    try:
        return stated(decode(text))
    except ValueError:
        return EndpointErrorBody(_plain(text))


def stated(document: Any) -> EndpointErrorBody:
    """Read an error from JSON, in the shape of OpenAI, vLLM, SGLang, TGI or FastAPI."""
    if not isinstance(document, dict):
        return EndpointErrorBody(str(document))
    error = document.get("error") or document
    if isinstance(error, str):
        return EndpointErrorBody(error, _texts(document.get("error_type"), document.get("code")))
    if not isinstance(error, dict):
        return EndpointErrorBody(str(error))
    message = error.get("message") or error.get("detail") or error.get("msg") or error
    codes = _texts(error.get("code"), error.get("type"), document.get("code"))
    return EndpointErrorBody(_sentence(message), codes, str(error.get("param") or ""))


def is_error(document: Mapping[str, Any]) -> bool:
    """Whether a document is an error rather than a reply."""
    if document.get("error") or document.get("object") == "error":
        return True
    return not document.get("choices") and ("message" in document or "detail" in document)


def declines(exchange: Exchange) -> bool:
    """Whether the endpoint does not take such a request; a content filter takes it, and says no.

    llama.cpp says so with a 500 where its template or its grammar raises an exception.
    """
    if exchange.fault is not None or read_error(exchange).filtered:
        return False
    raises = exchange.status == 500 and RAISES.search(read_error(exchange).words)
    return exchange.declined or bool(raises) or bool(unsupported_parameter(exchange))


def unsupported_parameter(exchange: Exchange) -> str:
    """The parameter of the request that the error names as unsupported; "" for none."""
    request = exchange.request
    if not isinstance(request, dict):
        return ""
    error = read_error(exchange)
    known = exchange.status in DECLINING and DECLINES.search(error.words)
    if not known and not (exchange.status == 500 and DECLINES_BY_500.search(error.words)):
        return ""
    blamed = error.param.rpartition("body.")[2].partition(".")[0]
    if blamed in request and blamed not in NAMES_NOTHING:
        return blamed
    return next((name for *_, name in sorted(_mentions(error.words, request))), "")


def _mentions(words: str, request: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """The parameters of a request that an error names, with their positions, the longest first."""
    for name in request.keys() - NAMES_NOTHING:
        names = ALIASES.get(name, re.escape(name).replace("_", "[-_ ]"))
        # Not after a backslash, for the `\n` of a quoted text is no parameter `n`.
        found = re.search(rf"(?<![\w\\])(?:{names})(?!\w)", words, re.IGNORECASE)
        if found:
            yield found.start(), -len(found[0]), name


def _sentence(message: Any) -> str:
    """A message as text; FastAPI sends a list of errors with their locations."""
    if isinstance(message, str):
        return message
    if not isinstance(message, list):
        return str(message)
    return "; ".join(_wrong(item) for item in message)


def _wrong(item: Any) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("loc"), list):
        return str(item)
    return f"{'.'.join(map(str, item['loc']))}: {item.get('msg')} ({item.get('type')})"


def _texts(*values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values if value)


def _plain(text: str) -> str:
    """The text of an HTML page, in which proxies report their own errors."""
    head = text[:MAX_READ]
    title = re.search(r"<title>([^<]+)", head, re.IGNORECASE)
    return " ".join((title[1] if title else re.sub(r"<[^<>]*>", " ", head)).split())
