"""`readiness sign`, `approve` and `verify`: signatures and integrity of a run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from readiness.cli.rescore import NotRescorable, Rescored, add_options, rescored
from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError, chain_end
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.run_folder import ATTESTATION, EVIDENCE, JUDGED, FolderError, Record
from readiness.reporters.attestation import agrees, statement
from readiness.reporters.consistency import contradictions, other_reports
from readiness.runner.resume import ResumeError
from readiness.verdict.exit_status import UNSOUND

MAX_NAMED = 5
#: Nothing vouches for the run; and pytest's status for what is used wrongly on a command line.
INCONCLUSIVE, USAGE = 10, 2
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
    """Verify a run; 11 where it was changed or a signature is missing, 10 where nothing vouches.

    That is where no key is named, and the run cannot be scored again here.
    """
    parser = _parser("verify", "a public key that must have signed; may be repeated", False)
    add_options(parser)
    about = "insist that all is scored again: 2 where it cannot be"
    parser.add_argument("--rescore", action="store_true", help=about)
    options = parser.parse_args(argv)
    return _done(lambda: _verify(options))


def _sign(run: Path, key: Path) -> tuple[str, int]:
    from readiness.reporters import dsse

    if (run / ATTESTATION).exists():
        raise FolderError(f"{run} is signed: `readiness approve` adds a second signature")
    record = _borne_out(run)
    payload = json.dumps(statement(record, run), sort_keys=True).encode()
    return _write(run, dsse.Envelope(payload).sign(dsse.private_key(key)))


def _approve(run: Path, key: Path) -> tuple[str, int]:
    from readiness.reporters import dsse

    envelope = dsse.load(run / ATTESTATION)
    _agree(envelope.payload, _borne_out(run), run)
    return _write(run, envelope.sign(dsse.private_key(key)))


def _write(run: Path, envelope: Any) -> tuple[str, int]:
    run_folder.write_whole(run / ATTESTATION, envelope.dump())
    return f"{run / ATTESTATION}: signed by {envelope.signatures[-1].key[:16]}", 0


def _verify(options: argparse.Namespace) -> tuple[str, int]:
    """What vouches for a run, and the exit status."""
    record = _intact_record(options.run)
    vouched = f"{record['verdict']}, score {record['score']}: every file and the chain are intact"
    signed = _signatures(options.run, options.key, record)
    try:
        again, status = str(_scored_again(options.run, options)), 0
    except NotRescorable as error:
        again, status = f"it was not scored again: {error}", 0 if options.key else INCONCLUSIVE
        status = USAGE if options.rescore else status
    return f"{vouched}; {again}; {signed}", status


def _scored_again(run: Path, options: argparse.Namespace) -> Rescored:
    """The run, scored again.

    Raises:
        FolderError: It does not follow from its evidence.
        NotRescorable: It cannot be scored again here.
    """
    try:
        found = rescored(run, options)
    except (EvidenceIntegrityError, ResumeError) as error:
        raise FolderError(f"{run}: {error}") from error
    if found.differences:
        why = "; ".join(found.differences[:MAX_NAMED])
        raise FolderError(f"{run} does not follow from its evidence: {why}")
    return found


def _signatures(run: Path, keys: Sequence[Path], record: Record) -> str:
    """Who has signed the run, as a message.

    Raises:
        FolderError: What was signed is another run, or a key that is named has not signed.
    """
    if not (keys or (run / ATTESTATION).exists()):
        return "no signature was checked (--key)"
    from readiness.reporters import dsse

    envelope = dsse.load(run / ATTESTATION)
    _agree(envelope.payload, record, run)
    if not keys:
        return _unnamed(len(envelope.signatures))
    names: dict[str, Path] = {}
    for path in keys:
        key = dsse.public_key(path)
        name = dsse.key_fingerprint(key)
        if name in names:
            raise FolderError(f"{names[name]} and {path} are the same key: that is one person")
        if not envelope.verified(key):
            raise FolderError(f"{path} has not signed this run")
        names[name] = path
    return f"signed by {', '.join(map(str, keys))}"


def _unnamed(signatures: int) -> str:
    keys = f"{signatures} keys" if signatures != 1 else "1 key"
    return f"signed by {keys} that you have not named: no signature was checked (--key)"


def _borne_out(run: Path) -> Record:
    """The record of an intact run, which follows from its evidence as far as that can be told here.

    Raises:
        FolderError: The run is not intact, or does not follow from its evidence.
    """
    record = _intact_record(run)
    with suppress(NotRescorable):
        _scored_again(run, add_options(argparse.ArgumentParser()).parse_args([]))
    return record


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
    if wrong := [*contradictions(record), *other_reports(record, run)]:
        raise FolderError(f"{run} contradicts itself: {'; '.join(wrong[:MAX_NAMED])}")
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


def _done(work: Callable[[], tuple[str, int]]) -> int:
    """Run the command, print its message, and return the exit status."""
    try:
        said, status = work()
    except FolderError as error:
        print(escape_unprintable(str(error)), file=sys.stderr)
        return UNSOUND
    except ModuleNotFoundError as error:
        if error.name != "cryptography":
            raise
        print(NO_LIBRARY, file=sys.stderr)
        return USAGE
    print(escape_unprintable(said))
    return status


def _folder(given: str) -> Path:
    if not Path(given).is_dir():
        raise argparse.ArgumentTypeError(f"{given}: there is none: name the folder of a run")
    return Path(given)


def _parser(command: str, about: str, required: bool = True) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"readiness {command}", description=__doc__)
    parser.add_argument("run", type=_folder, metavar="RUN", help="the folder of a run")
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
