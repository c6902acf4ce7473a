"""Uploads: files that are sent, looked at, and deleted however their check ends."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from secrets import token_hex
from typing import Any

from readiness.chat import Chat
from readiness.checks.webui.probes import PROMPTS
from readiness.checks.webui.requests import WHO, Session, delete, get, send, session, until
from readiness.exchange import Call, Exchange, Repeated
from readiness.load.latency import require_not_limited
from readiness.score import EndpointError, Outcome
from readiness.scoring.rejection import document

FILES = "/api/v1/files/"
MEGABYTE = 2**20
BOUNDARY = "readiness-5f0c9a7d41"
#: How long what was created may take to be found and deleted, in seconds.
CLEAN_UP = 20.0
#: The pauses before each look for what an interrupted upload has left, in seconds.
PAUSES = (0.0, 1.0, 2.0)
#: How long the processing of a file may take, in seconds.
PROCESSING = 300.0
ENDED = ("completed", "failed")
#: The size of a large file in MB, and in a run that shows defects only; the largest limit tried.
LARGE, SMALL, LARGEST_LIMIT = 50, 1, 500
TOO_LARGE = 413
#: The other users beside a large upload, and how long each waits after a request, in seconds.
OTHERS, PAUSE = 2, 0.1
LINE = str(PROMPTS["line"])
#: How far a large file stays below the limit, in bytes.
MARGIN = 4096


@dataclass(frozen=True)
class File:
    """A file to upload.

    Args:
        name: Its name.
        content: Its bytes; a large text by its repeated line.
        type: Its media type.
        process: Whether its text is to be extracted.
    """

    name: str
    content: bytes | Repeated
    type: str = "text/plain"
    process: bool = False

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.content.size if isinstance(self.content, Repeated) else len(self.content)


@dataclass(frozen=True)
class Upload:
    """A file that was sent.

    Args:
        file: The file.
        exchange: The upload and its response.
        id: The id that it was given; "" where it was refused.
        name: The name that it was given.
    """

    file: File
    exchange: Exchange
    id: str
    name: str

    @property
    def path(self) -> str:
        """The path of its description."""
        return f"{FILES}{self.id}"


def text_of(size: int, line: str) -> Repeated:
    """A text of at least so many bytes, of one line that is repeated."""
    return Repeated("", line, -(-size // len(line.encode())), "")


def random_bytes(seed: str, size: int) -> bytes:
    """Bytes that no text has: every value, and line ends of every kind."""
    return Random(seed).randbytes(size)


def unique(name: str) -> str:
    """A name that no other upload has."""
    stem, dot, end = name.rpartition(".")
    return f"{stem}-{token_hex(6)}{dot}{end}" if stem else f"{name}-{token_hex(6)}"


@asynccontextmanager
async def uploaded(chat: Chat, own: Session, file: File) -> AsyncIterator[Upload]:
    """Upload a file; when the context ends, it is deleted, also after an interrupt.

    Raises:
        EndpointError: There is no web interface, or a limiter refuses.
    """
    found: Upload | None = None
    try:
        found = _read(file, await send(chat, _call(file), own))
        require_not_limited(found.exchange)
        yield found
    finally:
        if found and found.id:
            await _delete(chat, own, found.id)
        else:
            refused = found and not found.exchange.fault and not found.exchange.succeeded
            await _delete_unheard(chat, own, file, PAUSES[:1] if refused else PAUSES)


async def _delete_unheard(chat: Chat, own: Session, file: File, pauses: Sequence[float]) -> None:
    """Delete what an upload has left that was stored without our hearing of it."""
    for pause in pauses:
        await asyncio.sleep(pause)
        with suppress(EndpointError):
            for each in _items(await listed(chat, own)):
                if _is(file, each):
                    await _delete(chat, own, str(each.get("id")))


def _is(file: File, item: Mapping[str, Any]) -> bool:
    """Whether a file of the list is the one that was sent: by its name, and by its size."""
    name, meta = item.get("filename"), item.get("meta")
    size = meta.get("size") if isinstance(meta, dict) else None
    return isinstance(name, str) and file.name.endswith(name) and size == file.size


async def _delete(chat: Chat, own: Session, name: str) -> None:
    with suppress(EndpointError, TimeoutError):
        async with asyncio.timeout(CLEAN_UP):
            await delete(chat, f"{FILES}{name}", own)


async def listed(chat: Chat, own: Session) -> Exchange:
    """The list of the user's newest files."""
    return await get(chat, f"{FILES}?content=false", own)


def is_listed(file: File, exchange: Exchange) -> bool:
    """Whether a list has a file, by its name, which no other has."""
    return any(each.get("filename") == file.name for each in _items(exchange))


def ids_of(exchange: Exchange) -> frozenset[str]:
    """The ids in a list of files."""
    return frozenset(str(each.get("id")) for each in _items(exchange))


def _items(exchange: Exchange) -> list[Mapping[str, Any]]:
    told = document(exchange)
    items = told.get("items") if isinstance(told, dict) else told
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _read(file: File, exchange: Exchange) -> Upload:
    told = document(exchange)
    known = told if isinstance(told, dict) and exchange.succeeded else {}
    return Upload(file, exchange, str(known.get("id", "")), str(known.get("filename", "")))


def _call(file: File) -> Call:
    """The upload of a file as a browser sends it (RFC 7578)."""
    name = file.name.replace('"', "%22")
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {file.type}\r\n\r\n"
    )
    tail = f"\r\n--{BOUNDARY}--\r\n"
    content, path = file.content, f"{FILES}?process={json.dumps(file.process)}"
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if isinstance(content, Repeated):
        body: bytes | Repeated = Repeated(head, content.part, content.times, tail)
    else:
        body = head.encode() + content + tail.encode()
    return Call(body, path, headers=headers)


