"""A web interface with the paths of Open WebUI 0.12 in front of the reference endpoint.

Subclasses with a flaw override its methods.
"""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError as BadHttpMessage

from readiness.mutants.endpoint.protocol import MODEL
from readiness.mutants.webui import tokens

Complete = Callable[[web.Request], Awaitable[web.StreamResponse]]
MEGABYTE = 2**20
#: The most bytes of a request that are read, whatever the limit.
MOST_BYTES = 600 * MEGABYTE
WEEK = 7 * 86_400
WRONG = "The email or password provided is incorrect."
DENIED = "You do not have permission to access this resource."
#: What every browser may show, without running it.
SHOWN = ("text/plain", "application/pdf")


@dataclass
class User:
    """A user of the interface."""

    name: str
    password: str
    role: str = "user"
    id: str = ""

    def __post_init__(self) -> None:
        self.id = str(uuid4())

    @property
    def email(self) -> str:
        """The address that the user signs in with."""
        return f"{self.name}@example.com"


def accounts() -> list[User]:
    """The accounts that there are: two users', and the administrator's."""
    return [User(each, f"{each}-password") for each in ("user", "second")] + [
        User("admin", "admin-password", "admin")
    ]


@dataclass
class StoredFile:
    """A file that a user has uploaded."""

    id: str
    owner: User
    name: str
    type: str
    data: bytes
    status: str = "pending"

    def described(self) -> dict[str, Any]:
        """Its description."""
        meta = {"name": self.name, "content_type": self.type, "size": len(self.data)}
        own = {"id": self.id, "user_id": self.owner.id, "filename": self.name}
        return {**own, "data": {"status": self.status}, "meta": meta}


