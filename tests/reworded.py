"""The outcomes of fixtures under this program, or with every message reworded."""

from __future__ import annotations

import ast
import asyncio
import codecs
import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from readiness.chat import Chat
    from readiness.check import Check
    from readiness.exchange import Send
    from readiness.probe import Probe
    from readiness.score import Score

#: What is called with a reason, and what a reason is called before it is given.
TOLD_TO = {
    "failed",
    "scored",
    "Score",
    "EndpointError",
    "malformed",
    "NotJson",
    "ApiKeyRejected",
    "cls",
}
TOLD_TO |= {"Unassessable"}
TOLD_AS = {"why", "told", "said", "reason", "silent", "short", "declared", "asked"}
#: Modules whose functions return reasons.
TELLING = ("readiness.load.latency", "readiness.verdict.labels")

LONG = 20_000  # characters


class Reworded(ast.NodeTransformer):
    """A module whose reasons are in other words: each letter is another."""

    def __init__(self, module: str) -> None:
        self._tells = module in TELLING

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in TOLD_TO:
            node.args = [_reworded(each) for each in node.args]
            for keyword in node.keywords:
                keyword.value = _reworded(keyword.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        names = {getattr(each, "id", "") for each in node.targets}
        if names & TOLD_AS:
            node.value = _reworded(node.value)
        if "DEFECT_TEXTS" in names and isinstance(node.value, ast.Dict):
            node.value.values = [_reworded(each) for each in node.value.values]
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if self._tells and node.value is not None:
            node.value = _reworded(node.value)
        return node


def _reworded(node: Any) -> Any:
    if isinstance(node, ast.IfExp):
        node.body, node.orelse = _reworded(node.body), _reworded(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        node.values = [_reworded(each) for each in node.values]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        # The name of a place to fill is none of the words.
        parts = node.value.split("{field}")
        words = "{field}".join(codecs.encode(each, "rot13") for each in parts)
        return ast.copy_location(ast.Constant(words), node)
    return node


class RewordedLoader(SourceFileLoader):
    """Loads a module in other words."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile it in other words, and never from a cache."""
        path = self.get_filename(fullname)
        tree = Reworded(self.name).visit(ast.parse(self.get_data(path)))
        code: CodeType = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        return code


class RewordedFinder(MetaPathFinder):
    """Finds what judges in other words, and what answers as it is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of this program."""
        if not fullname.startswith("readiness") or ".mutants" in fullname:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            return spec
        loader: Loader = RewordedLoader(fullname, spec.origin)
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=loader,
            submodule_search_locations=spec.submodule_search_locations,
        )  # fmt: skip


Shown = tuple[object, str]


def outcomes() -> Iterator[Shown]:
    """What is decided of each fixture, and the reason where one is given."""
    yield from _streams()
    yield from _models()
    yield from _documents()
    yield from _stability()
    yield from _labels()
    with TemporaryDirectory() as folder:
        yield from _finished_run(Path(folder))


def _streams() -> Iterator[Shown]:
    from readiness.checks.api import scoring_streams as api
    from readiness.protocol.completion import read
    from tests.exchanges import streamed
    from tests.protocol.test_stream_defects import DEFECTIVE, HARMLESS

    for chunks in (*DEFECTIVE.values(), *HARMLESS.values()):
        reply = read(streamed(*chunks))
        for kinds in (api.FRAMING, api.ENDING, api.FINISHING, api.DAMAGE):
            score = api.score_defects(reply, kinds)
            yield score.outcome, score.reason


def _models() -> Iterator[Shown]:
    from readiness.exchange import Exchange
    from readiness.protocol.capability import Models, choose

    for status in (200, 401, 403, 404, 500):
        models = Models.read(Exchange(None, status, {}, b"{}", (), None, "", 0.0, 1))
        try:
            choose(models, "")
        except Exception as error:
            yield type(error).__name__, models.problem


def _documents() -> Iterator[Shown]:
    """A document that the endpoint finds too long is sent again, and no other that it refuses."""
    from readiness.chat import Chat
    from readiness.checks.long_context.checks import accepts_128k
    from readiness.mutants.endpoint.protocol import MODEL, WINDOW
    from readiness.protocol.dialect import Dialect
    from readiness.score import EndpointError
    from tests.reference_in_process import fresh

    (probe, *_) = accepts_128k.probes(3, 1)
    for message in ("the context length is exceeded", "the engine is busy"):
        chat = Chat(_refusing_once(message), Dialect(MODEL), fresh(WINDOW, defects_only=True))
        try:
            score = asyncio.run(_attempt(accepts_128k, chat, probe))
        except EndpointError as error:
            score = error.score
        yield score.outcome, score.reason


def _refusing_once(message: str) -> Send:
    """The reference endpoint, which refuses the first long document."""
    from readiness.exchange import Call, Exchange
    from tests.exchanges import came
    from tests.reference_in_process import reference

    answer, refused = reference(), list[Call]()

    async def send(call: Call) -> Exchange:
        if refused or len(str(call.body)) < LONG:
            return await answer(call)
        refused.append(call)
        body = json.dumps({"error": {"message": message}}).encode()
        return came(body, call.body, status=400)

    return send


async def _attempt(check: Check, chat: Chat, probe: Probe) -> Score:
    return await check.attempt(chat, probe)


def _stability() -> Iterator[Shown]:
    from readiness.checks.stability import scoring
    from readiness.checks.stability.scenarios import BadInput, RestartResult
    from readiness.exchange import Fault
    from tests.exchanges import came

    fine = came(b"{}", {})
    for fault in Fault:
        cut = came(b"", {}, fault=fault)
        yield scoring.score_restart(RestartResult(0, [cut], 1.0, [""])).outcome, ""
        for oversized in (True, False):
            score = scoring.score_bad_input([BadInput("50 MB of text", cut, oversized)], [fine])
            yield score.outcome, ""


def _labels() -> Iterator[Shown]:
    from readiness.checks.long_context.checks import accepts_128k
    from readiness.score import PASSED, SETTLED, Outcome, Score
    from readiness.verdict.claim import Claim
    from readiness.verdict.labels import Review, ReviewEntry
    from readiness.verdict.result import Result, Trial

    review = Review([ReviewEntry("a.b", "p", "x", "why", "pass", by) for by in ("judge mini",)])
    labelled = review.settle("a.b", "p", "x", Score(Outcome.UNDETERMINED, "who knows"))
    scores = (PASSED, labelled, SETTLED)
    trials = [Trial("p", number, each) for number, each in enumerate(scores)]
    result = Result(accepts_128k, Claim(1.0, 0.0, 0.05, 3), trials)
    yield (result.executed, labelled.settled_by, result.verdict), labelled.reason
    yield len(result.reasons), SETTLED.reason


def _finished_run(folder: Path) -> Iterator[Shown]:
    from readiness.baseline.finished_run import read
    from readiness.evidence.log import REPEAT, Evidence
    from readiness.evidence.redaction import Secrets
    from readiness.score import PASSED, SETTLED, failed

    about = {"check": "a.b", "probe": "p", "trial": 0}
    with Evidence(folder / "evidence.jsonl", Secrets([])) as evidence:
        evidence.trial(about, PASSED, [], "")
        evidence.trial({**about, REPEAT: True}, failed("why not"), [], "")
        evidence.trial({**about, "trial": 1}, SETTLED, [], "")
    found = read(folder / "evidence.jsonl")
    yield [each.made for each in found.trials.values()], SETTLED.reason
    yield found.repeat_disagreement, ""


if __name__ == "__main__":
    if "--reworded" in sys.argv:
        sys.meta_path.insert(0, RewordedFinder())
    print(json.dumps(list(outcomes())))
