"""Names of options beside those of other plugins, their values, and settings in files."""

import sys
from argparse import Namespace
from importlib.metadata import version
from pathlib import Path

import pytest

from readiness.cli import options
from readiness.cli.options import OPTIONS, PREFIX, SHORT
from readiness.cli.run import run as run_command
from tests.miniature import mini
from tests.scripted_server import serving
from tests.user_checks import prepare, record, word

#: As pytest-profiling has it, and a user's own tests.
OTHERS = """
def pytest_addoption(parser):
    parser.addoption("--profile", action="store_true")
    parser.addoption("--endpoint", action="store", default="theirs")
"""
USAGE = pytest.ExitCode.USAGE_ERROR


@pytest.fixture
def own(pytester: pytest.Pytester) -> pytest.Pytester:
    return prepare(pytester)


def test_every_option_has_a_prefix_that_is_ours_alone(own: pytest.Pytester) -> None:
    listed = own.runpytest("--help").stdout.str()
    names = [f"{PREFIX}{each.name}" for each in OPTIONS]
    assert [each for each in names if f"  {each}" not in listed] == []
    assert [each for each in SHORT if f"  {each}" in listed] == []


@pytest.mark.parametrize("place", ["conftest", "plugin"])
def test_another_plugin_keeps_its_names(own: pytest.Pytester, place: str) -> None:
    own.makepyfile(**{place: OTHERS})
    own.makepyfile(
        "def test_it(request):\n    assert request.config.getoption('profile')\n"
        "    assert request.config.getoption('endpoint') == 'mine'\n"
    )
    loaded = ["-p", "plugin"] if place == "plugin" else []
    own.syspathinsert()
    result = own.runpytest(*loaded, "--profile", "--endpoint", "mine")
    result.assert_outcomes(passed=1)


def test_a_short_name_that_another_plugin_has_is_told_in_one_line(own: pytest.Pytester) -> None:
    own.makeconftest(OTHERS)
    result = own.runpytest(f"{PREFIX}endpoint", "http://127.0.0.1:9/v1", "--profile", "smoke", ".")
    assert result.ret == USAGE
    assert result.errlines[0] == (
        "ERROR: --profile is the option of another plugin here: ours is --readiness-profile"
    )


def test_prefixed_names_and_short_ones_mean_the_same(own: pytest.Pytester) -> None:
    asked = ["--policy=own.yaml", "--seed", "7", f"{PREFIX}profile", "smoke", f"{PREFIX}fast", "."]
    with serving(mini(lambda n, request: word(request))) as url:
        own.runpytest("--endpoint", url, *asked)
    found = record(own)
    assert (found["seed"], found["profile"]) == (7, "smoke")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--profle", "smoke"], "--profle is unknown: did you mean --profile?"),
        (["--readiness-sed=1"], "--readiness-sed is unknown: did you mean --readiness-seed?"),
        (["--profile", "smok"], "--profile smok: choose one of smoke, ci, full"),
        (["--concurrency", "0"], "--concurrency 0: give a whole number, 1 or more"),
        (["--max-minutes", "nan"], "--max-minutes nan: give a number above 0"),
        (["--seed", "x"], "--seed x: give a whole number"),
        (["--baseline", "no"], "--baseline no: there is none: name the folder of a run"),
        (["--resume", "no"], "--resume no: there is none: name the folder of a run"),
        (["--earlier", "no"], "--earlier no: there is none: name the folder of a run"),
        (["--review", "no"], "--review no: No such file or directory"),
        (["--waivers", "no"], "--waivers no: no such file"),
        (["--policy", "articl"], "--policy articl is neither a file nor built in: did you mean"),
        (["--reports", "check_words.py"], "--reports check_words.py: nothing can be written to "),
        (["-n", "2"], "checks run concurrently by themselves, "),
    ],
)
def test_what_is_wrong_is_named_in_one_line(
    own: pytest.Pytester, given: list[str], said: str
) -> None:
    if given[0] == "-n":
        own.makeconftest(
            "def pytest_addoption(parser):\n"
            "    parser.addoption('--processes', '-N', dest='numprocesses', type=int)\n"
        )
        given = ["-N", "2"]
    result = own.runpytest("--endpoint", "http://127.0.0.1:9/v1", *given, ".")
    assert result.ret == USAGE
    lines = [each for each in result.errlines if each]
    assert len(lines) == 1
    assert lines[0].startswith(f"ERROR: {said}")


def read(own: pytest.Pytester, *given: str) -> Namespace:
    return options.chosen(own.parseconfig(*given))


def test_settings_stand_in_a_file_and_the_command_line_outranks_it(own: pytest.Pytester) -> None:
    own.makepyprojecttoml(
        '[tool.readiness]\nprofile = "full"\nconcurrency = 3\nlicense-evidence = ["a", "b"]\n'
    )
    (own.path / "readiness.toml").write_text("fast = true\nconcurrency = 4\n", "utf-8")
    found = read(own, "--profile", "smoke")
    assert (found.profile, found.concurrency, found.fast) == ("smoke", 4, True)
    assert found.license_evidence == [Path("a"), Path("b")]
    assert (found.reports, found.max_minutes) == (Path("reports"), 0.0)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("profle = 'ci'", "readiness.toml: profle is no setting: did you mean profile?"),
        ("concurrency = 0", "readiness.toml: concurrency = 0: give a whole number, 1 or more"),
        ("fast = 'yes'", "readiness.toml: fast = yes: give true or false"),
        ("seed = true", "readiness.toml: seed = True: give N"),
        ("header = ['Authorization: Bearer k']", "readiness.toml: header is no setting"),
        ("profile =", "readiness.toml cannot be read: "),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(own: pytest.Pytester, file: str, said: str) -> None:
    (own.path / "readiness.toml").write_text(file, "utf-8")
    with pytest.raises(pytest.UsageError) as raised:
        read(own)
    assert str(raised.value).startswith(said)


