"""The options of a run: names, values, where they may be given, and whether a run is requested."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest

PROFILES = ("smoke", "ci", "full")
#: Sampling: greedy for comparable runs, or the endpoint's defaults, as its users get them.
DECODING: Mapping[str, Mapping[str, Any]] = {"greedy": {"temperature": 0}, "deploy": {}}
FAIL_ON = ("not-ready", "inconclusive")
EMBEDDED = "embedded"
#: Names the endpoint where nothing else does.
BASE_URL_VARIABLE = "OPENAI_BASE_URL"
#: Of every option in pytest, which a name of its own cannot share with another plugin's.
PREFIX = "--readiness-"
#: Settings of the current folder: a table of its own in the one, the whole file in the other.
PYPROJECT, SETTINGS = "pyproject.toml", "readiness.toml"
#: Any package, or checkout of one, that has the built-in checks.
PACKAGE = "readiness"
MIN_EVIDENCE, MAX_SETTINGS = 10**6, 2**20  # bytes


def _whole(given: str) -> int:
    try:
        return int(given)
    except ValueError:
        raise ValueError("give a whole number") from None


def _count(given: str) -> int:
    number = int(given) if given.isdecimal() else 0
    if number < 1:
        raise ValueError("give a whole number, 1 or more")
    return number


def _time(given: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("give a number above 0")
    return number


def _size(given: str) -> int:
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?)B?", given, re.IGNORECASE)
    size = float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " ") if found else 0
    if size < MIN_EVIDENCE:
        raise ValueError("give a size of 1 MB or more, as in 500MB or 2GB")
    return int(size)


def _one_of(*known: str) -> Callable[[str], str]:
    def read(given: str) -> str:
        if given not in known:
            raise ValueError(f"choose one of {', '.join(known)}")
        return given

    return read


@dataclass(frozen=True)
class Option:
    """An option of a run.

    Args:
        name: Its name: `max-minutes` is `--max-minutes` on a command line.
        metavar: What it takes, for people; "" for a switch.
        about: What it does.
        default: The value where none is given.
        read: Reads a value; the `ValueError` of a wrong one says what to give instead.
        repeated: Whether it may be given several times.
        in_file: Whether a settings file may have it.
    """

    name: str
    metavar: str
    about: str
    default: Any = None
    read: Callable[[str], Any] = str
    repeated: bool = False
    in_file: bool = True

    @property
    def dest(self) -> str:
        """The attribute that holds its value."""
        return self.name.replace("-", "_")

    @property
    def declaration(self) -> dict[str, Any]:
        """What argparse needs to know; values stay texts, so that one place reads all."""
        action = "append" if self.repeated else "store" if self.metavar else "store_true"
        shown = {"metavar": self.metavar} if self.metavar else {}
        return {"action": action, "default": None, "help": self.about, **shown}

    def value(self, given: Any) -> Any:
        """The value of what a command line or a settings file gives.

        Raises:
            ValueError: It is wrong; the message says what to give.
        """
        if not self.metavar:
            if not isinstance(given, bool):
                raise ValueError("give true or false")
            return given
        if isinstance(given, bool | dict) or (isinstance(given, list) and not self.repeated):
            raise ValueError(f"give {self.metavar}")
        if self.repeated:
            return [
                self.read(str(each)) for each in (given if isinstance(given, list) else [given])
            ]
        return self.read(str(given))


OPTIONS = (
    Option("endpoint", "URL", "base URL, as in http://host:8000/v1, or `embedded`", ""),
    Option("model", "NAME", "the model's id, where the endpoint serves several", ""),
    Option("profile", "|".join(PROFILES), "how many trials (ci)", "ci", _one_of(*PROFILES)),
    Option("policy", "NAME|FILE", "thresholds and gates (article)", read=Path),
    Option("review", "FILE", "labels for undetermined replies", read=Path),
    Option("baseline", "RUN|URL", "a run or an endpoint to compare with", ""),
    Option("baseline-model", "NAME", "which model of that URL", ""),
    Option(
        "earlier",
        "RUN",
        "an earlier run of the same build, by another seed; may be repeated",
        (),
        Path,
        repeated=True,
    ),
    Option("build", "NAME", "the server's build, where it tells none itself", ""),
    Option("waivers", "FILE", "checks that are waived", read=Path),
    Option("concurrency", "N", "trials in flight (8)", read=_count),
    Option("reports", "DIR", "where runs are written (reports)", Path("reports"), Path),
    Option("seed", "N", "the seed of generated probes (drawn)", read=_whole),
    Option(
        "decoding",
        "|".join(DECODING),
        "temperature 0, or none (greedy)",
        "greedy",
        _one_of(*DECODING),
    ),
    Option("plan", "", "print what would be sent, and send nothing", False),
    Option("max-requests", "N", "send no more", 0, _count),
    Option("max-tokens-total", "N", "use no more", 0, _count),
    Option("max-minutes", "M", "send nothing after that", 0.0, _time),
    Option("max-evidence", "SIZE", "keep no more exchanges (2GB)", 2 * 10**9, _size),
    Option("resume", "RUN", "the folder of a run to resume", read=Path),
    Option(
        "fail-on",
        "|".join(FAIL_ON),
        "the mildest verdict for which the run fails (inconclusive)",
        "inconclusive",
        _one_of(*FAIL_ON),
    ),
    Option("keep-going", "", "run all trials, even of a check that has failed", False),
    Option("fast", "", "end checks of a rate by a sequential test (SPRT)", False),
    # A header may hold a key, which stands in no file.
    Option(
        "header",
        "'K: V'",
        "sent with all requests; may be repeated",
        (),
        repeated=True,
        in_file=False,
    ),
    Option("restart-command", "CMD", "restarts the endpoint; opt-in", ""),
    Option("extra-body", "JSON", "added to every request's body", "{}"),
    Option(
        "license-evidence",
        "PATH",
        "a model's folder, GGUF file, card or record; may be repeated",
        (),
        Path,
        repeated=True,
    ),
    Option(
        "deployment",
        "PATH",
        "a file of the deployment, or a folder of them, which then gates; may be repeated",
        (),
        Path,
        repeated=True,
    ),
    Option("hardware", "NAME", "the machine that serves, by the policy", ""),
    Option("metrics", "URL", "the server's or an exporter's metrics", ""),
    Option("webui", "URL", "the Open WebUI in front of the endpoint, which then gates", ""),
    Option("webui-admin", "", "let WEBUI_EMAIL be an administrator's", False),
    Option("warm", "", "let prompts of a load test share a prefix", False),
    Option("load-workers", "N", "generate load in N processes", 0, _count),
    Option("ray-address", "ADDR", "the Ray cluster that they run on", ""),
    Option("connect-timeout", "S", "seconds (5)", 5.0, _time),
    Option("first-byte-timeout", "S", "seconds (120)", 120.0, _time),
    Option("silence-timeout", "S", "seconds (60)", 60.0, _time),
    Option("reply-timeout", "S", "seconds (600)", 600.0, _time),
)
SHORT = {f"--{each.name}": each for each in OPTIONS}
NAMES = (*SHORT, *(f"{PREFIX}{each.name}" for each in OPTIONS))


def near(name: str, known: Iterable[str] = NAMES) -> str:
    """The question whether another name was meant; "" where none is near."""
    found = get_close_matches(name, list(known), 1)
    return f": did you mean {found[0]}?" if found else ""


def add(group: Any) -> None:
    """Add the options to pytest, each by its prefixed name."""
    for each in OPTIONS:
        group.addoption(f"{PREFIX}{each.name}", dest=_dest(each), **each.declaration)


def _dest(option: Option) -> str:
    return f"readiness_{option.dest}"


def lengthen(args: list[str], parser: pytest.Parser) -> None:
    """Put the prefixed name in place of each short name that no other plugin has.

    Raises:
        pytest.UsageError: A readiness run has a short name that is another plugin's, or a
            misspelt one.
    """
    words = [each.partition("=")[0] for each in args]
    if not any(each in SHORT or each.startswith(PREFIX) or _names_us(each) for each in words):
        return
    _, unknown = parser.parse_known_and_unknown_args(args)
    free = {each.partition("=")[0] for each in unknown}
    if any(map(_names_us, words)) or _given("--endpoint", words, free):
        for word in words:
            _refuse(word, words, free)
    for place, word in enumerate(words):
        if word in SHORT and word in free:
            args[place] = f"{PREFIX}{args[place].removeprefix('--')}"


def _names_us(word: str) -> bool:
    return word in (PACKAGE, f"{PREFIX}endpoint") or word.startswith(f"{PACKAGE}.checks")


def _given(name: str, words: Sequence[str], free: set[str]) -> bool:
    return name in words and name in free


def _refuse(word: str, words: Sequence[str], free: set[str]) -> None:
    """Refuse a name of ours that another plugin has, and one that nobody has."""
    ours = f"{PREFIX}{word.removeprefix('--')}"
    if word in SHORT and word not in free and ours not in words:
        raise pytest.UsageError(f"{word} is the option of another plugin here: ours is {ours}")
    if word in free and word not in SHORT and word.startswith("--") and near(word):
        raise pytest.UsageError(f"{word} is unknown{near(word)}")


def installed(args: list[str], folder: Path) -> None:
    """Let the built-in checks be found where they are installed, outside a checkout of them."""
    if PACKAGE in args and "--pyargs" not in args and not (folder / PACKAGE).exists():
        args.insert(0, "--pyargs")


def chosen(config: pytest.Config) -> Namespace:
    """The values of all options of a pytest run.

    Raises:
        pytest.UsageError: One is wrong; the message says which, where, and what to give.
    """
    given = {each.name: getattr(config.option, _dest(each)) for each in OPTIONS}
    return resolved(given, config.invocation_params.dir)


def resolved(words: Mapping[str, Any], folder: Path) -> Namespace:
    """The values of all options: of the command line, or else of a settings file, or defaults.

    Raises:
        pytest.UsageError: One is wrong; the message says which, where, and what to give.
    """
    file = dict(_of_file(folder))
    values = {}
    for option in OPTIONS:
        given = words.get(option.name)
        where, given = (f"--{option.name}", given) if given is not None else _found(option, file)
        try:
            values[option.dest] = option.default if given is None else option.value(given)
        except ValueError as error:
            raise pytest.UsageError(f"{where} {given}: {error}") from None
    return Namespace(**values)


def _found(option: Option, file: Mapping[str, tuple[str, Any]]) -> tuple[str, Any]:
    where, given = file.get(option.name, ("", None))
    return f"{where}: {option.name} =", given


def _of_file(folder: Path) -> Iterator[tuple[str, tuple[str, Any]]]:
    """The settings of a folder by name, each with the file that it stands in."""
    known = [each.name for each in OPTIONS if each.in_file]
    for path, keys in ((folder / PYPROJECT, ("tool", PACKAGE)), (folder / SETTINGS, ())):
        for name, value in _table(path, keys).items():
            if name not in known:
                raise pytest.UsageError(f"{path.name}: {name} is no setting{near(name, known)}")
            yield name, (path.name, value)


def _table(path: Path, keys: Sequence[str]) -> Mapping[str, Any]:
    """The table of a TOML file at some keys; empty where there is no file, or no table."""
    import tomllib

    from readiness.resources import contents

    try:
        found: Any = tomllib.loads(contents(path, MAX_SETTINGS).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise pytest.UsageError(f"{path.name} cannot be read: {error}") from None
    for key in keys:
        found = found.get(key, {})
    return found if isinstance(found, dict) else {}


def requested(config: pytest.Config) -> bool:
    """Whether this is a readiness run, since every pytest run in the environment calls this."""
    if config.option.collectonly:
        return False
    named = any(PACKAGE in str(each) for each in (*config.args, *config.option.plugins))
    return bool(config.option.readiness_endpoint) or (named and has_endpoint(config))


def has_endpoint(config: pytest.Config) -> bool:
    """Whether the environment or a settings file names the endpoint."""
    return BASE_URL_VARIABLE in os.environ or bool(chosen(config).endpoint)
