"""`python -m readiness.cli.stack_demo`: nginx, Open WebUI and a model, tried through each other."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from readiness import embedded
from readiness.mutants.catalog import mutants
from readiness.mutants.endpoint.server import serving
from readiness.policy.policy import load

CHECKED = ("api", "stability", "webui", "deployment")
#: Where `make demo-stack` installs Open WebUI.
OPEN_WEBUI = Path(".webui") / "bin" / "open-webui"
#: Debian installs nginx where a user's path does not lead.
NGINX_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
START_TIMEOUT = 300.0  # s; eleven of CPU.
PATIENCE = 10.0
ADMIN, USER, SECOND = (f"{name}@example.com" for name in ("admin", "user", "second"))
#: What Open WebUI is run with, as its `.env` declares it.
DECLARED: Mapping[str, str] = {
    "ENABLE_SIGNUP": "false",
    "JWT_EXPIRES_IN": "7d",
    "RAG_FILE_MAX_SIZE": "20",
    "AIOHTTP_CLIENT_TIMEOUT": "300",
    "BYPASS_MODEL_ACCESS_CONTROL": "true",
}
#: What makes it start without a network, in seconds instead of minutes.
OFFLINE = {
    "USE_SLIM_DOCKER": "true",
    "OFFLINE_MODE": "true",
    "HF_HUB_OFFLINE": "1",
    "ENABLE_OLLAMA_API": "false",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
    "ENABLE_VERSION_UPDATE_CHECK": "false",
}
NGINX = """\
user {user};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
{location}
        }}
    }}
}}
"""
#: What a gateway needs for streams, long replies and uploads.
LOCATION: Mapping[str, str] = {
    "proxy_http_version": "1.1",
    "proxy_set_header": 'Connection ""',
    "proxy_buffering": "off",
    "proxy_read_timeout": "600s",
    "client_max_body_size": "100m",
}


class StackError(Exception):
    """A part of the stack is not there, or does not start; the message says what to do."""


@dataclass(frozen=True)
class OpenWebui:
    """A running Open WebUI.

    Args:
        url: Its base URL.
        password: The password of its administrator, and of every user that is added.
    """

    url: str
    password: str

    def sign_in(self, email: str) -> str:
        """The token of a new session."""
        told = self.call("/api/v1/auths/signin", {"email": email, "password": self.password})
        return str(told["token"])

    def add_user(self, email: str) -> None:
        """Add a user."""
        body = {"name": email.partition("@")[0], "email": email, "password": self.password}
        self.call("/api/v1/auths/add", {**body, "role": "user"}, self.sign_in(ADMIN))

    def call(self, path: str, body: Mapping[str, Any] | None = None, token: str = "") -> Any:
        """Send a request, and return the JSON that comes."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}{path}", data, headers), timeout=60) as response:
            return json.load(response)


@contextmanager
def open_webui(
    folder: Path, endpoint: str, settings: Mapping[str, str], *, admin: bool = True
) -> Iterator[OpenWebui]:
    """Run Open WebUI in front of an endpoint until the context is left.

    Args:
        folder: Where it keeps its data.
        endpoint: The endpoint's base URL.
        settings: Its environment variables.
        admin: Whether it has an administrator.

    Raises:
        StackError: It is not installed, or does not start.
    """
    program = Path(os.environ.get("OPEN_WEBUI", OPEN_WEBUI)).absolute()
    if not program.exists():
        raise StackError(f"{program} is not there: make demo-stack installs it")
    port, password = _free_port(), secrets.token_hex(12)
    named = {"WEBUI_ADMIN_EMAIL": ADMIN, "WEBUI_ADMIN_PASSWORD": password} if admin else {}
    (folder / "data").mkdir(parents=True)
    variables = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **OFFLINE,
        "DATA_DIR": str(folder / "data"),
        "WEBUI_SECRET_KEY": secrets.token_hex(32),
        "OPENAI_API_BASE_URLS": endpoint,
        "OPENAI_API_KEYS": "none",
        **named,
        **settings,
    }
    command = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port)]
    found = OpenWebui(f"http://127.0.0.1:{port}", password)
    with _running(command, folder, f"{found.url}/health", variables):
        yield found