def test_settings_of_ours_change_no_run_of_other_tests(own: pytest.Pytester) -> None:
    (own.path / "readiness.toml").write_text("endpoint = 'http://127.0.0.1:9/v1'", "utf-8")
    own.makepyfile("def test_it(): pass")
    own.runpytest().assert_outcomes(passed=1)


def test_readiness_run_does_the_same_from_any_folder(
    own: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What concerns the folder's own tests is not in its way.
    own.makeini("[pytest]\naddopts = --no-such-option\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--neither")
    with serving(mini(lambda n, request: word(request))) as url:
        command = ("-m", "readiness.cli.main", "run", url, ".", "--policy", "own.yaml")
        result = own.run(sys.executable, *command, "--seed", "5", "-q")
    assert result.ret == 0
    assert (record(own)["seed"], record(own)["verdict"]) == (5, "ready")


def test_the_version_is_told(own: pytest.Pytester) -> None:
    result = own.run(sys.executable, "-m", "readiness.cli.main", "--version")
    assert (result.ret, result.outlines) == (0, [f"readiness {version('llm-readiness')}"])


def test_pytest_finds_the_built_in_checks_in_any_folder(own: pytest.Pytester) -> None:
    result = own.runpytest("readiness", "--endpoint", "http://127.0.0.1:9/v1", "--plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["api.malformed_json_rejected *", "all *"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["URL", "--profle", "ci"], "--profle is unknown: did you mean --profile?"),
        (["URL", "json_only.promted_json"], "did you mean json_only.prompted_json?"),
        (["URL", "json_onli"], "json_onli is no dimension, check or file: did you mean json_only?"),
        (["URL", "nonsense"], "nonsense is no dimension, check or file"),
    ],
)
def test_readiness_run_names_what_is_wrong(
    given: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "")
    assert run_command(given) == USAGE
    assert said in capsys.readouterr().err


def test_a_check_is_run_again_by_its_id(own: pytest.Pytester) -> None:
    command = ("-m", "readiness.cli.main", "run", "http://127.0.0.1:9/v1", "--plan")
    result = own.run(sys.executable, *command, "license.verbatim_license_text", "-q")
    planned = [each.split()[0] for each in result.outlines if each.startswith("license.")]
    assert (result.ret, planned) == (0, ["license.verbatim_license_text"])


@pytest.mark.parametrize("named", ["license", "license.verbatim_license_text"])
def test_the_first_word_is_a_check_where_the_endpoint_stands_in_a_file(
    own: pytest.Pytester, named: str
) -> None:
    (own.path / "readiness.toml").write_text('endpoint = "http://127.0.0.1:9/v1"\n')
    result = own.run(sys.executable, "-m", "readiness.cli.main", "run", named, "--plan", "-q")
    planned = {each.partition(" ")[0] for each in result.outlines if each.startswith("license.")}
    assert (result.ret, "license.verbatim_license_text" in planned) == (0, True)


def test_the_endpoint_may_be_named_as_in_pytest(own: pytest.Pytester) -> None:
    command = ("-m", "readiness.cli.main", "run", "--endpoint", "http://127.0.0.1:9/v1", "--plan")
    result = own.run(sys.executable, *command, "license.verbatim_license_text", "-q")
    planned = [each.split()[0] for each in result.outlines if each.startswith("license.")]
    assert (result.ret, planned) == (0, ["license.verbatim_license_text"])


def test_a_folder_without_checks_is_told(own: pytest.Pytester) -> None:
    own.mkdir("reports")
    command = ("-m", "readiness.cli.main", "run", "http://127.0.0.1:9/v1", "reports")
    result = own.run(sys.executable, *command)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stderr.fnmatch_lines(["no check in reports: name a dimension, *"])


@pytest.mark.parametrize("named", ["check_words.py", "."])
def test_the_first_word_is_a_file_of_checks_where_the_endpoint_stands_in_one(
    own: pytest.Pytester, named: str
) -> None:
    settings = 'endpoint = "http://127.0.0.1:9/v1"\npolicy = "own.yaml"\n'
    (own.path / "readiness.toml").write_text(settings)
    result = own.run(sys.executable, "-m", "readiness.cli.main", "run", named, "--plan", "-q")
    result.stdout.fnmatch_lines(["words.repeats *", "words.answers *"])
    assert result.ret == 0


def test_a_dimension_is_run_beside_a_folder_of_its_name(own: pytest.Pytester) -> None:
    own.mkdir("license")
    command = ("-m", "readiness.cli.main", "run", "http://127.0.0.1:9/v1", "--plan", "-q")
    result = own.run(sys.executable, *command, "license")
    assert (result.ret, result.stdout.str().count("license.verbatim_license_text")) == (0, 1)
    # The folder itself is named as one.
    assert own.run(sys.executable, *command, "./license").ret == pytest.ExitCode.NO_TESTS_COLLECTED