class Interface:
    """The web interface: accounts, sessions, files, and chats with the reference endpoint."""

    #: How long a session lasts, in seconds; None for ever.
    session_seconds: int | None = WEEK
    sign_up_open = False
    authenticates = True
    onboarding = False
    #: The role of those who sign up.
    new_role = "pending"
    #: The largest file, in MB; None for no limit.
    limit: int | None = 2

    def __init__(self) -> None:
        self.users = accounts()
        self.files: dict[str, StoredFile] = {}
        self.signed_out: set[str] = set()
        self.complete: Complete = _no_endpoint

    def application(self, complete: Complete) -> web.Application:
        """The HTTP server; chats are completed by the given handler."""
        self.complete = complete
        app = web.Application(client_max_size=MOST_BYTES, middlewares=[self.meet])
        get, post, delete = app.router.add_get, app.router.add_post, app.router.add_delete
        get("/api/version", self.version)
        get("/health", self.health)
        get("/ready", self.health)
        get("/api/config", self.config)
        post("/api/v1/auths/signin", self.sign_in)
        post("/api/v1/auths/signup", self.sign_up)
        post("/api/v1/auths/signout", self.sign_out)
        get("/api/v1/auths/", self.account)
        get("/api/v1/auths/admin/config", self.settings)
        get("/api/models", self.models)
        post("/api/chat/completions", self.chat)
        for path in ("/api/v1", "/openai"):
            get(f"{path}/models", self.models)
            post(f"{path}/chat/completions", self.chat)
        get("/v1/models", self.engine_models)
        get("/api/v1/chats/", self.chats)
        get("/api/v1/users/", self.list_users)
        delete("/api/v1/users/{id}", self.delete_user)
        get("/api/v1/files/", self.list_files)
        post("/api/v1/files/", self.upload)
        get("/api/v1/files/search", self.search)
        get("/api/v1/files/{id}", self.describe)
        get("/api/v1/files/{id}/content", self.content)
        get("/api/v1/files/{id}/content/{name}", self.content)
        get("/api/v1/files/{id}/data/content", self.text)
        post("/api/v1/files/{id}/data/content/update", self.rewrite)
        get("/api/v1/files/{id}/process/status", self.status)
        delete("/api/v1/files/{id}", self.delete_file)
        return app

    @web.middleware
    async def meet(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer a request; an error is told as FastAPI does."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            return told({"detail": error.text or error.reason}, error.status)
        except BadHttpMessage:
            return told({"detail": "There was an error parsing the body"}, 400)

    # Version and configuration

    async def version(self, _request: web.Request) -> web.Response:
        """Tell the version."""
        return told({"version": "0.12.4", "deployment_id": ""})

    async def health(self, _request: web.Request) -> web.Response:
        """Tell that the server serves."""
        return told({"status": True})

    async def config(self, request: web.Request) -> web.Response:
        """Tell what everyone may know; to a user, more."""
        features = {"auth": self.authenticates, "enable_signup": self.sign_up_open}
        common = {"status": True, "name": "Open WebUI", "version": "0.12.4", "features": features}
        common |= {"onboarding": True} if self.onboarding else {}
        if self.user_of(bearer(request)) is None:
            return told(common)
        return told({**common, "file": {"max_size": self.limit, "max_count": None}})

    # Sessions

    def issue(self, user: User) -> str:
        """The token of a new session."""
        now = int(time.time())
        ends = {} if self.session_seconds is None else {"exp": now + self.session_seconds}
        return tokens.issue(
            {"id": user.id, "typ": "session", "jti": str(uuid4()), "iat": now, **ends}
        )

    def trusts(self, token: str) -> bool:
        """Whether a token was issued here."""
        return tokens.is_signed(token)

    def is_over(self, token: str) -> bool:
        """Whether its session has ended."""
        end = tokens.claims_of(token).get("exp")
        return end is not None and end <= time.time()

    def user_of(self, token: str) -> User | None:
        """The user of a session; None where the token is not good."""
        if not token or token in self.signed_out or not self.trusts(token) or self.is_over(token):
            return None
        own = tokens.claims_of(token).get("id")
        return next((each for each in self.users if each.id == own), None)

    def admit(self, request: web.Request, roles: tuple[str, ...] = ("user", "admin")) -> User:
        """The user who asks.

        Raises:
            HTTPUnauthorized: There is none with such a role.
        """
        if (user := self.user_of(bearer(request))) is None:
            raise web.HTTPUnauthorized(text="Not authenticated")
        if user.role not in roles:
            raise web.HTTPUnauthorized(text=DENIED)
        return user

    async def sign_in(self, request: web.Request) -> web.Response:
        """Sign in."""
        given = await request.json()
        known = [each for each in self.users if each.email == given["email"]]
        if not known or known[0].password != given["password"]:
            return self.wrong_password(known[0] if known else None)
        return self.session_of(known[0])

    def wrong_password(self, _known: User | None) -> web.Response:
        """The answer to a wrong password, of an account or of none."""
        return told({"detail": WRONG}, 400)

    def session_of(self, user: User) -> web.Response:
        """The answer to a sign-in."""
        token = self.issue(user)
        session = {"token": token, "token_type": "Bearer", "expires_at": self.told_end(token)}
        return told({"id": user.id, "name": user.name, "role": user.role, **session})

    def told_end(self, token: str) -> int | None:
        """The end of the session, as the sign-in tells it."""
        end: int | None = tokens.claims_of(token).get("exp")
        return end

    async def account(self, request: web.Request) -> web.Response:
        """Tell the user's account."""
        user = self.admit(request, ("user", "admin", "pending"))
        return told({"id": user.id, "name": user.name, "role": user.role})

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session."""
        self.signed_out.add(bearer(request))
        return told({"status": True})

    # Accounts

    async def sign_up(self, request: web.Request) -> web.Response:
        """Make an account."""
        given = await request.json()
        if not self.lets_sign_up():
            raise web.HTTPForbidden(text=DENIED)
        name, _, domain = str(given["email"]).partition("@")
        if not domain or any(each.email == given["email"] for each in self.users):
            raise web.HTTPBadRequest(text="This email is taken, or is none.")
        self.users.append(User(name, given["password"], self.new_role))
        return self.session_of(self.users[-1])

    def lets_sign_up(self) -> bool:
        """Whether anybody may sign up."""
        return self.sign_up_open

    async def settings(self, request: web.Request) -> web.Response:
        """Tell the settings to an administrator."""
        self.admit(request, ("admin",))
        return told({"ENABLE_SIGNUP": self.sign_up_open})

    async def list_users(self, request: web.Request) -> web.Response:
        """List the users whose names have the query, to an administrator."""
        self.admit(request, ("admin",))
        query = request.query.get("query", "")
        found = [each for each in self.users if query in each.name]
        users = [{"id": each.id, "name": each.name, "role": each.role} for each in found]
        return told({"users": users, "total": len(users)})

    async def delete_user(self, request: web.Request) -> web.Response:
        """Delete an account, for an administrator."""
        self.admit(request, ("admin",))
        self.users = [each for each in self.users if each.id != request.match_info["id"]]
        return told(True)

    # Chats

    async def models(self, request: web.Request) -> web.Response:
        """List the models."""
        self.admit(request)
        return told({"data": [{"id": MODEL, "object": "model", "name": MODEL}]})

    async def engine_models(self, _request: web.Request) -> web.Response:
        """Answer for the engine's path, as for any other that is not there: by the page."""
        return web.Response(text="<!doctype html>", content_type="text/html")

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Complete a chat."""
        self.admit(request)
        return await self.complete(request)

    async def chats(self, request: web.Request) -> web.Response:
        """List the conversations that were kept: none is."""
        self.admit(request)
        return told([])

    # Files

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file."""
        user = self.admit(request)
        part = await (await request.multipart()).next()
        if not isinstance(part, BodyPartReader):
            raise web.HTTPUnprocessableEntity(text="Field required")
        name, data = part.filename or "", bytes(await part.read())
        if self.limit is not None and len(data) > self.limit * MEGABYTE:
            return self.too_large(user, name, data)
        if "\0" in name or not data:
            raise web.HTTPBadRequest(text="The file has no content, or its name is none.")
        kind = part.headers.get("Content-Type", "application/octet-stream")
        stored = self.store(user, self.kept_name(name), kind, data)
        if request.query.get("process") == "true":
            await self.process(stored)
        return told(stored.described())

    def too_large(self, _user: User, _name: str, _data: bytes) -> web.Response:
        """The answer to a file above the limit."""
        return told({"detail": f"The file is too large: {self.limit} MB are allowed."}, 413)

    def kept_name(self, name: str) -> str:
        """The name that a file is kept by."""
        return PurePosixPath(name).name or "file"

    def store(self, user: User, name: str, kind: str, data: bytes) -> StoredFile:
        """Store a file."""
        stored = StoredFile(str(uuid4()), user, name, kind, data)
        self.files[stored.id] = stored
        return stored

    async def process(self, stored: StoredFile) -> None:
        """Extract the text of a file."""
        stored.status = "completed" if self.readable(stored) else "failed"

    def readable(self, stored: StoredFile) -> bool:
        """Whether a file is what its type says."""
        if stored.type == "application/pdf":
            return stored.data.startswith(b"%PDF")
        if "officedocument" in stored.type:
            return zipfile.is_zipfile(BytesIO(stored.data))
        return True

    def found(self, request: web.Request) -> StoredFile:
        """The file that is asked for, if it is there for who asks.

        Raises:
            HTTPNotFound: It is not.
        """
        user = self.admit(request)
        stored = self.files.get(request.match_info["id"])
        if stored is None or not self.shows(stored, user):
            raise web.HTTPNotFound(text="We could not find what you're looking for.")
        return stored

    def shows(self, stored: StoredFile, user: User) -> bool:
        """Whether a file is shown to a user."""
        return stored.owner is user

    async def list_files(self, request: web.Request) -> web.Response:
        """List the user's files."""
        user = self.admit(request)
        own = [each.described() for each in self.files.values() if each.owner is user]
        return told({"items": own, "total": len(own)})

    async def search(self, request: web.Request) -> web.Response:
        """List the files whose names are as the pattern, of those that the user sees."""
        user = self.admit(request)
        pattern = request.query.get("filename", "")
        found = [each for each in self.files.values() if fnmatch(each.name, pattern)]
        if not (shown := [each.described() for each in found if self.shows(each, user)]):
            raise web.HTTPNotFound(text="No files found matching the pattern.")
        return told(shown)

    async def describe(self, request: web.Request) -> web.Response:
        """Describe a file."""
        return told(self.found(request).described())

    async def content(self, request: web.Request) -> web.Response:
        """Send a file back."""
        stored = self.found(request)
        headers = {"Content-Type": stored.type, **self.disposition(stored)}
        return web.Response(body=self.kept(stored), headers=headers)

    def disposition(self, stored: StoredFile) -> dict[str, str]:
        """The header that says whether a file is shown or saved, and by which name."""
        if stored.type in SHOWN:
            return {}
        return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(stored.name)}"}

    def kept(self, stored: StoredFile) -> bytes:
        """The bytes of a file as they are sent back."""
        return stored.data

    async def text(self, request: web.Request) -> web.Response:
        """Send the text of a file back."""
        return told({"content": self.found(request).data.decode(errors="replace")})

    async def rewrite(self, request: web.Request) -> web.Response:
        """Take another text of a file."""
        self.found(request)
        return told({"content": (await request.json())["content"]})

    async def status(self, request: web.Request) -> web.Response:
        """Tell how the processing of a file has ended."""
        return told({"status": self.found(request).status})

    async def delete_file(self, request: web.Request) -> web.Response:
        """Delete a file."""
        stored = self.found(request)
        self.forget(stored)
        return told({"message": "File deleted successfully"})

    def forget(self, stored: StoredFile) -> None:
        """Delete what is kept of a file."""
        self.files.pop(stored.id, None)


def told(body: Any, status: int = 200) -> web.Response:
    """A response of JSON."""
    return web.json_response(body, status=status)


def bearer(request: web.Request) -> str:
    """The token of a request; "" where it has none."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


async def frames(
    request: web.Request, texts: list[bytes], pause: float = 0.0
) -> web.StreamResponse:
    """A stream of these events, with a pause in seconds between them."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for each in texts:
        await response.write(b"data: " + each + b"\n\n")
        await asyncio.sleep(pause)
    return response


async def _no_endpoint(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPBadGateway
