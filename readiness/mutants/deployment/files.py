"""The files of the reference's deployment: those of fixtures/, with the reference's window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from readiness.mutants.endpoint.protocol import WINDOW
from readiness.resources import home

COMPOSE, VARIABLES, GATEWAY, MODEL = "docker-compose.yml", "webui.env", "nginx.conf", "config.json"
#: The window of the corrected deployment, in tokens.
DECLARED = 131_072

#: Rotation of the logs of what runs in no container.
LOGROTATE = "/var/log/vllm/*.log {\n  daily\n  maxsize 50M\n  rotate 7\n  copytruncate\n}\n"
#: Two engines behind a server of nginx, and when a request is sent to the other as well.
TWO_ENGINES = """\
  upstream engines { server vllm:8000; server vllm-spare:8000; }
  proxy_next_upstream %s;
  server {
    listen 8002;
    location /v1/ {
      proxy_pass http://engines;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
  }
  server {
    listen 80;
"""

Change = Callable[[Path], None]


def write(folder: Path) -> Path:
    """Write the files, and return the folder that a user would name."""
    for name in (COMPOSE, VARIABLES, GATEWAY, MODEL):
        (folder / name).write_text(original(name), "utf-8")
    return folder


def original(name: str) -> str:
    """The text of a file."""
    text = (home("fixtures") / "deployment" / "corrected" / name).read_text("utf-8")
    return text.replace(str(DECLARED), str(WINDOW))


def replaced(name: str, *pairs: tuple[str, str]) -> Change:
    """Replace parts of a file's text, each of which occurs in it."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        for old, new in pairs:
            if old not in text:
                raise ValueError(f"{name} has no {old!r}")
            text = text.replace(old, new)
        (folder / name).write_text(text, "utf-8")

    return change


def added(name: str, text: str) -> Change:
    """Put a file beside the others, or in place of one."""

    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")

    return change


def removed(*names: str) -> Change:
    """Leave files out."""

    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def both(*changes: Change) -> Change:
    """Make several changes."""

    def change(folder: Path) -> None:
        for each in changes:
            each(folder)

    return change
