"""`readiness show`: a run's matrix, a check's trials, or one exchange, from record and evidence."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from readiness.cli.options import near
from readiness.evidence import run_folder
from readiness.evidence.log import (
    REPEAT,
    EvidenceIntegrityError,
    entries,
    exchange_of,
    read_exchanges,
)
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.run_folder import EVIDENCE, RECORD, FolderError
from readiness.exchange import NS, Exchange, Server
from readiness.protocol import completion
from readiness.reply import Reply
from readiness.reporters.outcome import print_verdict
from readiness.reporters.terminal import console, print_matrix
from readiness.score import EndpointError, Outcome
from readiness.transport.address import API_KEY_VARIABLE

MAX_TRIALS = 3  # that are shown of a check, where not all are asked for
MAX_TEXT = 4_000  # characters of one text
#: A longer request is piped: the command line would be unreadable.
MAX_BODY = 2_000
USAGE = 2

#: A line of evidence: its header, a trial or an exchange.
Entry = Mapping[str, Any]


def show(argv: Sequence[str]) -> int:
    """Print a run, or a part of it; 2 where there is none."""
    options = _parser().parse_args(argv)
    try:
        for line in _lines(options):
            print(line)
    except BrokenPipeError:
        # Whoever reads has seen enough, as `head` has; what is left is written to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (FolderError, EvidenceIntegrityError, LookupError, OSError) as error:
        print(escape_unprintable(str(error)), file=sys.stderr)
        return USAGE
    return 0


def _lines(options: argparse.Namespace) -> Iterator[str]:
    run, what = options.run, options.what
    if not (run / EVIDENCE).exists():
        raise LookupError(
            f"{run} has no {EVIDENCE}: name the folder of a run, as in reports/latest"
        )
    if not what:
        _print_matrix(run)
        yield f"a check's trials: readiness show {run} CHECK; an exchange: readiness show {run} N"
    elif not what.isdecimal():
        yield from _check(run, what, all_of_them=options.all)
    elif options.request:
        yield json.dumps(_entry(run, int(what))["request"])
    else:
        header, trials = _read(run)
        seq = int(what)
        its = [each for each in trials if seq in each["exchanges"]]
        yield from (f"{each['check']} {_told(each)}" for each in its)
        yield from exchange_lines(_entry(run, seq), header, run)


def _print_matrix(run: Path) -> None:
    if (run / RECORD).exists():
        screen, record = console(), run_folder.read(run)
        print_matrix(screen, record)
        print_verdict(screen, record)


def _read(run: Path) -> tuple[Entry, list[Entry]]:
    """The header of the evidence, and the entries of all trials."""
    header: Entry = {}
    trials: list[Entry] = []
    for entry, _ in entries(run / EVIDENCE):
        if entry["kind"] == "trial":
            trials.append(entry)
        header = header or entry
    return header, trials


def _entry(run: Path, seq: int) -> Entry:
    """The entry of an exchange."""
    found = read_exchanges(run / EVIDENCE, [seq])
    if seq not in found:
        raise LookupError(f"{run} has no exchange {seq}")
    return found[seq]


def _check(run: Path, check: str, *, all_of_them: bool) -> Iterator[str]:
    """The trials of a check that did not pass, or else the first that did, with what was said."""
    header, trials = _read(run)
    # One that was skipped, and made when the run was resumed, is there twice.
    latest = {
        (each["trial"], each.get(REPEAT, False)): each for each in trials if each["check"] == check
    }
    of_check = [latest[number] for number in sorted(latest)]
    if not of_check:
        known = dict.fromkeys(each["check"] for each in trials)
        if of_dimension := sorted(each for each in known if each.startswith(f"{check}.")):
            raise LookupError(f"{check} is a dimension: name one of {', '.join(of_dimension)}")
        raise LookupError(f"{run} has no trial of {check}{near(check, known)}")
    made = [each for each in of_check if each["outcome"] != Outcome.SKIPPED]
    lost = [each for each in made if each["outcome"] != Outcome.PASS]
    others = f", {left} not made" if (left := len(of_check) - len(made)) else ""
    yield f"{check}: {len(lost)} of {len(made)} trials did not pass{others}"
    shown = of_check if all_of_them else (lost or of_check)[:MAX_TRIALS]
    wanted = {each["exchanges"][-1] for each in shown if each["exchanges"]}
    found = read_exchanges(run / EVIDENCE, wanted)
    for trial in shown:
        yield ""
        yield _told(trial)
        if trial["exchanges"]:
            yield from exchange_lines(found[trial["exchanges"][-1]], header, run)
    if more := len(lost) - len(shown):
        yield from ("", f"{more} more: --all shows every trial") if more > 0 else ()


def _told(trial: Entry) -> str:
    """A trial's outcome, its reason and its exchanges."""
    reason = f": {trial['reason']}" if trial["reason"] else ""
    exchanges = ", ".join(map(str, trial["exchanges"])) or "none"
    text = f"{trial['probe']}: {trial['outcome']}{reason} (exchanges: {exchanges})"
    return escape_unprintable(text)


