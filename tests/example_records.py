"""Example records without a run: two dimensions, and every verdict."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from readiness.evidence import run_folder
from readiness.evidence.log import Evidence
from readiness.evidence.redaction import Secrets
from readiness.exchange import Arrival, Exchange
from readiness.reporters import surfaces
from readiness.score import PASSED, failed

Json = dict[str, Any]
DIGEST = "0" * 64
CLIENT: Json = {
    "system": "Linux x86_64",
    "cores": 2,
    "python": "3.11.7",
    "load_workers": 0,
    "cluster": "",
}


def check(name: str, verdict: str = "ready", **changes: Any) -> Json:
    """One check of a record."""
    return {
        "id": name,
        "requirement": f"The endpoint MUST do {name}.",
        "gate": "required",
        "trials": 100,
        "made": 100,
        "passed": 100,
        "low": 0.963,
        "high": 1.0,
        "at_least": 0.9705,
        "required": 1.0,
        "margin": 0.05,
        "alpha": 0.05,
        "defects_only": False,
        "more_needed": 0,
        "verdict": verdict,
        "score": 100,
        "outcomes": {"pass": 100},
        "reasons": [],
        "slices": {},
        "measures": [],
        "times": [],
        "doubts": [],
        "controls": {"trials": 0, "passed": 0},
        "streak": 100,
        "all_of": {"3": 1.0},
        "not_passed": [],
        **changes,
    }


def reason(said: str, count: int) -> Json:
    """Why so many trials did not pass, all of them alike."""
    return {"kind": said, "reason": said, "example": said, "count": count}


def failing(name: str, **changes: Any) -> Json:
    """A check that is not ready, with one failed trial."""
    found = {
        "passed": 99,
        "low": 0.9455,
        "high": 0.9982,
        "at_least": 0.9534,
        "score": 59,
        "outcomes": {"pass": 99, "fail": 1},
        "reasons": [reason("said nothing", 1)],
        "not_passed": [
            {
                "probe": "p.1",
                "outcome": "fail",
                "reason": "said nothing",
                "exchanges": [1],
                "asked": "What did I say?",
                "came": "",
            }
        ],
    }
    return check(name, "not ready", **{**found, **changes})


def measure(name: str, value: float, unit: str = "", **at: float | str) -> Json:
    """One figure of a trial."""
    return {"probe": "p.1", "name": name, "value": value, "unit": unit, "at": at}


def record(*dimensions: Json, **changes: Any) -> Json:
    """A record; by default one that has something of everything."""
    return {
        "schema": "readiness/1",
        "verdict": "not ready",
        "score": 59,
        "exit_status": 1,
        "deciding": ["memory"],
        "problem": "",
        "profile": "ci",
        "seed": 0,
        "concurrency": 8,
        "target": {
            "endpoint": "http://127.0.0.1:8000/v1",
            "model": "mini",
            "server": "mini/1",
            "window": 8192,
            "reasoning": False,
            "budget_parameter": "max_tokens",
            "sampling": {"temperature": 0},
            "lacking": {"tools": "tools are not supported"},
        },
        "machine": {
            "hardware": "rtx-3060-12g",
            "quantization": "Q4_K_M",
            "metrics": "",
            "webui": "",
        },
        "client": CLIENT,
        "license_evidence": {"": {"LICENSE": DIGEST}},
        "harness": {
            "version": "0.1.0",
            "policy": "article",
            "policy_sha256": DIGEST,
            "prompts_sha256": DIGEST,
            "openai_sdk": "3.54.0",
        },
        "started": "2026-11-22T12:24:29Z",
        "finished": "2026-11-22T12:30:00Z",
        "requests": {"sent": 2, "retried": 1, "failed": 0},
        "tokens": {"prompt": 1000, "completion": 200},
        "evidence": {"file": "evidence.jsonl", "exchanges": 2, "head": DIGEST},
        "waivers": [],
        "dimensions": list(dimensions) or everything(),
        **({} if dimensions else {"baseline": baseline()}),
        **changes,
    }


def baseline() -> Json:
    """What stands in a record of the run before: a rule that broke, and one that is not shown."""
    item = {
        "probe": "p.1",
        "outcome": "fail",
        "reason": "said nothing",
        "exchanges": [1],
        "reply": "{}",
        "baseline_exchanges": [7],
        "baseline_reply": '{"content": "7"}',
    }
    return {
        "run": "2026-11-21-mini",
        "model": "mini",
        "started": "2026-11-21T12:24:29Z",
        "concurrency": 8,
        "head": DIGEST,
        "run_verdict": "ready",
        "verdict": "not ready",
        "identity": "advisory",
        "alpha": 0.05,
        "drift": [{"what": "server", "before": "mini/0", "now": "mini/1"}],
        "agree": 298,
        "pairs": 300,
        "noise": {"trials": 100, "differ": 3},
        "unpaired": ["long_context.finds"],
        "checks": [
            compared("memory.keeps"),
            compared("memory.doubtful", gained=1, shown=False, slower=True, pace=1.5),
            compared(
                "memory.recall_at_turn_50",
                lost=1,
                regressed=True,
                items=[item],
            ),
        ],
    }


def compared(name: str, **changes: Any) -> Json:
    """One check of a record beside its baseline."""
    return {
        "id": name,
        "gates": True,
        "pairs": 100,
        "lost": 0,
        "gained": 0,
        "chance": 1.0,
        "regressed": False,
        "at_least": -0.0264,
        "margin": 0.05,
        "non_inferiority": "advisory",
        "shown": True,
        "pace": 1.0,
        "timed": 100,
        "slower": False,
        "items": [],
        **changes,
    }


def dimension(name: str, *checks: Json, **changes: Any) -> Json:
    """One dimension of a record."""
    worst = "not ready" if any(each["verdict"] == "not ready" for each in checks) else "ready"
    said = {"id": name, "verdict": worst, "score": 59 if worst == "not ready" else 100}
    return {**said, "gate": "required", "missing": [], "checks": list(checks), **changes}


PAIRS = {"covered": 290, "possible": 344}
PAIR = {
    "labels": [
        {"label": "tools offered", "value": "irrelevant"},
        {"label": "system message", "value": "any"},
    ],
    "failed": 7,
    "trials": 7,
    "failed_elsewhere": 0,
    "trials_elsewhere": 93,
    "chance": 0.0001,
    "fails_alone": True,
}


def everything() -> list[Json]:
    """Dimensions that have something of everything."""
    found = [measure("found", 1, length=8192, depth=0.5), measure("found", 0, length=8192, depth=1)]
    times = [measure("time to first token", 0.2 * n, "s", length=8192) for n in range(1, 6)]
    slices = {
        "distance": {"6-10": {"trials": 50, "passed": 50}, "11-20": {"trials": 50, "passed": 49}}
    }
    return [
        dimension(
            "memory",
            failing("memory.recall_at_turn_50", slices=slices, worst_pair=PAIR, pairs=PAIRS),
            check("memory.keeps", "inconclusive", more_needed=7, score=80),
            check("memory.doubtful", "inconclusive", doubts=["control item c: no"], score=89),
            failing("memory.advised", gate="advisory", required=0.9),
            missing=["memory.lost"],
            pairs=PAIRS,
        ),
        dimension(
            "long_context",
            check("long_context.finds", measures=[*found, *times]),
            check(
                "long_context.lacks",
                "not assessed",
                passed=0,
                outcomes={"unsupported": 90, "skipped": 10},
                reasons=[reason("unsupported: no tools", 90)],
            ),
        ),
    ]


def with_texts(found: Json, text: Callable[[str], str]) -> Json:
    """The record, with each text that is free by its schema replaced; names of mappings too."""
    said = copy.deepcopy(found)
    said["deciding"] = [text(each) for each in said["deciding"]]
    said["problem"] = text(said["problem"]) if said["problem"] else ""
    target = said["target"]
    for name in ("endpoint", "model", "server"):
        target[name] = text(target[name])
    target["sampling"] = {text("name"): text("value")}
    target["lacking"] = {text("feature"): text("words")}
    for name in ("version", "policy", "openai_sdk"):
        said["harness"][name] = text(said["harness"][name])
    for name in ("system", "python", "cluster"):
        said["client"][name] = text(said["client"][name])
    said["evidence"]["file"] = text(said["evidence"]["file"])
    for each in said["dimensions"]:
        each["id"] = text(each["id"])
        each["missing"] = [text(name) for name in each["missing"]]
        each["checks"] = [_with_texts(found, text) for found in each["checks"]]
    former = said["baseline"]
    for name in ("run", "model"):
        former[name] = text(former[name])
    former["drift"] = [{name: text("said") for name in each} for each in former["drift"]]
    former["unpaired"] = [text(each) for each in former["unpaired"]]
    for each in former["checks"]:
        each["id"] = text(each["id"])
        for item in each["items"]:
            item |= {name: text("said") for name in ("probe", "reason", "reply", "baseline_reply")}
    return said


def _with_texts(found: Json, text: Callable[[str], str]) -> Json:
    slices = {text(label): _renamed(parts, text) for label, parts in found["slices"].items()}
    measures = [
        {**each, "probe": text("p"), "name": _name(each["name"], text), "at": _at(each, text)}
        for each in found["measures"]
    ]
    pair = found.get("worst_pair")
    labels = [{"label": text("label"), "value": text("value")}]
    return {
        **found,
        **({"worst_pair": {**pair, "labels": labels}} if pair else {}),
        "id": text(found["id"]),
        "requirement": text(found["requirement"]),
        "reasons": [
            {**each, **{name: text(each[name]) for name in ("kind", "reason", "example")}}
            for each in found["reasons"]
        ],
        "doubts": [text(each) for each in found["doubts"]],
        "slices": slices,
        "measures": measures,
        "not_passed": [
            {**each, "probe": text("p"), "reason": text("why")}
            | {name: text(each[name]) for name in ("asked", "came") if name in each}
            for each in found["not_passed"]
        ],
    }


def _renamed(parts: Json, text: Callable[[str], str]) -> Json:
    return {f"{n} {text(name)}": part for n, (name, part) in enumerate(parts.items())}


def _name(name: str, text: Callable[[str], str]) -> str:
    return name if name == "found" else text(name)


def _at(each: Json, text: Callable[[str], str]) -> Json:
    return each["at"] if each["name"] == "found" else {text("under"): text("what")}


def folder(path: Path, found: Json, said: str = "nothing") -> Path:
    """A run's folder with evidence that belongs to the record, but without surfaces and digests."""
    path.mkdir(exist_ok=True)
    about = {"check": "memory.recall_at_turn_50", "probe": "p.1"}
    body = json.dumps({"said": said}).encode()
    arrivals = (Arrival(5_000_000, len(body)),)
    came = Exchange({"m": []}, 200, {"server": said}, body, arrivals, None, "", 1.5, 7_000_000)
    with Evidence(path / "evidence.jsonl", Secrets([])) as evidence:
        evidence.open({"model": "mini"})
        for number, score in enumerate((PASSED, failed(said))):
            sent = evidence.exchange(came, {**about, "trial": number})
            evidence.trial({**about, "trial": number}, score, [sent.seq], "")
    found["evidence"] = {"file": "evidence.jsonl", "exchanges": 2, "head": evidence.head}
    return path


def run(path: Path, found: Json | None = None) -> Path:
    """A run's folder, complete and unsigned."""
    found = found or record()
    folder(path, found)
    (path / "readiness.json").write_text(json.dumps(found), "utf-8")
    surfaces.write(found, path, path)
    run_folder.write(path)
    return path
