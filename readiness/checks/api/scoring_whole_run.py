"""Scoring of a whole run: what must hold of all of its valid exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median

from readiness.checks.api.reply_topic import Fixed, RequestKind
from readiness.checks.api.run_evidence import Observed, Service, TextProfile, Tokens
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.statistics.proportions import lower

#: Fewer replies show nothing of what is rare: all of 100 show that 97 % are alike.
MIN_REPLIES = 100
ALPHA = 0.05
#: The article's error rate under load; otherwise every request is to be answered.
ALLOWED_UNDER_LOAD = 0.003
#: The share of replies that may have nothing to do with their requests.
ALLOWED_STRAYS = 0.01
_NO_WORDS = f"replies have nothing of {Fixed.WORDS}"
_OTHER_SCRIPT = "replies are in a script that the request has not"
#: The exchanges that a reason names; the evidence has them all.
MAX_NAMED = 10
#: By how much clocks of one deployment may differ, in seconds.
CLOCKS = 60.0
DAY = 86_400.0
#: The bytes of a request that fits every window.
SHORT = 16_384
#: Tokens that a template adds to each message or call, and to a prompt as a whole.
PER_PART, PER_PROMPT, PER_REPLY = 16, 4096, 32
#: Tokens and the share of a limit by which a reply may be beyond it: some servers count its end.
PER_END, PER_LIMIT = 2, 0.1
#: From which limit on a reply seldom ends exactly there by itself, and how many show that.
LONG_LIMIT, MIN_CUT = 32, 2
#: Tokens that a longer conversation may have less: some templates write the last turn otherwise.
TURN = 8
#: Texts of this many characters show a tokenizer's rate. A text with four times as many as the one
#: that resembles it most has 0.69 to 1.28 times its rate (SmolLM2, all long texts of a ci run).
MIN_TEXT, LONGER, MORE, FEWER = 1_000, 4, 1.6, 2.0
#: By how much the shares of wide characters, digits and marks may differ in similar texts.
SIMILAR = 0.12
#: Long texts that must agree before a rate is called another.
MIN_LONG = 2

#: A score, and the numbers of the exchanges that show it.
Judged = tuple[Score, Sequence[int]]


def score_service(seen: Sequence[Observed]) -> Judged:
    """Score whether valid requests were answered: all of them, and under load all but a few."""
    answered: dict[int, int] = {}
    for each in seen:
        if each.service is Service.ANSWERED:
            answered[each.form] = max(answered.get(each.form, 0), each.size)
    groups = {
        crowd: [each for each in seen if each.crowd is crowd and _due(each, answered)]
        for crowd in (False, True)
    }
    measures = [_served(group, crowd) for crowd, group in groups.items() if group]
    score, seqs = _too_few(sum(map(len, groups.values()))) or (PASSED, ())
    for crowd, allowed in ((True, ALLOWED_UNDER_LOAD), (False, 0.0)):
        found = _score_group(groups[crowd], allowed, " under load" if crowd else "")
        if found and (score.outcome is not Outcome.FAIL or found[0].outcome is Outcome.FAIL):
            score, seqs = found
    return score.measured(*measures), seqs


def _due(each: Observed, answered: Mapping[int, int]) -> bool:
    """Whether a request counts: not where none of its form, or none as long, was ever answered."""
    if each.service is Service.REFUSED:
        longest = answered.get(each.form, -1)
        # A window is counted in tokens: of two long texts, the one of more bytes may have fewer.
        return each.size <= (longest if each.size <= SHORT else longest / 2)
    return each.service is not Service.EXCUSED


def _served(group: Sequence[Observed], crowd: bool) -> Measure:
    answered = sum(each.service is Service.ANSWERED for each in group)
    low = lower(answered, len(group), ALPHA)
    at = {"load": "under load" if crowd else "none"}
    return Measure("requests answered", answered / len(group), "", at, len(group), low, 1.0)


def _score_group(group: Sequence[Observed], allowed: float, where: str) -> Judged | None:
    lost = [each for each in group if each.service in (Service.REFUSED, Service.FAILED)]
    limited = [each for each in group if each.service is Service.LIMITED]
    if lost and len(lost) > allowed * len(group):
        shown = lower(len(lost), len(group), ALPHA) > allowed
        outcome = Outcome.FAIL if shown else Outcome.UNDETERMINED
        kind = f"valid requests{where} were not answered"
        (why, often), *_ = Counter(each.why for each in lost).most_common()
        came = f"{len(lost)} of {len(group)}; {often} × {why}; {_named(lost)}"
        return scored(outcome, kind, came), [each.seq for each in lost]
    if limited:
        kind = f"requests{where} were turned away by a rate limiter"
        came = f"{len(limited)} of {len(group)} without Retry-After; {limited[0].why}"
        return scored(Outcome.UNDETERMINED, kind, came), [each.seq for each in limited]
    return None


def score_models(seen: Sequence[Observed]) -> Judged:
    """Score whether all replies name the same model, those that are streams and the others."""
    names = [each for each in seen if each.model]
    for streamed in (False, True):
        found = _minority([(each.model, each) for each in names if each.streamed is streamed])
        if found:
            return failed("replies name several models", found[0]), found[1]
    return _too_few(len(names)) or (PASSED, ())


def score_fingerprints(seen: Sequence[Observed]) -> Judged:
    """Score whether all replies have the same system fingerprint."""
    names = [each for each in seen if each.fingerprint]
    if not names:
        return scored(Outcome.UNSUPPORTED, "replies have no system_fingerprint"), ()
    found = _minority([(each.fingerprint, each) for each in names])
    if found:
        return failed("replies have several fingerprints", found[0]), found[1]
    return _too_few(len(names)) or (PASSED, ())


def _minority(named: Sequence[tuple[str, Observed]]) -> tuple[str, Sequence[int]] | None:
    """The values but the most frequent one, in words, and their exchanges; None for one value."""
    counts = Counter(name for name, _ in named)
    if len(counts) < 2:
        return None
    usual = counts.most_common(1)[0][0]
    others = [each for name, each in named if name != usual]
    shares = ", ".join(f"{name!r:.60} in {count}" for name, count in counts.most_common(4))
    return f"{shares} of {len(named)}; {_named(others)}", [each.seq for each in others]


def score_ids(seen: Sequence[Observed]) -> Judged:
    """Score whether no two replies have the same id."""
    known: set[int] = set()
    again = []
    for each in seen:
        if each.name is not None:
            again += [each] if each.name in known else []
            known.add(each.name)
    if again:
        came = f"{len(again)} of {len(again) + len(known)}; {_named(again)}"
        return failed("replies have the id of an earlier one", came), [each.seq for each in again]
    return _too_few(len(known)) or (PASSED, ())


def score_created(seen: Sequence[Observed]) -> Judged:
    """Score whether no reply was created before the run began, by the server's clock.

    That clock is how far `created` usually is from when a request was sent, or the `Date` header,
    whichever is behind: a gateway has a clock of its own.
    """
    told = [(each, each.created) for each in seen if each.created is not None]
    if few := _too_few(len(told)):
        return few
    if len({created for _, created in told}) == 1 and abs(told[0][1] - told[0][0].sent) > DAY:
        return scored(Outcome.UNSUPPORTED, "`created` is no time of a clock"), ()
    told = [(each, created) for each, created in told if created]  # 0 is no time.
    offsets = [created - each.sent for each, created in told]
    dates = [each.date - each.sent for each, _ in told if each.date is not None]
    clock = min(median(offsets), median(dates) if dates else median(offsets))
    began = min(each.sent for each in seen) + clock
    old = [(each, began - created) for each, created in told if created < began - CLOCKS]
    if not old:
        return PASSED, ()
    came = f"{len(old)} of {len(told)}, by {max(by for _, by in old):,.0f} s at most"
    replayed = [each for each, _ in old]
    kind = "replies were created before the run began"
    return failed(kind, f"{came}; {_named(replayed)}"), [each.seq for each in replayed]


def score_counts(seen: Sequence[Observed]) -> Judged:
    """Score whether token counts are right, and replies are cut at their limits and nowhere else.

    Right are those that are neither missing, nor 0, nor more than bytes were sent.
    """
    counted = [(each, each.tokens) for each in seen if each.tokens]
    kinds = {
        "replies without usage": [each for each in seen if each.uncounted],
        "prompts count 0 tokens": [each for each, tokens in counted if not tokens.prompt],
        "replies count fewer than 1 token": [
            each for each, tokens in counted if tokens.told and tokens.completion < 1
        ],
        "prompts count more tokens than bytes": [
            each
            for each, tokens in counted
            if tokens.prompt > tokens.request_size + PER_PART * tokens.parts + PER_PROMPT
        ],
        "replies count more tokens than bytes": [
            each
            for each, tokens in counted
            if tokens.completion > tokens.reply_size + PER_PART * tokens.parts + PER_REPLY
        ],
        "more tokens are cached than the prompt has": [
            each for each, tokens in counted if tokens.cached > tokens.prompt
        ],
        "total_tokens is not the sum": [each for each, tokens in counted if not tokens.summed],
        "replies count more tokens than their limit": [
            each
            for each, tokens in counted
            if tokens.limit and tokens.completion > tokens.limit * (1 + PER_LIMIT) + PER_END
        ],
        "replies of all tokens of their limit do not say that they were cut": _uncut(counted),
        "replies are cut before their limit": [
            each for each, tokens in counted if tokens.cut_below
        ],
    }
    for kind, wrong in kinds.items():
        if wrong:
            came = f"{len(wrong)} of {len(counted)}; {_named(wrong)}"
            return failed(kind, came), [each.seq for each in wrong]
    return _too_few(len(counted)) or (PASSED, ())


def _uncut(counted: Sequence[tuple[Observed, Tokens]]) -> Sequence[Observed]:
    """The replies that end at their limits and say otherwise, where most of these do."""
    at_limit = [
        (each, tokens)
        for each, tokens in counted
        if LONG_LIMIT <= tokens.limit == tokens.completion
    ]
    uncut = [each for each, tokens in at_limit if not tokens.cut]
    return uncut if len(uncut) >= max(MIN_CUT, len(at_limit) / 2) else ()


def score_forms(seen: Sequence[Observed]) -> Judged:
    """Score whether all replies have the form of a chat completion, and none a template's tokens.

    A model may write such a token now and then.
    """
    whole = [each for each in seen if each.read]
    if wrong := [each for each in whole if each.malformed]:
        (why, often), *_ = Counter(each.malformed for each in wrong).most_common()
        came = f"{len(wrong)} of {len(whole)}; {often} × {why}; {_named(wrong)}"
        return failed("replies have another form", came), [each.seq for each in wrong]
    leaks = {each.seq for each in whole if each.leaks}
    found = _score_strays("replies have control tokens of the template", whole, leaks)
    return found or _too_few(len(whole)) or (PASSED, ())


def score_prompt_tokens(seen: Sequence[Observed]) -> Judged:
    """Score whether the same prompt has the same tokens, and what extends another no fewer."""
    known: dict[int, tuple[Observed, int]] = {}
    compared, counted = 0, [(each, each.tokens) for each in seen if each.tokens]
    for each, tokens in counted:
        first, prompt = known.setdefault(tokens.beginnings[-1], (each, tokens.prompt))
        compared += first is not each
        if prompt != tokens.prompt:
            came = f"{prompt} tokens in exchange {first.seq}, {tokens.prompt} in {each.seq}"
            return failed("the same prompt has other token counts", came), [first.seq, each.seq]
    for each, tokens in counted:
        for first, prompt in filter(None, map(known.get, tokens.beginnings[:-1])):
            compared += 1
            if tokens.prompt < prompt - TURN:
                came = f"{prompt} tokens in exchange {first.seq}, and {tokens.prompt} in {each.seq}"
                kind = "a prompt that extends another has fewer tokens"
                return failed(kind, came), [first.seq, each.seq]
    if not compared:
        return scored(Outcome.UNDETERMINED, "no prompt was repeated or extended"), ()
    return PASSED.measured(Measure("prompts compared", compared)), ()


def score_rates(seen: Sequence[Observed]) -> Judged:
    """Score whether long texts have as many tokens per character as similar short ones."""
    texts = [
        (each, each.tokens.profile, each.tokens.prompt / each.tokens.profile.characters)
        for each in seen
        if each.tokens and each.tokens.profile and each.tokens.profile.characters >= MIN_TEXT
    ]
    compared = 0
    odd: list[tuple[Observed, TextProfile, float, float]] = []
    for each, profile, rate in texts:
        shorter = [(_distance(other, profile), r) for _, other, r in texts
                   if other.characters * LONGER <= profile.characters]  # fmt: skip
        distance, usual = min(shorter, default=(1.0, rate))
        compared += distance <= SIMILAR
        if distance <= SIMILAR and not usual / FEWER <= rate <= usual * MORE:
            odd.append((each, profile, rate, usual))
    if len(odd) >= MIN_LONG:
        _, profile, rate, usual = odd[0]
        came = f"{rate:.2f} in {profile.characters:,} characters, {usual:.2f} in a shorter one"
        wrong = [each for each, *_ in odd]
        kind = "long texts have other tokens per character than short ones"
        shown = failed(kind, f"{came}; {len(odd)} of {compared}; {_named(wrong)}")
        return shown, [each.seq for each in wrong]
    if compared < MIN_LONG:
        # Nothing long was sent, as to an endpoint of a small window, or without `long_context`.
        return scored(Outcome.UNSUPPORTED, "no long texts resemble shorter ones"), ()
    return PASSED.measured(Measure("long texts compared", compared)), ()


def score_topics(seen: Sequence[Observed]) -> Judged:
    """Score whether replies have to do with their requests: all but a few.

    Of requests that fix something of the reply, those count that the model mostly answers; of all
    others, what is in a script that the request has not. A few strays of all may be many of the
    streams, or of the calls.
    """
    asked: dict[int, list[Observed]] = {}
    for each in seen:
        if each.topic.asked is not None:
            asked.setdefault(each.topic.asked, []).append(each)
    known = [of for of in asked.values() if 2 * sum(e.topic.answered for e in of) > len(of)]
    if 2 * sum(map(len, known)) < sum(map(len, asked.values())):
        return scored(
            Outcome.UNDETERMINED, "most requests for a word or for numbers are not answered"
        ), ()
    groups = {
        f"replies have nothing of {fixed}": (
            [each for of in known for each in of if each.topic.fixed is fixed],
            {each.seq for each in seen if not each.topic.answered},
        )
        for fixed in Fixed
    }
    groups[_OTHER_SCRIPT] = (
        [each for each in seen if each.topic.script],
        {each.seq for each in seen if each.topic.foreign},
    )
    found = [_score_strays(name, *groups[name]) for name in (_NO_WORDS, _OTHER_SCRIPT)]
    found += _score_strays_by_kind(groups)
    worst = next((each for each in found if each and each[0].outcome is Outcome.FAIL), None)
    answered = sum(each.service is Service.ANSWERED for each in seen)
    return worst or next(filter(None, found), None) or _too_few(answered) or (PASSED, ())


def _score_strays(
    name: str, replies: Sequence[Observed], strays: Collection[int], alpha: float = ALPHA
) -> Judged | None:
    astray = [each for each in replies if each.seq in strays]
    if len(astray) <= ALLOWED_STRAYS * len(replies):
        return None
    shown = lower(len(astray), len(replies), alpha) > ALLOWED_STRAYS
    came = f"{len(astray)} of {len(replies)}; {_named(astray)}"
    outcome = Outcome.FAIL if shown else Outcome.UNDETERMINED
    return scored(outcome, name, came), [each.seq for each in astray]


def _score_strays_by_kind(
    groups: Mapping[str, tuple[Sequence[Observed], Collection[int]]],
) -> list[Judged | None]:
    """Score each kind of request by itself, at equal shares of the error.

    A few strays among few replies fail nothing, and leave nothing open either: that is for all.
    """
    looks = [
        (f"{name}, {kind}", of_kind, strays)
        for name, (replies, strays) in groups.items()
        for kind in RequestKind
        if (of_kind := [each for each in replies if kind in each.topic.kinds])
    ]
    found = [_score_strays(*look, ALPHA / len(looks)) for look in looks]
    return [each for each in found if each and each[0].outcome is Outcome.FAIL]


def _distance(one: TextProfile, other: TextProfile) -> float:
    """How much the shares of wide characters, digits and marks differ in two texts."""
    shares = ((one.wide, other.wide), (one.digits, other.digits), (one.marks, other.marks))
    return sum(abs(this - that) for this, that in shares)


def _too_few(replies: int) -> Judged | None:
    if replies >= MIN_REPLIES:
        return None
    came = f"{replies} of the {MIN_REPLIES} that would show something"
    return scored(Outcome.UNDETERMINED, "the run has too few replies", came), ()


def _named(seen: Iterable[Observed]) -> str:
    """The numbers of exchanges."""
    seqs = [each.seq for each in seen]
    more = ", …" if len(seqs) > MAX_NAMED else ""
    return f"exchanges {', '.join(map(str, seqs[:MAX_NAMED]))}{more}"
