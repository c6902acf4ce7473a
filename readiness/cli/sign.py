"""`readiness sign`, `approve` and `verify`: signatures and integrity of a run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError, chain_end
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.run_folder import ATTESTATION, EVIDENCE, JUDGED, FolderError, Record
from readiness.reporters.attestation import agrees, statement
from readiness.verdict.exit_status import UNSOUND

MAX_NAMED = 5
NO_LIBRARY = "signatures need the package cryptography: pip install 'llm-readiness[sign]'"


def sign(argv: Sequence[str]) -> int:
    """Sign a run; 11 where it is not intact."""
    options = _parser("sign", "the private key, in PEM").parse_args(argv)
    return _done(lambda: _sign(options.run, options.key[0]))


def approve(argv: Sequence[str]) -> int:
    """Add a second person's signature; 11 where the run is not intact, or the key has signed."""
    options = _parser("approve", "the second person's private key, in PEM").parse_args(argv)
    return _done(lambda: _approve(options.run, options.key[0]))


def verify(argv: Sequence[str]) -> int:
    """Verify a run; 11 where a file was changed, or a signature is missing."""
    parser = _parser("verify", "a public key that must have signed; may be repeated", False)
    options = parser.parse_args(argv)
    return _done(lambda: _verify(options.run, options.key))


def _sign(run: Path, key: Path) -> str:
    from readiness.reporters import dsse

    if (run / ATTESTATION).exists():
        raise FolderError(f"{run} is signed: `readiness approve` adds a second signature")
    record = _intact_record(run)
    payload = json.dumps(statement(record, run), sort_keys=True).encode()
    return _write(run, dsse.Envelope(payload).sign(dsse.private_key(key)))


def _approve(run: Path, key: Path) -> str:
    from readiness.reporters import dsse

    envelope = dsse.load(run / ATTESTATION)
    _agree(envelope.payload, _intact_record(run), run)
    return _write(run, envelope.sign(dsse.private_key(key)))


def _write(run: Path, envelope: Any) -> str:
    (run / ATTESTATION).write_text(envelope.dump(), "utf-8")
    return f"{run / ATTESTATION}: signed by {envelope.signatures[-1].key[:16]}"


def _verify(run: Path, keys: Sequence[Path]) -> str:
    record = _intact_record(run)
    intact = f"{record['verdict']}, score {record['score']}: every file and the chain are intact"
    if not keys:
        return f"{intact}; no signature was checked (--key)"
    from readiness.reporters import dsse

    envelope = dsse.load(run / ATTESTATION)
    names: dict[str, Path] = {}
    for path in keys:
        key = dsse.public_key(path)
        name = dsse.key_fingerprint(key)
        if name in names:
            raise FolderError(f"{names[name]} and {path} are the same key: that is one person")
        if not envelope.verified(key):
            raise FolderError(f"{path} has not signed this run")
        names[name] = path
    _agree(envelope.payload, record, run)
    return f"{intact}; signed by {', '.join(map(str, keys))}"


def _intact_record(run: Path) -> Record:
    """The record of an intact run.

    Raises:
        FolderError: A file was changed, or the chain of the evidence is broken.
    """
    if problems := list(_problems(run)):
        raise FolderError(f"{run} is not intact: {'; '.join(problems[:MAX_NAMED])}")
    record = run_folder.read(run)
    evidence, ends = run / EVIDENCE, dict[Path, str]()
    for chain in (evidence, *sorted(run.glob(JUDGED))):
        try:
            ends[chain] = chain_end(chain)
        except EvidenceIntegrityError as error:
            raise FolderError(f"the chain of evidence is broken: {error}") from error
    if ends[evidence] != record["evidence"]["head"]:
        raise FolderError(f"{evidence} does not end where the record says")
    return record


def _problems(run: Path) -> Iterator[str]:
    return (f"{name} {how}" for name, how in run_folder.differences(run))


def _agree(payload: bytes, record: Record, run: Path) -> None:
    try:
        signed = json.loads(payload)
    except ValueError as error:
        raise FolderError(f"what was signed is not JSON: {error}") from error
    if not agrees(signed, record, run):
        raise FolderError("what was signed is another run, or another verdict")


def _done(work: Callable[[], str]) -> int:
    """Run the command, print its message, and return the exit status."""
    try:
        print(work())
    except FolderError as error:
        print(escape_unprintable(str(error)), file=sys.stderr)
        return UNSOUND
    except ModuleNotFoundError as error:
        if error.name != "cryptography":
            raise
        print(NO_LIBRARY, file=sys.stderr)
        return 2
    return 0


def _parser(command: str, about: str, required: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"readiness {command}")
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PEM",
        action="append",
        default=[],
        required=required,
        help=about,
    )
    return parser