async def processed(chat: Chat, own: Session, upload: Upload) -> str:
    """How the processing of a file ended; "" where it did not, or the file was refused."""
    if not upload.id:
        return ""
    ask = partial(get, chat, f"{upload.path}/process/status", own)
    last = await until(ask, _is_last, PROCESSING)
    return _status(last) if _is_last(last) else ""


def _is_last(exchange: Exchange) -> bool:
    return exchange.status != 200 or _status(exchange) in ENDED


def _status(exchange: Exchange) -> str:
    told = document(exchange)
    return str(told.get("status", "")) if isinstance(told, dict) else ""


async def limit(chat: Chat, own: Session) -> int:
    """The largest file that may be uploaded, in MB; 0 where no limit is told."""
    told = document(await get(chat, "/api/config", own))
    found = told.get("file", {}) if isinstance(told, dict) else {}
    size = found.get("max_size") if isinstance(found, dict) else None
    return size if isinstance(size, int) else 0


async def content(chat: Chat, own: Session, upload: Upload) -> Exchange | None:
    """The content of a file as it comes back; None where the file was refused."""
    return await get(chat, f"{upload.path}/content", own) if upload.id else None


async def part(chat: Chat, by: Session, upload: Upload, case: Mapping[str, Any]) -> Exchange:
    """A request for a part of a file, for its change or deletion, or for a list of files."""
    path = case["list"] if "list" in case else upload.path + case["path"]
    method = "POST" if "body" in case else case.get("method", "GET")
    return require_not_limited(await send(chat, Call(case.get("body"), path, method), by))


def is_read(case: Mapping[str, Any]) -> bool:
    """Whether a request changes nothing."""
    return "body" not in case and "method" not in case


async def deleted(chat: Chat, own: Session, upload: Upload) -> Sequence[Exchange]:
    """What comes of a file after its user has deleted it: its description, content, and the list.

    The status of the deletion itself tells nothing: without a vector database, Open WebUI 0.12
    answers 400 though the file is gone.
    """
    await delete(chat, upload.path, own)
    paths = (upload.path, f"{upload.path}/content", f"{FILES}?content=false")
    return [await get(chat, each, own) for each in paths]


def oversized(chat: Chat, limit: int) -> File:
    """A file above the limit in MB; 0 where none is told.

    Raises:
        EndpointError: The limit is so large that it is not tried.
    """
    if limit > LARGEST_LIMIT:
        raise EndpointError(
            "the limit is too large to be tried", Outcome.UNSUPPORTED, came=f"{limit} MB"
        )
    # Where no limit is told, a gateway may have one: that 1 MB is accepted shows nothing.
    more = SMALL if limit and chat.context.defects_only else LARGE
    return File(unique("readiness.txt"), text_of((limit + more) * MEGABYTE, LINE))


def bad_file(case: Mapping[str, Any]) -> File:
    """A file that is not what it is called."""
    made = {"text": b"This is a line of text.\n", "nothing": b"", "random": random_bytes("", 4096)}
    archive = {"cut_archive": partial(_archive, 1), "large_archive": partial(_archive, 64)}
    kind = case["make"]
    data = made[kind] if kind in made else archive[kind]()
    data = data[: len(data) // 2] if kind == "cut_archive" else data
    return File(case["file"] and unique(case["file"]), data, case["type"], process=True)


@cache
def _archive(megabytes: int) -> bytes:
    """A document that is a ZIP archive of so many MB of zeros: in all, a thousandth of that."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(megabytes * MEGABYTE))
    return written.getvalue()


def named(case: Mapping[str, Any]) -> File:
    """A file with an odd name."""
    return File(case["file"] * case.get("times", 1), b"A file with an odd name.\n")


async def signs(chat: Chat) -> Sequence[Exchange]:
    """What shows that the web interface serves others: the account, and the models."""
    own = await session(chat)
    return [await get(chat, path, own) for path in (WHO, "/api/models")]


@dataclass(frozen=True)
class OthersServed:
    """What became of other requests beside a large upload.

    Args:
        upload: The large file.
        status: How its processing ended; "" where it did not.
        before: The other requests before it.
        during: Those beside it.
        after: Those after it.
    """

    upload: Upload
    status: str
    before: Sequence[Exchange]
    during: Sequence[Exchange]
    after: Sequence[Exchange]


async def upload_beside_others(chat: Chat) -> OthersServed:
    """Upload a large text, and send other requests before, beside and after it.

    Raises:
        EndpointError: There is no session, or the text is above a limit that is not told.
    """
    own = await session(chat)
    told = await limit(chat, own)
    size = min(told or LARGE, SMALL if chat.context.defects_only else LARGE)
    file = File(unique("readiness.txt"), text_of(size * MEGABYTE - MARGIN, LINE), process=True)
    before = [each for _ in range(OTHERS) for each in await signs(chat)]
    ended, during = asyncio.Event(), list[Exchange]()
    users = [asyncio.ensure_future(_others(chat, ended, during)) for _ in range(OTHERS)]
    try:
        async with uploaded(chat, own, file) as upload:
            status = await processed(chat, own, upload)
    finally:
        ended.set()
        await asyncio.gather(*users)
    if upload.exchange.status == TOO_LARGE and not told:
        raise EndpointError("a large text is above a limit that is not told", Outcome.UNDETERMINED)
    after = [each for _ in range(OTHERS) for each in await signs(chat)]
    return OthersServed(upload, status, before, during, after)


async def _others(chat: Chat, ended: asyncio.Event, sent: list[Exchange]) -> None:
    """One of the other users: one request after another until the upload has ended."""
    while not ended.is_set():
        sent += await signs(chat)
        await asyncio.sleep(PAUSE)
