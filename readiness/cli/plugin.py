"""The pytest plugin: collects checks, starts all of them, and reports each result."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from readiness.check import Check
from readiness.cli import options
from readiness.cli.interrupts import Interrupts
from readiness.cli.item import INTERRUPTS, PROGRESS, RUN, CheckItem
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.exit_status import UNSOUND, UNTRIED, exit_status

# Every pytest run in an environment with this plugin imports this module: the slow imports
# (aiohttp, rich, yaml) are in the hooks, which need them only for a run with checks.
if TYPE_CHECKING:
    from readiness.cli.report import EndedRun
    from readiness.policy.plan import PlannedCheck
    from readiness.policy.policy import Prices
    from readiness.runner.run import Run
    from readiness.runner.settings import Settings

OPTIONS: pytest.StashKey[Namespace] = pytest.StashKey()
#: What is planned, and the prices of tokens.
PLAN: pytest.StashKey[tuple[Sequence[PlannedCheck], Prices | None]] = pytest.StashKey()
#: Why nothing is tried, and the exit status that it has.
PROBLEM: pytest.StashKey[tuple[str, int]] = pytest.StashKey()
ENDED: pytest.StashKey[EndedRun] = pytest.StashKey()
WRITTEN: pytest.StashKey[bool] = pytest.StashKey()
ALLURE: pytest.StashKey[str | None] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a readiness run."""
    options.add(parser.getgroup("readiness", "readiness of an LLM endpoint"))


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Read the short names of options, once all other plugins and conftests have theirs."""
    result = yield
    options.lengthen(args, parser)
    options.installed(args, early_config.invocation_params.dir)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the files that have checks: the built-in ones and, in a readiness run, yours."""
    config.addinivalue_line("python_files", "readiness/checks/*/check*.py")
    if options.requested(config):
        if getattr(config.option, "numprocesses", None):
            raise pytest.UsageError(
                "checks run concurrently by themselves, and each process of pytest-xdist would "
                "start them all: add -n 0"
            )
        config.stash[OPTIONS] = options.chosen(config)
        config.addinivalue_line("python_files", "check_*.py")
        # Allure's own plugin reports tests without trials: ours writes its results instead.
        config.stash[ALLURE] = getattr(config.option, "allure_report_dir", None)
        config.option.allure_report_dir = None


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> CheckItem | None:
    """Collect the checks that a module defines, and leave those that it imports."""
    if isinstance(obj, Check) and obj.attempt.__module__ == collector.obj.__name__:
        item: CheckItem = CheckItem.from_parent(collector, name=name, check=obj)
        return item
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the checks that run alone last, and those of the whole run behind them."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool]:
    check = item.check if isinstance(item, CheckItem) else None
    return (check.whole_run, check.alone) if check else (False, False)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Start all checks before pytest waits for the first."""
    checks = [item.check for item in session.items if isinstance(item, CheckItem)]
    if not checks or session.config.option.collectonly:
        return (yield)
    from readiness.evidence.log import EvidenceIntegrityError
    from readiness.evidence.printable import escape_unprintable
    from readiness.protocol.capability import Unassessable

    with ExitStack() as stack:
        try:
            _start(session, checks, stack)
        except Unassessable as error:
            session.config.stash[PROBLEM] = f"cannot be tried: {error}", UNTRIED
            session.items.clear()
        except LookupError as error:
            raise pytest.UsageError(str(error)) from error
        except EvidenceIntegrityError as error:
            why = f"the evidence fails its integrity check: {escape_unprintable(str(error))}"
            session.config.stash[PROBLEM] = why, UNSOUND
            session.items.clear()
        return (yield)


def _start(session: pytest.Session, checks: Sequence[Check], stack: ExitStack) -> None:
    """Start the checks; or, for a plan or an unusable endpoint, leave pytest nothing to run."""
    from readiness.cli import configure
    from readiness.cli.obstacles import obstacles
    from readiness.cli.progress import CheckLines, Progress, Screen
    from readiness.reporters.terminal import print_beginning

    config = session.config
    option = config.stash[OPTIONS] = config.stash.get(OPTIONS, None) or options.chosen(config)
    option.seed = configure.choose_seed(option)
    rules = configure.chosen_policy(option)
    planned = configure.plan_checks(option, rules, checks)
    _print_obstacles(config, obstacles(option, rules, planned))
    if option.plan:
        config.stash[PLAN] = planned, rules.prices
        session.items.clear()
        return
    interrupts = config.stash[INTERRUPTS] = Interrupts()
    interrupts.begin()
    with interrupts.waiting():
        url = stack.enter_context(configure.serving(option))
    run = stack.enter_context(
        _reported(config, configure.settings(option, rules, url, checks), planned)
    )
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        if reporter.verbosity >= 0:
            console = Screen.console(reporter)
            print_beginning(console, run, planned, configure.concurrency(option))
        for note in configure.key_notes():
            reporter.write_line(note)
        config.stash[PROGRESS] = Progress(reporter, run.runner, run.budget)
        config.pluginmanager.register(CheckLines(reporter, checks), "readiness lines")
    if run.problem:
        session.items.clear()
    else:
        run.start([each for each in planned if not each.check.alone])


def _print_obstacles(config: pytest.Config, found: Iterable[str]) -> None:
    if reporter := config.pluginmanager.getplugin("terminalreporter"):
        reporter.ensure_newline()
        for each in found:
            reporter.write_line(f"! {each}", yellow=True)


@contextmanager
def _reported(
    config: pytest.Config, settings: Settings, planned: Sequence[PlannedCheck]
) -> Generator[Run]:
    """Open a run, and make its record when it ends, also by Ctrl-C or an internal error."""
    from readiness.cli.report import EndedRun
    from readiness.runner.session import open_run

    def keep() -> None:
        config.stash[ENDED] = EndedRun.of(run)

    with ExitStack() as ended, ExitStack() as opened:
        with config.stash[INTERRUPTS].waiting():
            run = opened.enter_context(open_run(settings, planned))
        config.stash[RUN] = run
        ended.callback(keep)
        yield run


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count checks by verdict, apart from tests; `CheckLines` prints what has ended."""
    if report.when != "call" or "check" not in (found := dict(report.user_properties)):
        return None
    if "verdict" not in found:  # The policy leaves it out, or it has raised an exception.
        return ("", "", "") if report.skipped else None
    verdict = "no defect" if "no_defect" in found else str(found["verdict"])
    status = "waived" if "waiver" in found else str(found["gate"])
    counted = verdict if status == Gate.REQUIRED else f"{verdict} ({status})"
    return counted, "", verdict.upper()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Set pytest's exit status by the gate, and print how the run ended below all else."""
    _finish(session)
    yield
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        _show(reporter, session.config, session.exitstatus)


