"""Harmless variants of the web interface, which must be ready."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from readiness.mutants.deployment.files import VARIABLES, replaced
from readiness.mutants.flaw import Flaw
from readiness.mutants.webui.interface import (
    DENIED,
    WRONG,
    Interface,
    StoredFile,
    User,
    bearer,
    told,
)


class ForbiddenFor401(Interface):
    def admit(self, request: web.Request, roles: tuple[str, ...] = ("user", "admin")) -> User:
        try:
            return super().admit(request, roles)
        except web.HTTPUnauthorized as error:
            if request.path.startswith(("/webui/api/v1/users", "/webui/api/v1/chats")):
                raise web.HTTPForbidden(text=DENIED) from error
            raise


class WrongPassword401(Interface):
    def wrong_password(self, _known: User | None) -> web.Response:
        return told({"detail": WRONG}, 401)


class EndNotTold(Interface):
    def told_end(self, _token: str) -> int | None:
        return None


class NewcomersPending(Interface):
    sign_up_open = True


class SlimDeletes(Interface):
    async def delete_file(self, request: web.Request) -> web.Response:
        await super().delete_file(request)
        return told({"detail": "[ERROR: Error deleting files]"}, 400)


class BareList(Interface):
    async def list_files(self, request: web.Request) -> web.Response:
        user = self.admit(request)
        return told([each.described() for each in self.files.values() if each.owner is user])


class TooLarge400(Interface):
    def too_large(self, _user: User, _name: str, _data: bytes) -> web.Response:
        return told({"detail": "The file is too large."}, 400)


class OddNamesRejected(Interface):
    def kept_name(self, name: str) -> str:
        if not name.isascii() or set(name) & set("/\\%\r\n") or len(name) > 200 or name == "..":
            raise web.HTTPBadRequest(text="This name is not allowed.")
        return super().kept_name(name)


class EverythingAttached(Interface):
    def disposition(self, stored: StoredFile) -> dict[str, str]:
        return {"Content-Disposition": f'attachment; filename="{stored.id}"'}


class ActiveAsText(Interface):
    def store(self, user: User, name: str, kind: str, data: bytes) -> StoredFile:
        active = kind in ("text/html", "image/svg+xml", "application/xhtml+xml")
        return super().store(user, name, "text/plain" if active else kind, data)


class HiddenAs403(Interface):
    def found(self, request: web.Request) -> StoredFile:
        try:
            return super().found(request)
        except web.HTTPNotFound as error:
            raise web.HTTPForbidden(text=DENIED) from error


class EngineKeyed(Interface):
    """A gateway in front leads the engine's path to it, which asks for a key."""

    async def engine_models(self, _request: web.Request) -> web.Response:
        return told({"error": "Unauthorized"}, 401)


class CachedByUser(Interface):
    """A cache in front has the files' contents by their paths and who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.cached: dict[tuple[str, str], web.Response] = {}

    async def content(self, request: web.Request) -> web.Response:
        key = request.path, bearer(request)
        if key not in self.cached:
            self.cached[key] = await super().content(request)
        kept = self.cached[key]
        return web.Response(body=kept.body, headers=kept.headers)

    def forget(self, stored: StoredFile) -> None:
        super().forget(stored)
        self.cached.clear()


class WithoutSearch(Interface):
    async def search(self, request: web.Request) -> web.Response:
        raise web.HTTPNotFound

    async def rewrite(self, request: web.Request) -> web.Response:
        raise web.HTTPMethodNotAllowed("POST", ["GET"])


class EmptySearch(Interface):
    async def search(self, request: web.Request) -> web.Response:
        user = self.admit(request)
        return told([each.described() for each in self.files.values() if each.owner is user])


class ProcessedLater(Interface):
    """A file is looked into only when its status is asked for a second time."""

    asked = 0

    async def process(self, stored: StoredFile) -> None:
        stored.status = "processing"

    async def status(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.asked % 4 == 0:
            await super().process(self.found(request))
        return await super().status(request)


class Limited(Interface):
    """nginx in front refuses every fourth request."""

    asked = 0

    @web.middleware
    async def meet(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.asked += 1
        if self.asked % 4 == 0:
            page = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
            server = {"Server": "nginx/1.22.1"}
            return web.Response(text=page, status=503, content_type="text/html", headers=server)
        return await super().meet(request, handler)


def _harmless(name: str, about: str, webui: type[Interface]) -> Flaw:
    return Flaw(f"webui_{name}", about, webui=webui)


FLAWS = [
    _harmless("403_for_401", "what is denied may be 403", ForbiddenFor401),
    _harmless("wrong_password_401", "a wrong password may be 401", WrongPassword401),
    _harmless("end_not_told", "the end may be in the token alone", EndNotTold),
    Flaw(
        "webui_newcomers_pending",
        "sign-up may be open to who then waits",
        webui=NewcomersPending,
        change_deployment=replaced(VARIABLES, ("ENABLE_SIGNUP=false", "ENABLE_SIGNUP=true")),
    ),
    _harmless("slim_deletes", "deleting is 400 without a vector database", SlimDeletes),
    _harmless("bare_list", "a list of files may have no frame", BareList),
    _harmless("too_large_400", "too large may be 400", TooLarge400),
    _harmless("odd_names_rejected", "odd names may be rejected", OddNamesRejected),
    _harmless("all_attached", "every file may be an attachment", EverythingAttached),
    _harmless("active_as_text", "HTML may come back as plain text", ActiveAsText),
    _harmless("hidden_as_403", "what is not one's own may be 403", HiddenAs403),
    _harmless("engine_keyed", "the engine's path may be there, with a key", EngineKeyed),
    _harmless("cached_by_user", "a cache may keep what its user alone is shown", CachedByUser),
    _harmless("without_search", "there may be no search, and no change of a text", WithoutSearch),
    _harmless("empty_search", "a search that finds nothing may be 200", EmptySearch),
    _harmless("processed_later", "processing may take a while", ProcessedLater),
    _harmless("limited", "a limiter may refuse what is then accepted", Limited),
]
