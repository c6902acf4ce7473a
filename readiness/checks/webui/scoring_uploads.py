"""Scoring of uploads: what becomes of a file, and of others beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from urllib.parse import unquote

from readiness.checks.webui.requests import described
from readiness.checks.webui.uploads import OthersServed, Upload, ids_of, is_listed
from readiness.exchange import Exchange
from readiness.protocol.completion import lost
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.lateness import excuse_if_late
from readiness.scoring.rejection import HANGS

REJECTED = range(400, 500)
TOO_LARGE = (400, 413, 422)
#: What is kept from others is not there for them, or not allowed.
HIDDEN = (401, 403, 404, 405)
#: What a browser runs in the session of its user.
ACTIVE = ("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml")


def score_round_trip(upload: Upload, back: Exchange | None) -> Score:
    """Score whether a file comes back byte for byte."""
    if back is None:
        return _not_stored(upload)
    if missing := lost(back):
        return missing
    if back.status != 200:
        return failed("the file does not come back", described(back))
    return _score_bytes(upload, back)


def _score_bytes(upload: Upload, back: Exchange) -> Score:
    sent = upload.file.content
    if back.body == sent:
        return PASSED
    assert isinstance(sent, bytes)
    same = sum(1 for _ in takewhile(_are_equal, zip(sent, back.body, strict=False)))
    came = f"{len(back.body):,} of {len(sent):,} bytes, the first {same:,} as they were sent"
    return failed("the file comes back changed", came)


def _are_equal(pair: tuple[int, int]) -> bool:
    return pair[0] == pair[1]


def _not_stored(upload: Upload) -> Score:
    if missing := lost(upload.exchange):
        return missing
    return failed("a file is not accepted", described(upload.exchange))


def score_deleted(upload: Upload, after: Sequence[Exchange]) -> Score:
    """Score whether a deleted file is gone: its description, its content, and from the list."""
    if not upload.id:
        return _not_stored(upload)
    *parts, listed = after
    for each in parts:
        if each.status == 200:
            return failed("a deleted file is still there", described(each))
    if upload.id in ids_of(listed):
        return failed("a deleted file is still in the list")
    return PASSED


def score_oversized(upload: Upload, limit: int, listed: Exchange) -> Score:
    """Score a file above the limit of so many MB; 0 where there is none."""
    exchange, size = upload.exchange, f"{upload.file.size / 2**20:.0f} MB"
    if exchange.status is None and exchange.fault is not None:
        # Servers that refuse early close the connection, and the refusal may be lost with it.
        return scored(Outcome.UNDETERMINED, "no answer to a large file", described(exchange))
    if exchange.succeeded:
        limits = f"a limit of {limit} MB is told" if limit else "no limit is told"
        return failed(f"a file of {size} is accepted", limits)
    if exchange.status not in TOO_LARGE:
        return failed("a file above the limit is not rejected with 413", described(exchange))
    if exchange.seconds > HANGS:
        score = failed("a file above the limit is rejected late", f"after {exchange.seconds:.0f} s")
        return excuse_if_late(score, exchange.seconds - HANGS, exchange.seconds_late)
    if is_listed(upload.file, listed):
        return failed("a file above the limit is kept")
    return PASSED


def score_isolation(found: OthersServed) -> Score:
    """Score whether others are served before, beside and after a large upload."""
    if not found.upload.id:
        return _not_stored(found.upload)
    sent = {"before": found.before, "beside": found.during, "after": found.after}
    measures = [_slowest(when, each) for when, each in sent.items() if each]
    return _score_others(found).measured(*measures)


def _slowest(when: str, sent: Sequence[Exchange]) -> Measure:
    seconds = max(each.seconds for each in sent)
    return Measure(f"slowest other request {when}", seconds, "s", of=len(sent))


def _score_others(found: OthersServed) -> Score:
    if any(not each.succeeded for each in found.before):
        return scored(Outcome.UNDETERMINED, "others are not served before, either")
    for when, sent in (("beside", found.during), ("after", found.after)):
        if lost_ones := [each for each in sent if not each.succeeded]:
            came = f"{len(lost_ones)} of {len(sent)}: {described(lost_ones[0])}"
            return failed(f"others are not served {when} a large upload", came)
    if not found.status:
        return failed("the processing of a large text does not end")
    if not found.during:
        return scored(Outcome.UNDETERMINED, "no request was sent beside the upload")
    return PASSED


def score_bad_file(
    upload: Upload, status: str, ends: Sequence[str], signs: Sequence[Exchange]
) -> Score:
    """Score a file that is not what it is called, by how it ends and by what it leaves."""
    for each in signs:
        if each.status != 200:
            return failed("others are not served after a bad file", described(each))
    if missing := lost(upload.exchange):
        return missing
    if upload.exchange.status in REJECTED:
        return PASSED
    if not upload.id:
        return failed("a bad file is not rejected with a 4xx", described(upload.exchange))
    if not status:
        return failed("the processing of a bad file does not end")
    if status not in ends:
        return failed(f"a bad file ends as {status}", f"and not as {' or '.join(ends)}")
    return PASSED


def score_name(upload: Upload, back: Exchange | None) -> Score:
    """Score what became of an odd name."""
    if missing := lost(upload.exchange):
        return missing
    if back is None:
        if upload.exchange.status in REJECTED:
            return PASSED
        return failed("an odd name is not rejected with a 4xx", described(upload.exchange))
    if back.status != 200 or back.body != upload.file.content:
        return failed("a file with an odd name does not come back", described(back))
    names = [upload.name, unquote(_stated_name(back))]
    paths = [each for each in names if "/" in each or "\0" in each or "\n" in each]
    return failed("a name is kept as a path", f"{paths[0]!r:.80}") if paths else PASSED


def _stated_name(exchange: Exchange) -> str:
    """The name in Content-Disposition (RFC 6266); "" where it states none."""
    stated = exchange.headers.get("content-disposition", "")
    return stated.partition("filename")[2].partition("=")[2].partition("''")[2] or stated.partition(
        "filename="
    )[2].strip('"')


def score_active(upload: Upload, back: Exchange | None) -> Score:
    """Score how a file comes back that a browser would run."""
    if back is None:
        rejected = upload.exchange.status in REJECTED
        return PASSED if rejected else _not_stored(upload)
    if missing := lost(back):
        return missing
    kind = back.headers.get("content-type", "").partition(";")[0].strip().lower()
    attached = back.headers.get("content-disposition", "").strip().lower().startswith("attachment")
    if back.status != 200 or attached or kind not in ACTIVE:
        return PASSED
    return failed("a file that browsers run is shown", f"as {kind}, and not as an attachment")


def score_isolated(upload: Upload, others: Sequence[Exchange], own: Exchange | None) -> Score:
    """Score what others are shown of a file: another user, and nobody."""
    if own is None:
        return _not_stored(upload)
    for who, each in zip(("another user", "a stranger"), others, strict=True):
        if missing := lost(each):
            return missing
        is_list = each.method == "GET" and not each.path.startswith(upload.path)
        if is_list and upload.id in ids_of(each):
            return failed(f"a user's file is in the list of {who}", described(each))
        if each.status not in HIDDEN and not (is_list and who == "another user"):
            asked = f"{each.method} of a user's file"
            return failed(f"{asked} is answered to {who}", described(each))
    if own.status != 200 or own.body != upload.file.content:
        return failed("a file is gone after others asked for it", described(own))
    return PASSED