@contextmanager
def nginx(
    folder: Path,
    upstream: str,
    location: Mapping[str, str] = LOCATION,
    http: Sequence[str] = (),
) -> Iterator[str]:
    """Run nginx in front of a server until the context is left; the value is its base URL.

    Args:
        folder: Where it keeps its configuration and large bodies.
        upstream: The base URL of the server.
        location: The directives for the server.
        http: Lines that stand outside.

    Raises:
        StackError: It is not installed, or does not start.
    """
    program = shutil.which("nginx", path=NGINX_PATH)
    if program is None:
        raise StackError("nginx is not installed: apt-get install --no-install-recommends nginx")
    folder.mkdir(parents=True, exist_ok=True)
    port, config = _free_port(), folder / "nginx.conf"
    lines = "\n".join(f"            {name} {value};" for name, value in location.items())
    outside = "\n".join(f"    {each}" for each in http)
    written = NGINX.format(
        # Its workers write large bodies to the folder, which is this user's alone.
        user=getuser(),
        folder=folder,
        http=outside,
        port=port,
        upstream=upstream,
        location=lines,
    )
    config.write_text(written, "utf-8")
    url = f"http://127.0.0.1:{port}"
    with _running([program, "-c", str(config)], folder, url, dict(os.environ)):
        yield url


@contextmanager
def _running(
    command: Sequence[str], folder: Path, url: str, environment: Mapping[str, str]
) -> Iterator[None]:
    """Run a server until the context is left, from when it answers on."""
    log = folder / "log.txt"
    with (
        log.open("wb") as written,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=written, stderr=written, env=environment
        ) as process,
    ):
        try:
            _await(process, url, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server answers, whatever it answers.

    Raises:
        StackError: It ended, or does not answer in time.
    """
    end = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < end:
        try:
            with urlopen(url, timeout=5):
                return
        except HTTPError:
            return
        except (URLError, OSError):
            time.sleep(0.2)
    last = log.read_text("utf-8", "replace").splitlines()[-3:]
    raise StackError(f"{process.args!r:.60} does not answer: {' '.join(last):.300}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _model(options: argparse.Namespace) -> Iterator[str]:
    """The base URL of the model: the reference endpoint, or the embedded model."""
    if options.embedded:
        with embedded.serve() as server:
            yield server.url
    else:
        with serving() as url:
            yield url


def main(argv: Sequence[str]) -> int:
    """Run the stack, and try the four dimensions through it; 0 where it ended in a matrix."""
    options = _parser().parse_args(argv)
    behind = "the embedded model" if options.embedded else "the reference endpoint"
    print(f"starting Open WebUI and nginx in front of {behind}: half a minute or more", flush=True)
    with tempfile.TemporaryDirectory(prefix="readiness-") as name, _model(options) as model:
        folder = Path(name)
        try:
            with (
                open_webui(folder / "webui", model, DECLARED) as webui,
                nginx(folder / "nginx", webui.url) as url,
            ):
                for each in (USER, SECOND):
                    webui.add_user(each)
                status = _try(url, webui, _declared(folder), folder)
        except StackError as error:
            print(error, file=sys.stderr)
            return 2
    print(f"exit status {status}")
    return 0 if status in (0, 1, 10) else status


def _declared(folder: Path) -> Path:
    """The files of the deployment: those that it is run with."""
    files = folder / "deployment"
    files.mkdir()
    shutil.copy(folder / "nginx" / "nginx.conf", files)
    lines = (
        f"{name}={value}\n" for name, value in {"WEBUI_ADMIN_EMAIL": ADMIN, **DECLARED}.items()
    )
    (files / ".env").write_text("".join(lines), "utf-8")
    return files


def _try(url: str, webui: OpenWebui, files: Path, folder: Path) -> int:
    """Try the stack through its front; return the exit status."""
    others = {flaw.dimension for flaw in mutants()} - {"", *CHECKED}
    policy = {
        "schema": "readiness-policy/1",
        "extends": "article",
        "dimensions": {each: {"gate": "off"} for each in sorted(others & load().dimensions.keys())},
    }
    (folder / "stack.yaml").write_text(json.dumps(policy), "utf-8")  # JSON is YAML.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs"]
    command += [f"readiness.checks.{each}" for each in CHECKED]
    command += ["--endpoint", f"{url}/api", "--webui", url, "--deployment", str(files)]
    command += ["--policy", str(folder / "stack.yaml"), "--profile", "smoke"]
    accounts = {
        "OPENAI_API_KEY": webui.sign_in(USER),
        "WEBUI_EMAIL": USER,
        "WEBUI_PASSWORD": webui.password,
        "WEBUI_SECOND_EMAIL": SECOND,
        "WEBUI_SECOND_PASSWORD": webui.password,
    }
    return subprocess.run(command, env={**os.environ, **accounts}, check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m readiness.cli.stack_demo", description=__doc__)
    parser.add_argument(
        "--embedded", action="store_true", help="the embedded model, not the reference endpoint"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
