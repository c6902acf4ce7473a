"""The pytest plugin: collects checks, starts all of them, and reports each result."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from readiness.check import Check
from readiness.cli import options
from readiness.cli.item import PROGRESS, RUN, CheckItem
from readiness.evidence.log import EvidenceIntegrityError
from readiness.verdict.exit_status import UNSOUND, exit_status

# Every pytest run in an environment with this plugin imports this module: the slow imports
# (aiohttp, rich, yaml) are in the hooks, which need them only for a run with checks.
if TYPE_CHECKING:
    from readiness.evidence.run_folder import Record
    from readiness.policy.plan import PlannedCheck
    from readiness.runner.run import Run
    from readiness.runner.settings import Settings

PLAN: pytest.StashKey[Sequence[PlannedCheck]] = pytest.StashKey()
RECORD: pytest.StashKey[Record] = pytest.StashKey()
ALLURE: pytest.StashKey[str | None] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a readiness run."""
    options.add(parser.getgroup("readiness", "readiness of an LLM endpoint"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the files that have checks: the built-in ones and, in a readiness run, yours."""
    config.addinivalue_line("python_files", "readiness/checks/*/check*.py")
    if options.requested(config):
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
    """Put the checks that run alone last."""
    items.sort(key=lambda item: isinstance(item, CheckItem) and item.check.alone)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Start all checks before pytest waits for the first."""
    checks = [item.check for item in session.items if isinstance(item, CheckItem)]
    if not checks or session.config.option.collectonly:
        return (yield)
    with ExitStack() as stack:
        try:
            _start(session, checks, stack)
        except LookupError as error:
            raise pytest.UsageError(str(error)) from error
        except EvidenceIntegrityError as error:
            pytest.exit(f"the evidence fails its integrity check: {error}", UNSOUND)
        return (yield)


def _start(session: pytest.Session, checks: Sequence[Check], stack: ExitStack) -> None:
    """Start the checks; or, for a plan or an unusable endpoint, leave pytest nothing to run."""
    from readiness.cli import configure
    from readiness.cli.progress import CheckLines, Progress

    config = session.config
    planned = configure.plan_checks(config.option, checks)
    if config.option.plan:
        config.stash[PLAN] = planned
        session.items.clear()
        return
    url = stack.enter_context(configure.serving(config.option))
    run = stack.enter_context(
        _reported(config, configure.settings(config.option, url, checks), planned)
    )
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter:
        config.stash[PROGRESS] = Progress(reporter, run.runner, run.budget)
        config.pluginmanager.register(CheckLines(reporter), "readiness lines")
    if run.problem:
        session.items.clear()
    else:
        run.start([each for each in planned if not each.check.alone])


@contextmanager
def _reported(
    config: pytest.Config, settings: Settings, planned: Sequence[PlannedCheck]
) -> Generator[Run]:
    """Open a run, and write its reports when it ends, also by Ctrl-C or an internal error."""
    from readiness.cli import report
    from readiness.runner.session import open_run

    def write() -> None:
        config.stash[RECORD] = report.write(run)

    with ExitStack() as ended, open_run(settings, planned) as run:
        config.stash[RUN] = run
        ended.callback(write)
        yield run


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count inconclusive checks separately; `CheckLines` prints the line of each check."""
    if report.when != "call" or "check" not in (found := dict(report.user_properties)):
        return None
    verdict = str(found.get("verdict", report.outcome))
    if report.failed and verdict == "inconclusive":
        return "inconclusive", "", "INCONCLUSIVE"
    category = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    return category, "", verdict.upper()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Set pytest's exit status by the gate, and copy Allure's results where requested."""
    run = session.config.stash.get(RUN, None)
    if run:
        session.exitstatus = exit_status(session.exitstatus, run.verdict, run.bugs)
    elif (
        session.config.option.endpoint
        and session.exitstatus == 0
        and not _plans_only(session.config)
    ):
        # A run without checks shows nothing, whatever other tests passed.
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
    if run and (wanted := session.config.stash.get(ALLURE, None)):
        from readiness.reporters import allure

        allure.copy(run.folder, Path(wanted))


def _plans_only(config: pytest.Config) -> bool:
    return bool(config.option.plan or config.option.collectonly)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the plan, or the matrix."""
    planned, record = config.stash.get(PLAN, None), config.stash.get(RECORD, None)
    if not (planned or record):
        return
    from readiness.cli import configure, report
    from readiness.cli.progress import Screen
    from readiness.reporters.terminal import print_plan

    terminalreporter.ensure_newline()
    console = Screen.console(terminalreporter)
    if planned:
        print_plan(console, planned, configure.concurrency(config.option))
    if record:
        folder = config.stash[RUN].folder
        report.show(console, record, folder, folder)