def exchange_lines(entry: Entry, header: Entry, run: Path) -> Iterator[str]:
    """An exchange as lines: the request, what came, and a command that sends it again."""
    exchange = exchange_of(entry)
    to_webui = entry.get("server") == Server.WEBUI
    address = header["machine"]["webui"] if to_webui else header["endpoint"]
    path = exchange.path.removeprefix("/..")  # Beside the base URL, not below it.
    yield f"--- exchange {exchange.seq}: {exchange.method} {path}"
    yield from _request_lines(exchange.request)
    yield f"--- {_status(exchange)} after {exchange.end / NS:.2f} s"
    yield from _response_lines(exchange)
    yield "--- again"
    yield command(exchange, address, run)


def _request_lines(request: Any) -> Iterator[str]:
    """The messages of a request one by one, and its other parameters as JSON."""
    messages = request.get("messages") if isinstance(request, dict) else None
    if not isinstance(messages, list):
        yield from _text("", json.dumps(request, ensure_ascii=False))
        return
    others = {name: value for name, value in request.items() if name != "messages"}
    yield from _text("", json.dumps(others, ensure_ascii=False))
    for message in messages:
        rest = dict(message) if isinstance(message, dict) else {"content": message}
        role, content = rest.pop("role", "message"), rest.pop("content", None)
        said = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        yield from _text(f"{role}: ", said if content is not None else "")
        if rest:
            yield from _text("    ", json.dumps(rest, ensure_ascii=False))


def _status(exchange: Exchange) -> str:
    if exchange.fault is not None:
        return f"{exchange.fault}: {escape_unprintable(exchange.detail)}"
    return f"HTTP {exchange.status}"


def _response_lines(exchange: Exchange) -> Iterator[str]:
    """A reply as it was read, or else the body as it came."""
    try:
        reply = completion.read_recorded(exchange)
    except EndpointError:
        yield from _text("", exchange.body.decode("utf-8", "replace"))
        return
    yield from _reply_lines(reply)


def _reply_lines(reply: Reply) -> Iterator[str]:
    if reply.reasoning:
        yield from _text("reasoning: ", reply.reasoning)
    if reply.text or not reply.tool_calls:
        yield from _text("assistant: ", reply.text)
    for call in reply.tool_calls:
        yield from _text("call: ", f"{call.name}({call.arguments})")
    usage = f", {reply.usage.prompt} + {reply.usage.completion} tokens" if reply.usage else ""
    yield escape_unprintable(f"finish_reason: {reply.finish or 'none'}{usage}")


def _text(before: str, text: str) -> Iterator[str]:
    """A hostile text on lines of its own, each escaped, cut where it is long."""
    cut = text[:MAX_TEXT]
    for number, line in enumerate(cut.splitlines() or [""]):
        yield f"{before if not number else '    '}{escape_unprintable(line)}"
    if more := len(text) - len(cut):
        yield f"    … {more:,} more characters"


def command(exchange: Exchange, endpoint: str, run: Path) -> str:
    """A command line of curl that sends an exchange again; the key is the shell's variable."""
    url = urljoin(f"{endpoint}/", exchange.path.removeprefix("/"))
    words = ["curl", "-sS", shlex.quote(url)]
    if exchange.method != "POST":
        words += ["-X", shlex.quote(exchange.method)]
    if exchange.keyed:
        words += ["-H", f'"Authorization: Bearer ${API_KEY_VARIABLE}"']
    if exchange.request is None:
        return " ".join(words)
    words += ["-H", "'Content-Type: application/json'"]
    body = json.dumps(exchange.request)
    if len(body) <= MAX_BODY:
        return " ".join([*words, "-d", shlex.quote(body)])
    piped = f"readiness show {shlex.quote(str(run))} {exchange.seq} --request | "
    return piped + " ".join([*words, "--data-binary", "@-"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness show", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="CHECK|N",
        help="the id of a check, or the number of an exchange",
    )
    parser.add_argument("--all", action="store_true", help="every trial, passed ones included")
    parser.add_argument("--request", action="store_true", help="the exchange's request as JSON")
    return parser