def _finish(session: pytest.Session) -> None:
    """Set pytest's exit status by the gate."""
    run = session.config.stash.get(RUN, None)
    if run:
        fail_on = run.settings.fail_on
        status = exit_status(session.exitstatus, run.verdict, run.bugs, fail_on)
        session.exitstatus = UNSOUND if run.unsound else status
    elif PROBLEM in session.config.stash:
        _, session.exitstatus = session.config.stash[PROBLEM]
    elif session.exitstatus == 0 and _tries(session.config):
        # A run without checks shows nothing, whatever other tests passed.
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    if run and "hypothesis" not in sys.modules:
        _unload(session.config, "hypothesispytest")


def _unload(config: pytest.Config, name: str) -> None:
    """Remove a plugin: Hypothesis' imports all of it at the end, to sum up that nothing used it."""
    if plugin := config.pluginmanager.get_plugin(name):
        config.pluginmanager.unregister(plugin)


def _write(config: pytest.Config) -> list[str]:
    """Write the reports of a run that has ended, once; return what could not be, as warnings."""
    if ENDED not in config.stash or WRITTEN in config.stash:
        return []
    config.stash[WRITTEN] = True
    warnings = [*config.stash[ENDED].write()]
    if wanted := config.stash.get(ALLURE, None):
        from readiness.reporters import allure

        try:
            allure.copy(config.stash[RUN].folder, Path(wanted))
        except OSError as error:
            warnings.append(f"warning: {error}")
    return warnings


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the reports where nothing was printed, as after an error of another plugin."""
    for warning in _write(config):
        print(warning, file=sys.stderr)
    if interrupts := config.stash.get(INTERRUPTS, None):
        interrupts.end()


def _tries(config: pytest.Config) -> bool:
    """Whether an endpoint is to be tried."""
    option = config.stash.get(OPTIONS, None)
    return bool(option and option.endpoint and not option.plan)


def _show(reporter: pytest.TerminalReporter, config: pytest.Config, status: int) -> None:
    """Print the plan, or how the run ended, or why it did not begin; and write the reports."""
    problem, _ = config.stash.get(PROBLEM, ("", 0))
    if problem:
        reporter.write_line(problem)
    planned, ended = config.stash.get(PLAN, None), config.stash.get(ENDED, None)
    if not (planned or ended):
        return
    from readiness.cli import configure, report
    from readiness.cli.progress import Screen
    from readiness.reporters.terminal import print_plan

    console = Screen.console(reporter)
    if planned:
        checks, prices = planned
        print_plan(console, checks, configure.concurrency(config.stash[OPTIONS]), prices)
    if ended:
        run, verbose = config.stash[RUN], reporter.verbosity > 0
        if verbose:
            _explain(reporter)
        ending = _ending(config, run, status)
        report.show(console, ended.record, run.folder, run.folder, verbose=verbose, ending=ending)


def _ending(config: pytest.Config, run: Run, status: int) -> Iterator[str]:
    """Write the reports; say what could not be written, and what kept the run from its end."""
    from readiness.cli import report
    from readiness.evidence.printable import escape_unprintable

    yield from map(escape_unprintable, _write(config))
    interrupted = status == pytest.ExitCode.INTERRUPTED
    if why := run.runner.stopped or ("interrupted" if interrupted else ""):
        yield from report.stopped(run, why)
    if run.unsound:
        yield f"the evidence fails its integrity check: {run.unsound}"


def _explain(reporter: pytest.TerminalReporter) -> None:
    """Print of each check that is not ready what was required and shown, and why trials failed."""
    for each in reporter.getreports(Verdict.NOT_READY):
        reporter.write_sep("_", each.nodeid.partition("::")[2])
        reporter.write_line(each.longreprtext)
