"""`readiness rescore`: every trial and verdict of a run again, from its evidence and the policy."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from readiness.baseline.earlier_runs import of_the_same_files
from readiness.baseline.finished_run import FinishedRun, FinishedRunError, read_finished_run
from readiness.check import Check
from readiness.checks.deployment.facts import Deployment
from readiness.checks.license.gather import LicenseEvidenceError, gather
from readiness.cli.built_in import built_in_checks, defined_in
from readiness.context import Context
from readiness.evidence import run_folder
from readiness.evidence.log import ClosedEvidence, EvidenceIntegrityError, recorded_exchanges
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import EVIDENCE, REVIEW, FolderError, Record
from readiness.policy import plan, policy
from readiness.policy.plan import PlannedCheck
from readiness.policy.policy import Policy, PolicyError
from readiness.policy.waiver import Waiver
from readiness.reporters.conclusions import checks as checks_of
from readiness.runner.provenance import harness
from readiness.runner.record import record as record_of
from readiness.runner.rescoring import Rescorer, result_of
from readiness.runner.resume import ResumeError, ResumeState, read
from readiness.runner.run import Run
from readiness.runner.settings import Settings
from readiness.transport.address import Address
from readiness.transport.budget import UsageBudget
from readiness.transport.client import RequestLimits
from readiness.verdict import labels
from readiness.verdict.exit_status import UNSOUND

#: What evidence and policy do not tell: how requests were counted, and when the run ended.
NOT_DERIVED = frozenset({"requests", "tokens", "bill", "finished", "resumed", "problem"})
#: What the header of evidence must tell of the run that it was made by.
TOLD = frozenset({"concurrency", "extra_body", "machine", "started", "waivers"})
MAX_NAMED = 20
#: Of two figures that differ by less, one was computed by another version of a library.
TOLERANCE = 1e-9


class NotRescorable(Exception):
    """A run cannot be scored again here; the message says why, and what to do."""


@dataclass(frozen=True)
class Rescored:
    """A run that was scored again.

    Args:
        scored: How many trials were scored again.
        taken: How many trials, whose scores need more than exchanges, were taken as recorded.
        differences: What differs from the record.
    """

    scored: int
    taken: int
    differences: Sequence[str]

    def __str__(self) -> str:
        taken = f"; {self.taken} were taken as recorded" if self.taken else ""
        return f"{self.scored} trials were scored again, and the record follows from them{taken}"


def rescore(argv: Sequence[str]) -> int:
    """Score a run again; 11 where anything differs, 2 where it cannot be scored here."""
    options = add_options(_parser()).parse_args(argv)
    try:
        found = rescored(options.run, options)
    except NotRescorable as error:
        print(escape_unprintable(f"{options.run} cannot be scored again: {error}"), file=sys.stderr)
        return 2
    except (FolderError, EvidenceIntegrityError, ResumeError) as error:
        print(escape_unprintable(str(error)), file=sys.stderr)
        return UNSOUND
    for each in found.differences[:MAX_NAMED]:
        print(escape_unprintable(each), file=sys.stderr)
    if found.differences:
        print(f"in all: {len(found.differences)}", file=sys.stderr)
        return UNSOUND
    print(found)
    return 0


def rescored(folder: Path, options: argparse.Namespace) -> Rescored:
    """Score a run again, and make its record again.

    Raises:
        NotRescorable: Its policy, its checks, or a run that it is compared with are not here, or
            its evidence tells too little.
        FolderError: It is no run.
        EvidenceIntegrityError: The chain of its evidence is broken.
    """
    record, state = run_folder.read(folder), read(folder / EVIDENCE, Secrets([]))
    if record["problem"] or not state.about.get("items"):
        raise NotRescorable("nothing was tried")
    settings = _settings(folder, record, state, options)
    planned = _planned(state, settings.policy, options.checks)
    rescorer = asyncio.run(Rescorer.of(state, settings.context, settings.review))
    found = asyncio.run(rescorer.differences(planned))
    run = _run(folder, state, rescorer, settings, planned)
    for each in checks_of(record):
        if each["id"] in run.plan:
            result = result_of(state, run.plan[each["id"]], rescorer.capabilities)
            run.results.append(run.pooled(result))
    run.compare()
    again = json.loads(json.dumps(record_of(run)))
    if not options.license_evidence:  # As the header of the evidence has it.
        again["license_evidence"] = state.about["license_evidence"]
        again["machine"]["quantization"] = state.latest["machine"]["quantization"]
    differing = list(_differing("", _derived(record), _derived(again)))
    taken = [each for each in planned if not rescorer.scores_again(each)]
    counts = {each.check.id: len(state.trials.get((each.check.id, False), ())) for each in planned}
    of_taken = sum(counts[each.check.id] for each in taken) + len(rescorer.taken)
    return Rescored(sum(counts.values()) - of_taken, of_taken, [*map(str, found), *differing])


def _derived(record: Record) -> Record:
    return {name: each for name, each in record.items() if name not in NOT_DERIVED}


def _differing(path: str, recorded: Any, again: Any) -> Iterator[str]:
    """Where two values of JSON differ, each with both."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        for name in [*recorded, *(each for each in again if each not in recorded)]:
            yield from _differing(f"{path}.{name}", recorded.get(name), again.get(name))
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        for at, (one, other) in enumerate(zip(recorded, again, strict=True)):
            yield from _differing(f"{path}[{at}]", one, other)
    elif not _equal(recorded, again):
        yield f"{path.lstrip('.')} is {recorded!r:.80} in the record, and {again!r:.80} again"


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _run(
    folder: Path,
    state: ResumeState,
    rescorer: Rescorer,
    settings: Settings,
    planned: Sequence[PlannedCheck],
) -> Run:
    """The run, as it was when its evidence had ended."""
    started = datetime.fromisoformat(state.latest["started"]).astimezone(UTC)
    evidence = ClosedEvidence(folder / EVIDENCE, settings.secrets, state.head, len(state.exchanges))
    return Run(
        settings,
        {each.check.id: each for each in planned},
        started,
        state.about["model"],
        folder,
        evidence,
        UsageBudget(),
        None,
        ResumeState(settings.secrets),
        rescorer.capabilities,
        same_build=[
            of_the_same_files(_beside(folder, each), state.about) for each in state.same_build
        ],
    )


