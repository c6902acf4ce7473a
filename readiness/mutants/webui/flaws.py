"""Flaws of the web interface: what is open, sessions, streams and uploads."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

from aiohttp import web

from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.flaw import Flaw
from readiness.mutants.webui import tokens
from readiness.mutants.webui.interface import (
    WEEK,
    Interface,
    StoredFile,
    User,
    bearer,
    frames,
    told,
)

SHORT = 2  # seconds
CHUNK = (
    b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"%s","choices":'
    b'[{"index":0,"delta":{"content":"7, "},"finish_reason":null}]}' % MODEL.encode()
)
ERROR = b'{"error":{"message":"Chat completion stream failed"}}'


class WithoutVersion(Interface):
    async def version(self, _request: web.Request) -> web.Response:
        return told({"deployment_id": ""})


class Unhealthy(Interface):
    async def health(self, _request: web.Request) -> web.Response:
        return told({"status": False}, 503)


class ModelsOpen(Interface):
    async def models(self, request: web.Request) -> web.Response:
        return told({"data": [{"id": MODEL, "object": "model", "name": MODEL}]})


class ChatOpen(Interface):
    async def chat(self, request: web.Request) -> web.StreamResponse:
        return await self.complete(request)


class EngineOpen(Interface):
    """A gateway in front leads the engine's path to it, for whoever comes."""

    async def engine_models(self, _request: web.Request) -> web.Response:
        return told({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


class ProviderOpen(Interface):
    async def models(self, request: web.Request) -> web.Response:
        if request.path.endswith("/openai/models"):
            return told({"data": [{"id": MODEL, "object": "model", "name": MODEL}]})
        return await super().models(request)


class SettingsOpen(Interface):
    async def settings(self, request: web.Request) -> web.Response:
        return told({"ENABLE_SIGNUP": self.sign_up_open})


class WithoutAuthentication(Interface):
    authenticates = False

    async def sign_in(self, request: web.Request) -> web.Response:
        return self.session_of(self.users[-1])


class EmptySignIn(Interface):
    async def sign_in(self, request: web.Request) -> web.Response:
        given = await request.json()
        return await super().sign_in(request) if given["email"] else self.session_of(self.users[-1])


class WithoutAdministrator(Interface):
    onboarding = True


class SignUpOpenBehind(Interface):
    def lets_sign_up(self) -> bool:
        return True


class SignUpOpen(Interface):
    sign_up_open = True


class NewcomersAdmitted(Interface):
    sign_up_open = True
    new_role = "user"


class SignInFails(Interface):
    def issue(self, user: User) -> str:
        raise web.HTTPInternalServerError


class UnknownAccountsTold(Interface):
    def wrong_password(self, known: User | None) -> web.Response:
        return super().wrong_password(known) if known else told({"detail": "No such user."}, 400)


class WrongPasswordFails(Interface):
    def wrong_password(self, known: User | None) -> web.Response:
        return told({"detail": "Error"}, 500) if known else super().wrong_password(known)


class EndlessSession(Interface):
    session_seconds = None


class FourWeeks(Interface):
    session_seconds = 28 * 86_400


class OtherEndTold(Interface):
    def told_end(self, token: str) -> int | None:
        return int(time.time()) + 30 * 86_400


class MinutesOnly(Interface):
    session_seconds = 300


class ShortSessions(Interface):
    """Sessions of two seconds, and streams that last longer."""

    session_seconds = SHORT

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.admit(request)
        end = CHUNK.replace(b"null", b'"stop"')
        return await frames(request, [CHUNK] * 24 + [end, b"[DONE]"], pause=0.1)


class ExpiredAccepted(ShortSessions):
    def is_over(self, token: str) -> bool:
        return False


class ExpiredFails(ShortSessions):
    def user_of(self, token: str) -> User | None:
        if token and self.is_over(token):
            raise web.HTTPInternalServerError
        return super().user_of(token)


class StreamEndsWithSession(ShortSessions):
    async def chat(self, request: web.Request) -> web.StreamResponse:
        token = bearer(request)
        self.admit(request)
        response = await frames(request, [CHUNK])
        while not self.is_over(token):
            await response.write(b"data: " + CHUNK + b"\n\n")
            await asyncio.sleep(0.1)
        return response


class AlgorithmNone(Interface):
    def trusts(self, token: str) -> bool:
        return super().trusts(token) or tokens.algorithm_of(token) == "none"


class AnyKey(Interface):
    def trusts(self, token: str) -> bool:
        whole = len(token.rpartition(".")[2]) == 43  # A digest of 32 bytes in base64.
        return super().trusts(token) or (whole and not self.is_changed(token))

    def is_changed(self, token: str) -> bool:
        end: int = tokens.claims_of(token).get("exp", 0)
        return end > time.time() + WEEK


class CutSignature(Interface):
    def trusts(self, token: str) -> bool:
        return super().trusts(token) or tokens.begins_as_signed(token)


class ClaimsUnsigned(Interface):
    def __init__(self) -> None:
        super().__init__()
        self.signatures: set[str] = set()

    def issue(self, user: User) -> str:
        token = super().issue(user)
        self.signatures.add(token.rpartition(".")[2])
        return token

    def trusts(self, token: str) -> bool:
        return token.rpartition(".")[2] in self.signatures


class KnownKey(Interface):
    """The key of the sessions is the one that Open WebUI had by default."""

    KEY = b"t0p-s3cr3t"

    def issue(self, user: User) -> str:
        return tokens.issue(tokens.claims_of(super().issue(user)), self.KEY)

    def trusts(self, token: str) -> bool:
        return tokens.is_signed(token, self.KEY)


class SignOutForgotten(Interface):
    async def sign_out(self, request: web.Request) -> web.Response:
        return told({"status": True})


class LinesEndChanged(Interface):
    def kept(self, stored: StoredFile) -> bytes:
        return stored.data.replace(b"\r\n", b"\n")


class LastBlockLost(Interface):
    def kept(self, stored: StoredFile) -> bytes:
        large = len(stored.data) > 2**16
        return stored.data[: -(len(stored.data) % 2**16 or 2**16)] if large else stored.data


class DeletedKept(Interface):
    def forget(self, stored: StoredFile) -> None:
        return


class DeletedListed(Interface):
    def __init__(self) -> None:
        super().__init__()
        self.gone: list[StoredFile] = []

    def forget(self, stored: StoredFile) -> None:
        super().forget(stored)
        self.gone.append(stored)

    async def list_files(self, request: web.Request) -> web.Response:
        user = self.admit(request)
        kept = [*self.files.values(), *self.gone]
        own = [each.described() for each in kept if each.owner is user]
        return told({"items": own, "total": len(own)})


class Unlimited(Interface):
    limit = None


class LimitIgnored(Interface):
    def too_large(self, user: User, name: str, data: bytes) -> web.Response:
        return told(self.store(user, name, "text/plain", data).described())


class TooLargeFails(Interface):
    def too_large(self, user: User, name: str, data: bytes) -> web.Response:
        return told({"detail": "Internal Server Error"}, 500)


class KeptThoughTooLarge(Interface):
    def too_large(self, user: User, name: str, data: bytes) -> web.Response:
        self.store(user, name, "text/plain", data)
        return super().too_large(user, name, data)


class OthersRefusedBeside(Interface):
    """While a large file is processed, others are told that the server is busy."""

    busy = False

    async def process(self, stored: StoredFile) -> None:
        self.busy = len(stored.data) > 2**19
        await asyncio.sleep(0.3 if self.busy else 0)
        self.busy = False
        await super().process(stored)

    async def account(self, request: web.Request) -> web.Response:
        return told({"detail": "busy"}, 503) if self.busy else await super().account(request)


class OthersRefusedAfter(Interface):
    """After a large file, the next requests are told that the server is busy."""

    refusing = 0

    async def process(self, stored: StoredFile) -> None:
        await super().process(stored)
        self.refusing = 2 if len(stored.data) > 2**19 else 0

    async def account(self, request: web.Request) -> web.Response:
        self.refusing -= 1
        return await super().account(request) if self.refusing < 0 else told({}, 503)


class AnyPdfCompleted(Interface):
    async def process(self, stored: StoredFile) -> None:
        if stored.type != "application/pdf" or self.readable(stored):
            await super().process(stored)
        else:
            stored.status = "completed"


class BadArchiveFails(Interface):
    async def process(self, stored: StoredFile) -> None:
        if "officedocument" in stored.type and not self.readable(stored):
            self.forget(stored)
            raise web.HTTPInternalServerError
        await super().process(stored)


class NameIsPath(Interface):
    def kept_name(self, name: str) -> str:
        return name or "file"


class LongNameFails(Interface):
    def kept_name(self, name: str) -> str:
        if len(name.encode()) > 255:
            raise web.HTTPInternalServerError
        return super().kept_name(name)


class ShownInline(Interface):
    def disposition(self, stored: StoredFile) -> dict[str, str]:
        return {"Content-Disposition": f"inline; filename*=UTF-8''{quote(stored.name)}"}


class FilesShared(Interface):
    def shows(self, stored: StoredFile, user: User) -> bool:
        return True


class ContentOpen(Interface):
    def found(self, request: web.Request) -> StoredFile:
        stored = self.files.get(request.match_info["id"])
        if request.path.endswith("/data/content") and stored:
            return stored
        return super().found(request)


class CachedForAll(Interface):
    """A cache in front has the files' contents by their paths, whoever asks."""

    def __init__(self) -> None:
        super().__init__()
        self.cached: dict[str, bytes] = {}

    async def content(self, request: web.Request) -> web.Response:
        if request.path in self.cached:
            return web.Response(body=self.cached[request.path])
        response = await super().content(request)
        assert isinstance(response.body, bytes)
        self.cached[request.path] = response.body
        return response


class OpenByName(Interface):
    async def content(self, request: web.Request) -> web.Response:
        stored = self.files.get(request.match_info["id"])
        if "name" in request.match_info and stored:
            return web.Response(body=stored.data)
        return await super().content(request)


class ListsAll(Interface):
    async def list_files(self, request: web.Request) -> web.Response:
        self.admit(request)
        every = [each.described() for each in self.files.values()]
        return told({"items": every, "total": len(every)})


class SearchesAll(Interface):
    async def search(self, request: web.Request) -> web.Response:
        self.admit(request)
        return told([each.described() for each in self.files.values()])


class StrangerChanges(Interface):
    async def rewrite(self, request: web.Request) -> web.Response:
        self.admit(request)
        return told({"content": (await request.json())["content"]})


class StrangerDeletes(Interface):
    async def delete_file(self, request: web.Request) -> web.Response:
        self.files.pop(request.match_info["id"], None)
        return told({"message": "File deleted successfully"})


class StreamCutAsDone(Interface):
    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.admit(request)
        return await frames(request, [CHUNK] * 5 + [ERROR, b"[DONE]"])


class StreamCut(Interface):
    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.admit(request)
        return await frames(request, [CHUNK] * 5)


class ChatFails(Interface):
    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.admit(request)
        raise web.HTTPInternalServerError(text="Open WebUI: Server Connection Error")


def _flaw(name: str, check: str, about: str, webui: type[Interface], *, told: bool = False) -> Flaw:
    """A flaw of the interface; `deployment` sees it, too, where the settings tell it."""
    elsewhere = ("deployment",) if told else ()
    return Flaw(f"webui_{name}", about, f"webui.{check}", webui=webui, elsewhere=elsewhere)


FLAWS = [
    _flaw("without_version", "version_and_health", "no version is told", WithoutVersion),
    _flaw("unhealthy", "version_and_health", "its health is 503", Unhealthy),
    _flaw("models_open", "authentication_required", "strangers see the models", ModelsOpen),
    _flaw("chat_open", "authentication_required", "strangers may chat", ChatOpen),
    _flaw("engine_open", "authentication_required", "the engine's path is open", EngineOpen),
    _flaw("provider_open", "authentication_required", "the provider's path is open", ProviderOpen),
    _flaw("settings_open", "authentication_required", "strangers see settings", SettingsOpen),
    _flaw(
        "auth_off",
        "authentication_enabled",
        "WEBUI_AUTH=false: whoever comes is the administrator",
        WithoutAuthentication,
    ),
    _flaw("empty_sign_in", "authentication_enabled", "an empty sign-in is one", EmptySignIn),
    _flaw(
        "without_administrator",
        "administrator_exists",
        "the first to sign up becomes administrator",
        WithoutAdministrator,
        told=True,
    ),
    _flaw(
        "sign_up_open_behind",
        "closed_sign_up_rejected",
        "sign-up is said to be closed, and is open",
        SignUpOpenBehind,
    ),
    _flaw("sign_up_open", "sign_up_closed", "sign-up is open", SignUpOpen, told=True),
    _flaw(
        "newcomers_admitted",
        "newcomer_has_no_access",
        "DEFAULT_USER_ROLE=user: who signs up is let in at once",
        NewcomersAdmitted,
        told=True,
    ),
    _flaw("sign_in_fails", "sign_in", "JWT_EXPIRES_IN without a unit: sign-in is 500", SignInFails),
    _flaw(
        "unknown_accounts_told",
        "wrong_password_rejected",
        "the answer tells which accounts there are",
        UnknownAccountsTold,
    ),
    _flaw(
        "wrong_password_fails",
        "wrong_password_rejected",
        "a wrong password is 500",
        WrongPasswordFails,
    ),
    _flaw("endless_session", "session_lifetime", "JWT_EXPIRES_IN=-1: no end", EndlessSession),
    _flaw("four_weeks", "session_lifetime", "the default: sessions of four weeks", FourWeeks),
    _flaw("other_end_told", "session_lifetime", "the sign-in tells another end", OtherEndTold),
    _flaw(
        "minutes_only",
        "session_outlasts_long_reply",
        "a session ends after five minutes",
        MinutesOnly,
    ),
    _flaw("expired_accepted", "expired_token_rejected", "tokens never end", ExpiredAccepted),
    _flaw("expired_fails", "expired_token_rejected", "an ended session is 500", ExpiredFails),
    _flaw(
        "stream_ends_with_session",
        "stream_outlasts_session",
        "a stream is cut when its session ends",
        StreamEndsWithSession,
    ),
    _flaw("algorithm_none", "forged_token_rejected", "alg none is believed", AlgorithmNone),
    _flaw("any_key", "forged_token_rejected", "whoever signs is believed", AnyKey),
    _flaw("known_key", "forged_token_rejected", "sessions are signed with a default key", KnownKey),
    _flaw("cut_signature", "forged_token_rejected", "half a signature does", CutSignature),
    _flaw(
        "claims_unsigned",
        "forged_token_rejected",
        "a signature is good for other claims",
        ClaimsUnsigned,
    ),
    _flaw(
        "sign_out_forgotten",
        "sign_out_ends_session",
        "without Redis, a token outlives the sign-out",
        SignOutForgotten,
    ),
    _flaw("line_ends_changed", "upload_round_trip", "CRLF comes back as LF", LinesEndChanged),
    _flaw("last_block_lost", "upload_round_trip", "the last block is lost", LastBlockLost),
    _flaw("deleted_kept", "deleted_file_gone", "deleting does nothing", DeletedKept),
    _flaw("deleted_listed", "deleted_file_gone", "deleted files stay in the list", DeletedListed),
    _flaw("unlimited", "oversized_upload_rejected", "RAG_FILE_MAX_SIZE is not set", Unlimited),
    _flaw("limit_ignored", "oversized_upload_rejected", "the limit is only told", LimitIgnored),
    _flaw(
        "too_large_kept",
        "oversized_upload_rejected",
        "what is too large is refused, and kept",
        KeptThoughTooLarge,
    ),
    _flaw("too_large_fails", "oversized_upload_rejected", "too large is 500", TooLargeFails),
    _flaw(
        "others_refused_beside",
        "large_upload_isolation",
        "others are refused beside a large file",
        OthersRefusedBeside,
    ),
    _flaw(
        "others_refused_after",
        "large_upload_isolation",
        "others are refused after a large file",
        OthersRefusedAfter,
    ),
    _flaw("bad_pdf_completed", "bad_files_handled", "any PDF is completed", AnyPdfCompleted),
    _flaw("bad_archive_fails", "bad_files_handled", "a cut archive is 500", BadArchiveFails),
    _flaw("name_is_path", "file_names_contained", "names keep their folders", NameIsPath),
    _flaw("long_name_fails", "file_names_contained", "a long name is 500", LongNameFails),
    _flaw("shown_inline", "active_content_as_attachment", "HTML is shown", ShownInline),
    _flaw("files_shared", "user_isolation", "every user sees every file", FilesShared),
    _flaw("text_open", "user_isolation", "the text of a file is open to all", ContentOpen),
    _flaw("cached_for_all", "user_isolation", "a cache shows files to all", CachedForAll),
    _flaw("open_by_name", "user_isolation", "a file is open to all by its name", OpenByName),
    _flaw("lists_all", "user_isolation", "the list has the files of all", ListsAll),
    _flaw("searches_all", "user_isolation", "a search finds the files of all", SearchesAll),
    _flaw("stranger_changes", "user_isolation", "another user changes a file", StrangerChanges),
    _flaw("stranger_deletes", "user_isolation", "whoever asks deletes", StrangerDeletes),
    _flaw(
        "answer_cut_as_done",
        "long_stream_not_truncated",
        "AIOHTTP_CLIENT_TIMEOUT: a cut stream ends like a complete one",
        StreamCutAsDone,
    ),
    _flaw("answer_cut", "long_stream_not_truncated", "a stream is cut", StreamCut),
    _flaw("chat_fails", "long_stream_not_truncated", "a chat is 500", ChatFails),
]
