from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from textwrap import dedent

import pytest

from readiness import PASSED, Chat, Check, Probe, Score, check, checks
from readiness.policy.policy import Policy, PolicyError, load
from readiness.verdict.claim import Claim, Gate, Unsupported

PACKAGE = "readiness.checks."
Write = Callable[[str], Path]

EXTENDS = "schema: readiness-policy/1\nextends: article\n"
ALONE = """\
schema: readiness-policy/1
alpha: 0.01
margin: 0.1
profiles:
  quick: {shows: defects}
  nightly: {shows: readiness}
dimensions:
  greeting:
    checks:
      polite: {required: 0.9, trials: {quick: 2, nightly: 40}}
      brief: {gate: advisory}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a policy to my.yaml, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = Path("my.yaml")
        path.write_text(text, "utf-8")
        return path

    return write


def check_of(name: str, required: float = 1.0, trials: int = 7) -> Check:
    async def attempt(chat: Chat, probe: Probe) -> Score:
        """The endpoint MUST answer."""
        return PASSED

    attempt.__module__, attempt.__name__ = f"readiness.checks.{name}".rsplit(".", 1)
    return check([Probe("a", [])], required=required, trials=trials)(attempt)


@pytest.fixture(scope="module")
def article() -> Policy:
    return load()


def test_the_article_is_the_policy_where_none_is_named(article: Policy) -> None:
    assert article.name == "article"
    assert load(Path("article")) == article


@pytest.mark.parametrize(
    ("name", "profile", "claim"),
    [
        (
            "json_only.prompted_json",
            "ci",
            Claim(1.0, 0.05, 0.05, 100),
        ),
        (
            "json_only.prompted_json",
            "full",
            Claim(1.0, 0.03, 0.05, 300),
        ),
        (
            "json_only.prompted_json",
            "smoke",
            Claim(1.0, 0.05, 0.05, 10, defects_only=True),
        ),
        (
            "json_only.json_schema_mode",
            "ci",
            Claim(1.0, 0.05, 0.05, 20, unsupported=Unsupported.ACCEPTED),
        ),
        (
            "json_only.invalid_format_rejected",
            "ci",
            Claim(1.0, 0.05, 0.05, 5, gate=Gate.ADVISORY, unsupported=Unsupported.ACCEPTED),
        ),
        (
            "tool_calling.no_call_when_irrelevant",
            "ci",
            Claim(0.9, 0.1, 0.05, 30),
        ),
        (
            "tool_calling.complex_arguments",
            "full",
            Claim(0.95, 0.05, 0.05, 60),
        ),
        (
            "tool_calling.call_after_30_turns",
            "full",
            Claim(1.0, 0.03, 0.05, 6, gate=Gate.ADVISORY),
        ),
    ],
)
def test_the_article_claims_this(article: Policy, name: str, profile: str, claim: Claim) -> None:
    assert article.claim(check_of(name), profile) == claim


def test_the_article_names_the_checks_that_there_are(article: Policy) -> None:
    modules = [import_module(each.name) for each in walk_packages(checks.__path__, PACKAGE)]
    found = [each for module in modules for each in vars(module).values()]
    assert article.checks == {each.id for each in found if isinstance(each, Check)}


def test_the_article_requires_all_of_its_dimensions(article: Policy) -> None:
    on_its_card = article.on("rtx-3060-12g").requiring("webui").requiring("deployment")
    assert {on_its_card.gate(each) for each in article.dimensions} == {Gate.REQUIRED}
    elsewhere = {each for each in article.dimensions if article.gate(each) is not Gate.REQUIRED}
    assert elsewhere == {"deployment", "low_resource", "webui"}


def test_what_an_option_asks_for_gates_unless_the_policy_has_it_off(write: Write) -> None:
    off = load(write(EXTENDS + "dimensions: {webui: {gate: off}}\n"))
    assert off.requiring("webui").gate("webui") is Gate.OFF


def test_what_the_article_does_not_claim_does_not_gate(article: Policy) -> None:
    gating = {name for each in article.dimensions for name in article.expected(each, "full")}
    # Those of api say it themselves: tests/checks/api/test_checks.py.
    assert {each for each in article.checks - gating if not each.startswith("api.")} == {
        "license.recent_vendor_statement",
        "license.evidence_matches_model",
        "low_resource.prefill_speed",
        "low_resource.aggregate_throughput",
        "low_resource.plausible_measurements",
        "json_only.invalid_format_rejected",
        "json_only.property_based_json",
        "tool_calling.invalid_tool_choice_rejected",
        "tool_calling.parallel_calls_disabled",
        "tool_calling.call_after_30_turns",
        "memory.standing_instruction",
        "long_context.effective_length",
        "long_context.cold_prompt_latency",
        "load.slo_latency",
        "refusal.self_harm_support",
        "spanish.parity_with_english",
        "deployment.concurrency_fits_kv_cache",
        "deployment.gpu_memory_share",
        "deployment.no_needless_remote_code",
        "deployment.cuda_graphs_on",
        "deployment.rate_limit_per_user",
        "deployment.requests_run_once",
        "deployment.unprivileged_user",
        "deployment.health_check_asks_for_tokens",
        "deployment.versions_pinned",
        "deployment.watchdog_can_fire",
        "webui.sign_up_closed",
        "webui.newcomer_has_no_access",
        "webui.sign_out_ends_session",
    }


def test_a_users_own_check_claims_what_it_says_itself(article: Policy) -> None:
    own = check_of("greeting.polite", required=0.9, trials=25)
    assert article.claim(own, "full") == Claim(0.9, 0.03, 0.05, 25)
    assert article.gate("greeting") is Gate.REQUIRED
    assert article.expected("greeting", "ci") == ()


def test_a_check_that_can_never_show_its_claim_is_refused(article: Policy) -> None:
    own = check_of("greeting.polite", required=0.9, trials=20)
    with pytest.raises(PolicyError) as raised:
        article.claim(own, "full")
    assert str(raised.value) == (
        "policy article: greeting.polite can never show 0.9 less 0.03 by 20 trials: "
        "full needs 22 or more"
    )
    assert article.claim(own, "smoke").defects_only


def test_a_profile_that_is_not_there_is_refused(article: Policy) -> None:
    with pytest.raises(PolicyError, match=r"^profile cii is unknown: did you mean ci\?$"):
        article.claim(check_of("json_only.prompted_json"), "cii")
    with pytest.raises(PolicyError, match=r"^profile x is unknown: choose smoke, ci or full$"):
        article.claim(check_of("json_only.prompted_json"), "x")


def test_a_policy_may_override_parts_of_another(write: Write, article: Policy) -> None:
    mine = load(
        write(
            EXTENDS
            + dedent("""\
                margin: {ci: 0.02}
                dimensions:
                  json_only:
                    checks:
                      prompted_json: {trials: {ci: 200}}
                  tool_calling: {gate: advisory}
                """)
        )
    )
    prompted_json, by_schema = (
        check_of(f"json_only.{each}") for each in ("prompted_json", "other")
    )
    assert mine.name == "my"
    assert mine.claim(prompted_json, "ci") == Claim(1.0, 0.02, 0.05, 200)
    assert mine.claim(prompted_json, "full") == article.claim(prompted_json, "full")
    assert mine.claim(by_schema, "ci") == Claim(1.0, 0.02, 0.05, 7)
    assert mine.gate("tool_calling") is Gate.ADVISORY
    assert mine.expected("tool_calling", "ci") == article.expected("tool_calling", "ci")
    assert mine.checks == article.checks


def test_one_figure_applies_to_every_profile(write: Write) -> None:
    text = "dimensions: {json_only: {checks: {prompted_json: {trials: 50, margin: 0.01}}}}\n"
    mine = load(write(EXTENDS + text))
    claims = [mine.claim(check_of("json_only.prompted_json"), each) for each in mine.profiles]
    assert [(each.trials, each.margin) for each in claims] == [(50, 0.01)] * 3


def test_a_policy_may_stand_alone(write: Write) -> None:
    mine = load(write(ALONE))
    assert mine.checks == {"greeting.polite", "greeting.brief"}
    assert mine.expected("greeting", "quick") == ("greeting.polite",)
    assert mine.claim(check_of("greeting.polite"), "nightly") == Claim(0.9, 0.1, 0.01, 40)
    brief = mine.claim(check_of("greeting.brief"), "quick")
    assert brief == Claim(1.0, 0.1, 0.01, 7, defects_only=True, gate=Gate.ADVISORY)


def test_off_is_a_word(write: Write) -> None:
    mine = load(write(EXTENDS + "dimensions: {json_only: {gate: off}}\n"))
    assert mine.gate("json_only") is Gate.OFF
    assert mine.expected("json_only", "ci") == ()
    assert mine.claim(check_of("json_only.prompted_json"), "ci").gate is Gate.OFF
    assert mine.claim(check_of("tool_calling.parallel_calls"), "ci").gate is Gate.REQUIRED


def test_the_digest_is_of_what_holds_and_not_of_how_it_is_written(
    write: Write, article: Policy
) -> None:
    rule = "dimensions: {json_only: {checks: {prompted_json: {required: %s}}}}\n"
    alike = [
        EXTENDS,
        EXTENDS + "# A remark.\nname: ours\n",
        EXTENDS + rule % "1",
        EXTENDS + rule % "1.0",
        "\ufeff" + EXTENDS,
    ]
    assert {load(write(text)).digest for text in alike} == {article.digest}
    assert load(write(EXTENDS + rule % "0.97")).digest != article.digest
    assert load(write(EXTENDS + "alpha: 0.01\n")).digest != article.digest


def test_a_condition_of_a_licence_is_accepted_by_its_id(write: Write, article: Policy) -> None:
    assert article.accepts == frozenset()
    assert load(write(EXTENDS + "accepts: [llama-naming]\n")).accepts == {"llama-naming"}
    with pytest.raises(
        PolicyError, match=r"my.yaml:3: accepts llama-name is unknown: did you mean"
    ):
        load(write(EXTENDS + "accepts: [llama-name]\n"))


def test_a_profile_may_leave_a_check_out(article: Policy) -> None:
    assert [
        article.leaves_out("api.fuzzed_requests_handled", profile) for profile in article.profiles
    ] == [
        True,
        True,
        False,
    ]
    assert not article.leaves_out("greeting.polite", "smoke")


def test_what_only_the_owner_of_weights_and_machine_can_show_advises_in_hosted(
    article: Policy,
) -> None:
    hosted = load(Path("hosted"))
    changed = {name for name in article.dimensions if hosted.gate(name) is not article.gate(name)}
    rules = {name: each for row in hosted.dimensions.values() for name, each in row.checks.items()}
    before = {
        name: each for row in article.dimensions.values() for name, each in row.checks.items()
    }
    assert changed == {"license"}
    assert hosted.gate("low_resource") is Gate.ADVISORY
    assert {name for name in rules if rules[name] != before[name]} == {
        "stability.abort_stops_generation",
        "stability.no_leak_after_aborts",
        "stability.recovers_after_restart",
    }
    assert hosted.margin == article.margin
