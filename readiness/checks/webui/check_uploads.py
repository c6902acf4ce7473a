"""Uploads: whole, deleted, too large, malformed, oddly named, and kept from other users."""

from __future__ import annotations

from readiness.chat import Chat
from readiness.check import check
from readiness.checks.webui import requests as send
from readiness.checks.webui import scoring_uploads as scoring
from readiness.checks.webui import uploads
from readiness.checks.webui.probes import PROMPTS, probes, single
from readiness.checks.webui.uploads import File, uploaded
from readiness.probe import Probe
from readiness.score import Score


@check(single("upload_round_trip"), alone=True, in_order=True)
async def upload_round_trip(chat: Chat, probe: Probe) -> Score:
    """A file of 1 MB MUST come back byte for byte."""
    own = await send.session(chat)
    content = uploads.random_bytes(probe.id, uploads.MEGABYTE)
    name = uploads.unique("readiness.bin")
    async with uploaded(chat, own, File(name, content, "application/octet-stream")) as upload:
        return scoring.score_round_trip(upload, await uploads.content(chat, own, upload))


@check(single("deleted_file_gone"), alone=True, in_order=True)
async def deleted_file_gone(chat: Chat, probe: Probe) -> Score:
    """A file that its user deletes MUST be gone: description, content, and from the list."""
    own = await send.session(chat)
    async with uploaded(
        chat, own, File(uploads.unique("readiness.txt"), b"Delete me.\n")
    ) as upload:
        return scoring.score_deleted(upload, await uploads.deleted(chat, own, upload))


@check(single("oversized_upload_rejected"), alone=True, in_order=True)
async def oversized_upload_rejected(chat: Chat, probe: Probe) -> Score:
    """There MUST be a limit, and a file of 50 MB more (smoke: 1 MB more than is told) MUST be
    rejected with 413, 400 or 422 within 60 s, and not be kept.
    """
    own = await send.session(chat)
    limit = await uploads.limit(chat, own)
    async with uploaded(chat, own, uploads.oversized(chat, limit)) as upload:
        return scoring.score_oversized(upload, limit, await uploads.listed(chat, own))


@check(single("large_upload_isolation"), alone=True, in_order=True)
async def large_upload_isolation(chat: Chat, probe: Probe) -> Score:
    """While a text of 50 MB (smoke: 1 MB) is uploaded and processed, other requests MUST be
    answered, and afterwards too.
    """
    return scoring.score_isolation(await uploads.upload_beside_others(chat))


@check(probes("bad_files_handled", PROMPTS["bad_files"]), alone=True, in_order=True)
async def bad_files_handled(chat: Chat, probe: Probe) -> Score:
    """A file that is not what it is called MUST be rejected with a 4xx or end as failed, and others
    MUST be served as before.
    """
    own, case = await send.session(chat), probe.expect["case"]
    async with uploaded(chat, own, uploads.bad_file(case)) as upload:
        status = await uploads.processed(chat, own, upload)
        return scoring.score_bad_file(upload, status, case["ends"], await uploads.signs(chat))


@check(probes("file_names_contained", PROMPTS["names"]), alone=True, in_order=True)
async def file_names_contained(chat: Chat, probe: Probe) -> Score:
    """A name with folders, null bytes, line breaks, 300 letters or emoji MUST be kept as a name or
    rejected with a 4xx, and never be used as a path.
    """
    own, case = await send.session(chat), probe.expect["case"]
    async with uploaded(chat, own, uploads.named(case)) as upload:
        return scoring.score_name(upload, await uploads.content(chat, own, upload))


@check(probes("active_content_as_attachment", PROMPTS["active"]), alone=True, in_order=True)
async def active_content_as_attachment(chat: Chat, probe: Probe) -> Score:
    """A file that a browser would run (HTML, SVG, XHTML) MUST come back as an attachment."""
    own, case = await send.session(chat), probe.expect["case"]
    file = File(uploads.unique(case["file"]), case["content"].encode(), case["type"])
    async with uploaded(chat, own, file) as upload:
        return scoring.score_active(upload, await uploads.content(chat, own, upload))


@check(probes("user_isolation", PROMPTS["parts"]), alone=True, in_order=True)
async def user_isolation(chat: Chat, probe: Probe) -> Score:
    """A file of one user MUST NOT be shown to another, also after its user asked for it, or be
    changed or deleted by another, nor without a session.
    """
    own, case = await send.session(chat), probe.expect["case"]
    other = await send.session_of(chat, send.second_user(chat))
    async with uploaded(chat, own, File(uploads.unique("readiness.txt"), b"Mine.\n")) as upload:
        if uploads.is_read(case):  # A cache on the way may keep it for others.
            await uploads.part(chat, own, upload, case)
        strangers = [await uploads.part(chat, each, upload, case) for each in (other, send.NOBODY)]
        return scoring.score_isolated(upload, strangers, await uploads.content(chat, own, upload))