def _settings(
    folder: Path, record: Record, state: ResumeState, options: argparse.Namespace
) -> Settings:
    """The settings of the run, as its evidence has them."""
    if untold := sorted(TOLD - state.latest.keys()):
        raise NotRescorable(f"its evidence, of an earlier version, does not tell {untold[0]!r}")
    about, latest, rules = state.about, state.latest, _policy(record, state, options)
    path = folder / REVIEW
    try:
        review = labels.load(path if path.exists() else None)
        documents = gather(options.license_evidence) if options.license_evidence else None
    except (OSError, ValueError, LicenseEvidenceError) as error:
        raise NotRescorable(str(error)) from error
    # Its checks are taken as they are recorded; the digests of its files are those of the header.
    files = about.get("deployment")
    context = Context(
        warm_prefix_cache=about["warm"],
        step_seconds=rules.step_seconds.get(about["profile"], Context.step_seconds),
        license_evidence=documents,
        deployment=Deployment(digests=files) if files else None,
        accepted_license_conditions=rules.accepts,
        slo=rules.slo,
        hardware=rules.hardware.get(latest["machine"]["hardware"]),
        metrics_address=_address(latest["machine"]["metrics"]),
        webui_address=_address(latest["machine"].get("webui", "")),
        recorded_exchanges=partial(recorded_exchanges, folder / EVIDENCE),
    )
    return Settings(
        address=Address(about["endpoint"]),
        model=about["model"],
        profile=about["profile"],
        policy=rules,
        concurrency=latest["concurrency"],
        burst=latest["concurrency"],
        reports=folder.parent,
        seed=about["seed"],
        limits=RequestLimits(),
        sampling=about["sampling"],
        extra=latest["extra_body"],
        max_requests=0,
        max_tokens=0,
        max_minutes=0,
        max_evidence=0,
        keep_going=True,
        use_sequential_tests=about["fast"],
        resume=None,
        secrets=Secrets([]),
        review=review,
        context=context,
        baseline_run=_beside(folder, record["baseline"]) if "baseline" in record else None,
        earlier=[_beside(folder, each) for each in record.get("earlier", ())],
        waivers={each["check"]: _waiver(each) for each in latest["waivers"]},
        build=about.get("build", ""),
    )


