"""How the classifier of `refusal` reads replies that others have labelled, beside two peers.

python -m benchmarks.refusal_outside FOLDER [--half even|odd] [--forms text steps]

FOLDER holds checkouts of the public repositories, each under any name; one that is not there is
left out. Nothing of them is part of this project.
  XSTest         github.com/paul-rottger/exaggerated-safety    model_completions/*.csv
  Do-Not-Answer  github.com/Libr-AI/do-not-answer              datasets/Review/Human/*.csv
  JailbreakBench github.com/JailbreakBench/artifacts           attack-artifacts/*/*/*.json
  JADE-DB v3     github.com/whitzard-ai/jade-db                jade-db-v3.0/jade_alignment_*_zh.csv
  garak          github.com/NVIDIA/garak                       garak/detectors/mitigation.py
  XSTest's matcher, in the first                      evaluation/classify_completions_strmatch.py
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from readiness.checks.refusal.classification import BLOCKED, BYPASSED, Bait, classify_reply
from readiness.statistics.proportions import wilson

#: Prompt, reply and label.
Labelled = tuple[str, str, str]
Matcher = Callable[[str], bool]
FORMS = ("text", "steps")
OUTCOMES = ("blocked", "bypass", "undetermined")
ACTIONS = ("cannot assist", "refutes", "dual perspectives", "disclaimer", "unable", "follows")
_WORD = re.compile(r"[a-z]{4,}")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
#: Words and characters of a prompt that say nothing of its topic.
_EMPTY_WORDS = re.compile(
    "what|when|where|which|that|this|these|those|with|from|have|does|should|would|could|there|their"
    "|they|them|about|some|into|your|yours|mine|more|most|than|then|been|being|will|just|make|like"
    "|give|tell|write|please|best|ways|someone|people|want|need|using|used|also|only|such|other"
)
_EMPTY_LETTERS = frozenset(
    "的了是在我你您他她它们这那有和与或就也都而及着过吗呢吧啊把被让给对从向为以于之其所"
    "请怎么如何什哪个些样能可会要想说写做帮不没"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("even", "odd"), help="of the SHA-256 of the prompts")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    options = parser.parse_args()
    peers = {**garak(options.folder), **xstest_matcher(options.folder)}
    print("blocked / bypass / undetermined, and the share of each with Wilson's interval (95 %)\n")
    head = ["set, label", "n", *options.forms, *(f"refusals by {name}" for name in peers)]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, read in SETS.items():
        rows = [row for row in read(options.folder) if half_of(row[0], options.half)]
        for label in sorted({label for _, _, label in rows}):
            cells = [row for row in rows if row[2] == label]
            found = [outcomes(cells, form) for form in options.forms]
            matched = [
                share(sum(map(by, (r for _, r, _ in cells))), len(cells)) for by in peers.values()
            ]
            print(
                f"| {' | '.join([f'{name}, {label}', str(len(cells)), *found, *matched])} |",
                flush=True,
            )


def half_of(prompt: str, half: str | None) -> bool:
    """Whether a prompt belongs to a half; all do where none is named."""
    even = int(sha256(prompt.encode()).hexdigest(), 16) % 2 == 0
    return half is None or even == (half == "even")


def outcomes(rows: list[Labelled], form: str) -> str:
    """What the replies were found to do, had that form been asked for."""
    found = Counter(outcome(reply, Bait(form, topic(prompt))) for prompt, reply, _ in rows)
    counts = " / ".join(str(found[each]) for each in OUTCOMES)
    return f"{counts} ({'; '.join(share(found[each], len(rows)) for each in OUTCOMES)})"


def outcome(reply: str, bait: Bait) -> str:
    """What one reply was found to do."""
    kind = classify_reply(reply, bait).kind
    return "blocked" if kind in BLOCKED else "bypass" if kind in BYPASSED else "undetermined"


def share(count: int, of: int) -> str:
    """A share with its interval."""
    low, high = wilson(count, of)
    return f"{count / of:.1%} [{low:.1%}, {high:.1%}]"


def topic(prompt: str) -> tuple[str, ...]:
    """The words of a prompt that a real answer would hold: long ones, and pairs of characters."""
    words = [word for word in _WORD.findall(prompt.lower()) if not _EMPTY_WORDS.fullmatch(word)]
    pairs = [run[at : at + 2] for run in _HAN.findall(prompt) for at in range(len(run) - 1)]
    told = [*words, *(pair for pair in pairs if _EMPTY_LETTERS.isdisjoint(pair))]
    return tuple(dict.fromkeys(told)) or (prompt,)


def _rows(path: Path, encoding: str = "utf-8-sig") -> Iterator[Mapping[str, str]]:
    csv.field_size_limit(10**9)
    with path.open(encoding=encoding, newline="") as lines:
        yield from csv.DictReader(lines)


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


def xstest(folder: Path) -> Iterator[Labelled]:
    """Replies labelled by two people."""
    for path in _files(folder, "model_completions/*.csv"):
        for row in _rows(path):
            yield row["prompt"], row["completion"], row["final_label"]


def do_not_answer(folder: Path) -> Iterator[Labelled]:
    """Replies labelled by one person: what they do, and whether that does harm."""
    for path in _files(folder, "datasets/Review/Human/*.csv"):
        for row in _rows(path):
            harmless = " harmlessly" if row["action"] == "5" and row["harmful"] == "0" else ""
            yield row["question"], row["response"], ACTIONS[int(row["action"])] + harmless


def jailbreakbench(folder: Path) -> Iterator[Labelled]:
    """Replies labelled by a model."""
    for path in _files(folder, "attack-artifacts/*/*/*.json"):
        if "test-artifact" in path.parts:
            continue
        for each in json.loads(path.read_text("utf-8"))["jailbreaks"]:
            if each["response"] is not None:
                label = "jailbroken" if each["jailbroken"] else "not jailbroken"
                yield each["goal"], each["response"], label


def jade_db(folder: Path) -> Iterator[Labelled]:
    """Replies in two columns, which label them as a whole and not one by one."""
    for path in _files(folder, "jade_alignment_*_zh.csv"):
        for row in _rows(path, "gb18030"):
            yield row["问题"], row["违规回答"], "violating"
            yield row["问题"], row["安全有用回答"], "safe"


def garak(folder: Path) -> dict[str, Matcher]:
    """The detector MitigationBypass: strings anywhere in a reply, read from its source."""
    for path in _files(folder, "garak/detectors/mitigation.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name == "MitigationBypass":
                return {"garak": partial(_holds, _assigned(node, "substrings"))}
    return {}


def _holds(strings: Sequence[str], reply: str) -> bool:
    return any(each in reply.lower() for each in strings)


def _assigned(node: ast.ClassDef, name: str) -> list[str]:
    """The strings of a list that a class assigns."""
    for each in ast.walk(node):
        if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == name:
            return [str(text).lower() for text in ast.literal_eval(each.value)]
    return []


def xstest_matcher(folder: Path) -> dict[str, Matcher]:
    """The matcher of XSTest: how a reply begins, read from its source."""
    for path in _files(folder, "classify_completions_strmatch.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if _begins(node)]
        told = [ast.literal_eval(call.args[0]) for call in calls if isinstance(call, ast.Call)]
        starts = tuple(str(each) for every in told for each in every)
        return {"XSTest's matcher": partial(_opens, starts)}
    return {}


def _opens(starts: tuple[str, ...], reply: str) -> bool:
    return reply.lower().strip().startswith(starts)


def _begins(node: ast.AST) -> bool:
    """Whether a node calls `startswith` with a tuple."""
    return (
        isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "startswith"
        and isinstance(node.args[0], ast.Tuple)
    )


SETS: Mapping[str, Callable[[Path], Iterator[Labelled]]] = {
    "XSTest": xstest,
    "Do-Not-Answer": do_not_answer,
    "JailbreakBench": jailbreakbench,
    "JADE-DB": jade_db,
}

if __name__ == "__main__":
    main()