def _waiver(fields: Mapping[str, str]) -> Waiver:
    expiry = date.fromisoformat(fields["expiry"])
    return Waiver(fields["check"], fields["reason"], fields["owner"], fields["approver"], expiry)


def _beside(folder: Path, named: Mapping[str, Any]) -> FinishedRun:
    """A run that this one is judged with, from the folder beside it."""
    path = folder.resolve().parent / Path(named["run"]).name
    try:
        found = read_finished_run(path)
    except FinishedRunError as error:
        raise NotRescorable(f"a run that it was judged with is not beside it: {error}") from error
    if found.head != named["head"]:
        raise NotRescorable(f"{path} is not the run that it was judged with: it has gone on since")
    return found


def _address(url: str) -> Address | None:
    return Address(url) if url else None


def _policy(record: Record, state: ResumeState, options: argparse.Namespace) -> Policy:
    """The policy of the run, if it is here.

    Raises:
        NotRescorable: It is another, or this program has other prompts, or is another version.
    """
    then = state.about["harness"]
    try:
        rules = policy.load(options.policy or Path(then["policy"]))
        hardware = state.latest["machine"]["hardware"]
        rules = rules.on(hardware) if hardware else rules
    except PolicyError as error:
        why = f"its policy is {then['policy']}: name its file with --policy ({error})"
        raise NotRescorable(why) from error
    for name, now in harness(rules).items():
        if then[name] != now:
            what = "name its file with --policy, or install" if "policy" in name else "install"
            package = "openai" if name == "openai_sdk" else "llm-readiness"
            why = f"its {name} is {then[name]:.24}, and here it is {now:.24}"
            version = then["openai_sdk" if name == "openai_sdk" else "version"]
            raise NotRescorable(f"{why}: {what} {package} {version}")
    rules = rules.requiring("deployment") if state.about.get("deployment") else rules
    return rules.requiring("webui") if state.latest["machine"].get("webui", "") else rules


def _planned(state: ResumeState, rules: Policy, files: Sequence[Path]) -> list[PlannedCheck]:
    """The plan of the run.

    Raises:
        NotRescorable: One of its checks is not here, or has other probes.
    """
    about, items = state.about, state.about["items"]
    known = {each.id: each for each in [*built_in_checks(), *checks_in(files)]}
    if unknown := sorted(items.keys() - known.keys()):
        raise NotRescorable(f"{unknown[0]} is not known here: name its file with --checks FILE")
    planned = plan.plan([known[each] for each in items], rules, about["profile"], about["seed"])
    other = [each.check.id for each in planned if items[each.check.id] != each.probes_digest]
    if other or len(planned) != len(items):
        raise NotRescorable(f"its probes of {other[0] if other else 'a check'} are different here")
    return planned


def checks_in(files: Sequence[Path]) -> Iterator[Check]:
    """The checks of a user's own files."""
    for path in files:
        spec = spec_from_file_location(path.stem, path)
        if not path.is_file() or spec is None or spec.loader is None:
            raise NotRescorable(f"{path} is no file of checks")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        yield from defined_in(module)


def add_options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the options by which a run is scored again."""
    option = parser.add_argument
    option("--policy", type=Path, metavar="FILE", help="its policy, where it is a file")
    option("--checks", type=Path, action="append", default=[], metavar="FILE", help="own checks")
    option(
        "--license-evidence",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="as in the run; without it, trials of the licence are taken as recorded",
    )
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness rescore", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    return parser
