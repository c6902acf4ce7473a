"""Scoring of replies: their fields, usage and text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

from readiness.exchange import Exchange, Fault, Repeated
from readiness.probe import tokens_of
from readiness.protocol.completion import NEARLY, cut_below, cut_short, error_text, lost, read
from readiness.protocol.message import decode
from readiness.protocol.sse import Parser
from readiness.reply import Reply
from readiness.resources import violation
from readiness.score import PASSED, EndpointError, Outcome, Score, failed, scored
from readiness.scoring.rejection import REFUSING, refused, tells

#: Fewer tokens show nothing of their logprobs.
MIN_LISTED = 8
#: Of the same text, so many tokens or a share of them may have no logprobs, as that of its end.
FEW_LISTED, UNLISTED = 2, 0.2
#: Logprobs may differ by as much where one number is written in two ways; the probabilities of the
#: same tokens, on average, by how requests are batched.
CLOSE, SAME_PROBABILITY = 0.01, 0.2
#: Tokens by which the forms of a conversation may differ if nothing is lost.
SLACK = 4
#: The most tokens of a short system message, with the template's around it.
MESSAGE_TOKENS = 8
#: The least ratio of prompt tokens of a message to one half as long; the template takes some too.
MIN_GROWTH = 1.6
#: How much longer a reply with a limit is than one without, where a limit has cut the other.
MUCH_LONGER = 1.5
#: More characters a token than lists of numbers or stories have; the role that a delta may repeat.
CHARACTERS_PER_TOKEN, ROLE = 8, "assistant"


def score_answered(reply: Reply) -> Score:
    """Score a request that must be answered, whatever the text."""
    if reply.text or reply.tool_calls or reply.reasoning or reply.refusal:
        return PASSED
    # A small model may end its turn immediately, which is no fault of the protocol.
    return Score(Outcome.UNDETERMINED, f"an empty reply, finish_reason {reply.finish!r}")


def score_continued(reply: Reply, goes_on: Sequence[str]) -> Score:
    """Score a reply to a conversation whose last message is begun, or left as it is."""
    score = score_answered(reply)
    if not score.passed or any(each.casefold() in reply.text.casefold() for each in goes_on):
        return score
    return failed(f"the reply has no {' or '.join(goes_on)}", f"{reply.text!r:.120}")


def score_token_limit(reply: Reply, limit: int) -> Score:
    """Score a long reply by its token limit and finish_reason."""
    tokens = tokens_at_most(reply)
    if reply.finish == "stop" and tokens < limit:
        why = f"the model does not write {limit} tokens"
        return scored(Outcome.UNDETERMINED, why, came=f"{reply.text!r:.120}")
    if reply.usage is not None and tokens > limit:
        return failed(f"{tokens} tokens, with a limit of {limit}", f"{reply.text!r:.80}")
    if reply.finish != "length":
        return failed(f"finish_reason is {reply.finish!r}, not 'length', after {reply.text!r:.80}")
    if cut := cut_below(reply, limit):
        return failed(cut, f"{reply.text[-80:]!r}")
    return PASSED


def score_silence(score: Score, reply: Reply, wider: Reply) -> Score:
    """Score a reply without text again, by one to the same messages that may have more tokens."""
    if wider.text.strip():
        return failed(f"nothing comes, with finish_reason {reply.finish!r}, where a text is cut")
    return score


def tokens_at_most(reply: Reply) -> int:
    """The completion tokens that are counted; without counts, no text has more than bytes."""
    return reply.usage.completion if reply.usage else len(reply.text.encode())


def score_large_limit(exchange: Exchange, limit: int) -> Score:
    """Score a request with a large limit, for a reply that takes more; to decline it cuts none."""
    if exchange.declined:
        return tells(exchange)
    reply = read(exchange)
    tokens = tokens_at_most(reply)
    score = score_token_limit(reply, limit)
    reasoned = (reply.usage and reply.usage.reasoning) or tokens_of(reply.reasoning)
    if score.passed and reply.reasoning and tokens + reasoned < NEARLY * limit:
        came = f"{tokens} tokens, and about {reasoned} of reasoning"
        return scored(Outcome.UNDETERMINED, "the tokens of reasoning are not counted", came=came)
    return score


def score_no_default_limit(free: Exchange, due: int) -> Score:
    """Score a stream without a token limit, by the tokens that it came to before it was aborted."""
    tokens = tokens_sent(free)
    if tokens >= due:
        return PASSED  # It ran longer than any default limit.
    if free.fault is Fault.CLIENT_ABORTED:
        return scored(Outcome.UNDETERMINED, "too slow to tell", came=f"{tokens} tokens of {due}")
    reply = read(free)
    if reply.finish == "length":
        return failed(f"without a limit, it ends by its length after {tokens} tokens")
    return scored(
        Outcome.UNDETERMINED, f"the model does not write {due} tokens", came=f"{reply.text!r:.120}"
    )


def rescore_by_limited_reply(open_: Score, free: Reply, limited: Reply) -> Score:
    """Score a reply without a limit again, by one with room for all of it."""
    longer = len(limited.text) > MUCH_LONGER * len(free.text)
    if longer and limited.text.startswith(free.text[: len(free.text) // 2]):
        return failed(f"without a limit, it ends with {free.text[-60:]!r}, and with one it goes on")
    return open_


def tokens_sent(exchange: Exchange) -> int:
    """The tokens of a stream that may have been aborted, or the least that they can be."""
    deltas = [_delta(event.data) for event in Parser().feed(exchange.body)]
    texts = [each for each in deltas if each]
    usage = None if exchange.fault else read(exchange).usage
    counted = usage.completion if usage else 0
    return max(counted, len(texts), len("".join(texts)) // CHARACTERS_PER_TOKEN)


def _delta(data: bytes) -> str:
    """The text of a frame; "" if it has none."""
    try:
        choices = decode(data.decode())["choices"]
        delta = choices[0]["delta"]
        return "".join(each for each in delta.values() if isinstance(each, str) and each != ROLE)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def score_null(exchange: Exchange, plain: Reply, word: str) -> Score:
    """Score a request with a parameter that is null, by the reply to one that leaves it out."""
    if not exchange.succeeded:
        return refused(exchange, tuple(range(400, 500)))
    reply = read(exchange)
    if cut := cut_short(exchange, reply):
        return failed(cut)
    if word in reply.text.casefold() or word not in plain.text.casefold():
        return PASSED
    return failed("another reply than without it", f"{reply.text!r:.80}, {plain.text!r:.80}")


def score_drawn(score: Score, drawn: Sequence[Reply], word: str) -> Score:
    """The score of a reply without a word, where each of several to a request as good has it."""
    silent = [each.text for each in drawn if word not in each.text.casefold()]
    if not silent:
        return score
    told = f"{silent[0]!r:.120}"
    return scored(Outcome.UNDETERMINED, "the model does not tell the word", came=told)


def score_bodies(exchanges: Sequence[Exchange]) -> Score:
    """Score requests with larger and larger bodies: each is answered."""
    for each in exchanges:
        if not each.succeeded:
            came = f"{each.fault}: {each.detail}" if each.fault else f"HTTP {each.status}"
            return failed(f"a body of {Repeated(**each.request).size:,} bytes is not taken", came)
        score = score_answered(read(each))
        if not score.passed:
            return score
    return PASSED


def score_part(exchange: Exchange, text: Reply) -> Score:
    """Score text with a part that is no text: it is refused, or its tokens are counted."""
    if missing := lost(exchange):
        return missing
    if (status := exchange.status or 0) >= 400:
        # llama.cpp refuses a picture with a 500, and says why.
        return PASSED if status < 500 or status == 501 else tells(exchange)
    reply = read(exchange)
    if reply.usage is None or text.usage is None:
        return Score(Outcome.UNDETERMINED, "no usage shows whether it was read")
    tokens, without = reply.usage.prompt, text.usage.prompt
    if tokens > without + SLACK:
        return PASSED
    return failed("it is dropped in silence", f"{tokens} prompt tokens with it, {without} without")


def score_declined(exchange: Exchange) -> Score:
    """Score the rejection of what is valid, and beyond some servers."""
    # llama.cpp refuses what its template or grammar does not take with a 500, and says why.
    return tells(exchange) if exchange.status == 500 else refused(exchange, (*REFUSING, 501))


def score_stop(reply: Reply, before: str, stops: Sequence[str]) -> Score:
    """Score a reply that must end before a stop sequence, after what comes `before` it.

    One that goes on in another form, such as a numbered list, never meets the sequence.
    """
    text = reply.content or ""
    found = [stop for stop in stops if stop in text]
    if found:
        return failed(f"the text contains {found[0]!r}", f"{text!r:.120}")
    begun = [
        stop
        for stop in stops
        for end in range(1, len(stop))
        if _ends_with(text, before, stop[:end])
    ]
    if begun:
        return failed(f"the text contains the start of {begun[0]!r}", f"{text!r:.120}")
    if not _ends_with(text, before):
        return scored(
            Outcome.UNDETERMINED, f"the model does not come to {before!r}", came=f"{text!r:.120}"
        )
    return (
        PASSED
        if reply.finish == "stop"
        else failed(f"finish_reason is {reply.finish!r}, not 'stop'")
    )


def _ends_with(text: str, *words: str) -> bool:
    """Whether a text ends with words, whatever marks and spaces are between and behind them."""
    ending = r"\W+".join(map(re.escape, words))
    return bool(re.search(rf"\b{ending}\W*$", text))


def score_text_beside_tools(reply: Reply, score: Callable[[Reply], Score]) -> Score:
    """Score a text that was asked for beside tools; a call in its place shows nothing of it."""
    if reply.tool_calls:
        called = ", ".join(call.name for call in reply.tool_calls)
        return scored(Outcome.UNDETERMINED, "a call instead of a text", came=called)
    return score(reply)


def score_trailing_space(reply: Reply, before: str) -> Score:
    """Score whether the space before a stop sequence is kept."""
    text = reply.content or ""
    if f"{before} " in text[-len(before) - 1 :]:
        return PASSED
    if not text.endswith(before) or ", " not in text[: -len(before)]:
        return scored(
            Outcome.UNDETERMINED, f"the model does not write {before!r}", came=f"{text!r:.120}"
        )
    return failed("the last space is lost", f"{text!r:.120}")


#: Some models write the hyphen of a code word as another dash.
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def contains(text: str, word: str) -> bool:
    """Whether a text has a word, whatever its case and its dashes."""
    return word.casefold() in text.casefold().translate(_DASHES)


def score_words(reply: Reply, words: Sequence[str]) -> Score:
    """Score a reply that must contain words of the conversation."""
    missing = [word for word in words if not contains(reply.text, word)]
    return failed(f"no {missing[0]!r} in {reply.text!r:.120}") if missing else PASSED


def tells_words(exchange: Exchange, words: Sequence[str]) -> bool:
    """Whether a response is a reply with these words."""
    try:
        text = read(exchange).text
    except EndpointError:
        return False
    return all(contains(text, word) for word in words)


def score_equivalent(other: Exchange, usual: Exchange, words: Sequence[str]) -> Score:
    """Score a request that failed as one client writes it by the same as another does."""
    if not tells_words(usual, words):
        return scored(Outcome.UNDETERMINED, "the model does not repeat the text")
    came = f"HTTP {other.status}: {error_text(other):.120}"
    return failed("a request is not read as another client writes it", came)


#: What a code word is made of: a word and a number. Three letters or digits are no chance.
_PART = re.compile(r"[^\W_]{3,}")


def score_parts(reply: Reply, words: Sequence[str]) -> Score:
    """Score a reply that must show that code words were read: any part of each does."""
    text = reply.text.casefold()
    unread = [word for word in words if not any(each in text for each in _PART.findall(word))]
    return failed(f"nothing of {unread[0]!r} in {reply.text!r:.120}") if unread else PASSED


def rescore_by_plain_form(lost: Score, plain: Reply, words: Sequence[str]) -> Score:
    """Score a reply without the words again, by the reply to its plain form."""
    if score_parts(plain, words).passed:
        return failed(f"{lost.reason}, which the reply to the plain form has")
    return _beyond_the_model(lost)


def rescore_by_short_form(lost: Score, short: Reply, words: Sequence[str]) -> Score:
    """Score a reply without the words again, by the reply to a short message of the same role."""
    return lost if score_parts(short, words).passed else _beyond_the_model(lost)


def default_system_tokens(without: Reply | Score, given: Reply | Score) -> int:
    """The most tokens of the template's default system message, by a prompt with another; or 0.

    Args:
        without: The reply to a prompt without a system message, or the score of its error.
        given: The reply to the same prompt after a system message of one token.
    """
    counted = [
        each.usage.prompt for each in (without, given) if isinstance(each, Reply) and each.usage
    ]
    if len(counted) < 2 or counted[0] <= counted[1]:
        return 0
    return counted[0] - counted[1] + MESSAGE_TOKENS


def rescore_by_prompt_tokens(lost: Score, reply: Reply, plain: Reply, default: int = 0) -> Score:
    """Score a reply without the words again, by its prompt tokens and those of its plain form.

    Args:
        lost: The score of the reply.
        reply: The reply.
        plain: The reply to its plain form.
        default: The tokens that the template adds to the plain form alone.
    """
    if reply.usage is None or plain.usage is None:
        return _beyond_the_model(lost)
    tokens, whole = reply.usage.prompt, plain.usage.prompt
    if tokens + SLACK < whole - default:
        return failed(f"{lost.reason}; the prompt had {tokens} tokens, in its plain form {whole}")
    return _beyond_the_model(lost)


def rescore_by_growth(lost: Score, reply: Reply, half: Reply) -> Score:
    """Score a reply without the words again, by the prompt tokens of a message half as long."""
    if reply.usage is None or half.usage is None:
        return _beyond_the_model(lost)
    tokens, fewer = reply.usage.prompt, half.usage.prompt
    if tokens < MIN_GROWTH * fewer:
        return failed(f"{lost.reason}; {tokens} tokens were read, and {fewer} of half the message")
    return _beyond_the_model(lost)


def _beyond_the_model(lost: Score) -> Score:
    """Everything was read: that the model does not use it is no fault of the protocol."""
    return scored(Outcome.UNDETERMINED, "beyond the model", came=lost.reason)


def score_own_code(text: str, code: str, others: Sequence[str]) -> Score:
    """Score whether a reply has the code of its request, and of no other."""
    foreign = [other for other in others if contains(text, other)]
    if foreign:
        return failed(
            f"{foreign[0]!r} is another request's code, this one's is {code!r}", f"{text!r:.120}"
        )
    if contains(text, code):
        return PASSED
    return scored(
        Outcome.UNDETERMINED, f"neither {code!r} nor another request's code", came=f"{text!r:.120}"
    )


def score_own_codes(replies: Sequence[tuple[str, Mapping[str, Any]]]) -> Score:
    """Score concurrent replies, each with what it must contain and must not."""
    scores = [score_own_code(text, each["code"], each["others"]) for text, each in replies]
    return next((score for score in scores if score.outcome is Outcome.FAIL), scores[0])


def score_choices(choices: Sequence[Mapping[str, Any]], asked: int) -> Score:
    """Score how many choices a reply or a stream has, their indices and their ends."""
    indices = sorted({choice.get("index") for choice in choices}, key=str)
    if indices != list(range(asked)):
        return failed(f"asked for {asked} choices", got=f"{indices}")
    ended = {choice.get("index") for choice in choices if choice.get("finish_reason")}
    unended = [index for index in indices if index not in ended]
    return failed("no finish_reason", f"choices {unended}") if unended else PASSED


def score_usage_of_choices(found: Mapping[str, Any], limit: int) -> Score:
    """Score the completion tokens of a reply whose choices were all cut off at the limit."""
    reasons = [choice.get("finish_reason") for choice in found["choices"]]
    if reasons != ["length", "length"]:
        return Score(Outcome.UNDETERMINED, f"the choices' finish_reasons are {reasons}")
    counted = (found.get("usage") or {}).get("completion_tokens")
    wanted = len(reasons) * limit
    return PASSED if counted == wanted else failed(f"{counted} tokens for two choices of {limit}")


Logprobs = Sequence[Mapping[str, Any]]


def score_logprobs(found: Logprobs, reply: Reply, top: int) -> Score:
    """Score logprobs: their tokens and bytes make up the text, and each has its alternatives."""
    if not found:
        return failed("no logprobs.content")
    wrong = next(filter(None, (_wrong_entry(each, top) for each in found)), "")
    if wrong := wrong or _misspelled(found, reply):
        return failed(wrong)
    if len(reply.text) > CHARACTERS_PER_TOKEN * len(found):
        return failed(f"logprobs of {len(found)} tokens", f"{len(reply.text)} characters")
    if reply.usage and len(found) > 2 * reply.usage.completion:
        return failed(f"logprobs of {len(found)} tokens", f"{reply.usage.completion} are counted")
    if len(found) < MIN_LISTED:
        return scored(Outcome.UNDETERMINED, "too short to tell", came=f"{reply.text!r:.120}")
    return PASSED


def _wrong_entry(entry: Any, top: int) -> str:
    """What is wrong with a token's logprob, or with its likeliest alternatives, in their order.

    The token is one of them. A less likely one may be left out, or come in addition, at any place.
    """
    listed = _listed(entry)
    for each in (entry, *listed):
        if not isinstance(each, Mapping) or not _is_logprob(each.get("logprob")):
            value = each.get("logprob") if isinstance(each, Mapping) else each
            return f"a logprob is {value!r:.40}"
    token, value = entry.get("token"), entry["logprob"]
    same = [each for each in listed if each.get("token") == token or each["logprob"] == value]
    others = [each["logprob"] for each in listed if each is not next(iter(same), None)]
    outside = value <= min(others, default=-math.inf) + CLOSE
    if not listed or len(listed) > top + outside:
        return f"{len(listed)} alternatives, asked for {top}"
    if any(later > earlier + CLOSE for earlier, later in pairwise(others)):
        return f"the alternatives are not sorted: {others!r:.80}"
    return "" if same or outside else f"{token!r:.40} is likelier than its alternatives"


def _listed(entry: Any) -> Sequence[Any]:
    listed = entry.get("top_logprobs") if isinstance(entry, Mapping) else ()
    return listed if isinstance(listed, list) else ()


def _misspelled(found: Logprobs, reply: Reply) -> str:
    """Where tokens or their bytes do not make up a text; that of its end is no part of it.

    A token that is half a character has no text of its own, and may have its bytes alone.
    """
    content = (reply.content or "").strip()
    tokens = [str(each.get("token")) for each in found]
    given = [each.get("bytes") for each in found]

    def spell(*texts: str) -> bool:
        said = [each.strip() for each in texts]
        return any(each == content or (reply.reasoning and each.endswith(content)) for each in said)

    by_tokens = spell("".join(tokens), "".join(tokens[:-1]))
    if None in given and by_tokens:
        return ""
    if None not in given and spell(_text_of(given), _text_of(given[:-1])):
        return ""
    if by_tokens:
        return f"the bytes are those of {_text_of(given)!r:.80}, the text is {content!r:.80}"
    return f"the tokens are {''.join(tokens)!r:.80}, the text is {content!r:.80}"


def _text_of(given: Sequence[Any]) -> str:
    """The text of tokens' bytes; what is no byte becomes one that stands in no text."""
    values = [value for each in given for value in (each if isinstance(each, list) else [None])]
    known = [value if type(value) is int and 0 <= value < 256 else 0xFF for value in values]
    return bytes(known).decode(errors="replace")


def score_same_logprobs(whole: Logprobs, streamed: Logprobs) -> Score:
    """Score the logprobs of a stream by those of a whole reply, as far as their tokens agree.

    What llama.cpp keeps back, as a stop sequence may have begun, has none in its streams.
    """
    texts = ["".join(str(each.get("token")) for each in found) for found in (whole, streamed)]
    missing = abs(len(whole) - len(streamed))
    if texts[0] == texts[1] and missing > max(FEW_LISTED, UNLISTED * len(whole)):
        came = f"{len(whole)} whole, {len(streamed)} streamed"
        return failed("logprobs of the same text are of other tokens in a stream", came)
    both = zip(whole, streamed, strict=False)
    pairs = takewhile(lambda pair: pair[0].get("token") == pair[1].get("token"), both)
    off = [abs(math.exp(one["logprob"]) - math.exp(other["logprob"])) for one, other in pairs]
    if len(off) < MIN_LISTED:
        came = f"{len(off)} tokens alike"
        return scored(Outcome.UNDETERMINED, "the model writes another text", came=came)
    mean = sum(off) / len(off)
    if mean <= SAME_PROBABILITY:
        return PASSED
    return failed("the same tokens have other probabilities in a stream", f"{mean:.2f} on average")


def score_equal(first: Reply, second: Reply) -> Score:
    """Score whether two replies to the same request are equal."""
    if first.text == second.text:
        return PASSED
    return failed(f"{first.text!r:.80}, then {second.text!r:.80}")


def score_next_request(hostile: Score, neighbour: Exchange) -> Score:
    """Score a hostile request by its response, and by that of an ordinary request."""
    if not hostile.passed:
        return hostile
    read(neighbour)
    return PASSED


def score_others(others: Sequence[Exchange]) -> Score:
    """Score ordinary requests beside a hostile one and after it: each must have a reply."""
    for each in others:
        read(each)
    return PASSED


def _is_logprob(value: Any) -> bool:
    return type(value) in (int, float) and value <= 1e-6 and not math.isnan(value)


Document = Mapping[str, Any]
DAY = 86_400
#: The fields that OpenAI's specification requires, null or not.
REQUIRED_FIELDS = {
    "choices[0].message": ("content", "refusal", "role"),
    "choices[0]": ("logprobs",),
}
#: The fields that may be omitted, but not null.
NEVER_NULL = {
    "": ("system_fingerprint", "usage"),
    "choices[0].message": ("annotations", "function_call", "tool_calls"),
    "usage": ("prompt_tokens_details", "completion_tokens_details"),
}


def document(exchange: Exchange) -> Document:
    """The JSON document of a completion.

    Raises:
        EndpointError: The response is no completion.
    """
    read(exchange)
    found: Document = decode(exchange.body.decode())
    return found


def score_schema(found: Any, schema: Mapping[str, Any], what: str = "$") -> Score:
    """Score a document by a JSON Schema."""
    error = violation(found, schema)
    if error is None:
        return PASSED
    return failed(f"{what}{error.json_path.removeprefix('$')}", f"{error.message:.160}")


def score_completion(found: Document, schema: Mapping[str, Any]) -> Score:
    """Score a completion by the SDK's schema, and by what clients rely on."""
    score = score_schema(found, schema)
    if not score.passed:
        return score
    first = found["choices"][0] if found["choices"] else {}
    indices = [choice["index"] for choice in found["choices"]]
    if indices != list(range(len(indices))) or not indices:
        return failed(f"the choices have the indices {indices}")
    if not found["id"]:
        return failed("the id is empty")
    return PASSED if first["finish_reason"] else failed("no finish_reason")


def score_content_type(exchange: Exchange, kind: str) -> Score:
    """Score the Content-Type of a successful response."""
    read(exchange)
    label = exchange.headers.get("content-type", "")
    if label.partition(";")[0].strip().lower() == kind:
        return PASSED
    return failed(f"Content-Type is {label!r:.80}, not {kind}", f"{exchange.body[:80]!r}")


def score_usage(usage: Any) -> Score:
    """Score the token counts of a reply."""
    if not isinstance(usage, Mapping):
        return failed(f"usage is {usage!r:.80}")
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [count for count in map(usage.get, names) if type(count) is int and count >= 0]
    if len(counts) < len(names):
        return failed("usage is not in token counts", f"{dict(usage)!r:.160}")
    prompt, completion, total = counts
    if prompt == 0 or completion == 0:
        return failed("usage counts nothing", f"{dict(usage)!r:.160}")
    return (
        PASSED
        if prompt + completion == total
        else failed(f"{prompt} + {completion} is not {total}")
    )


def score_model_name(found: Document, model: str) -> Score:
    """Score the model's name in a reply."""
    sent = found.get("model")
    return PASSED if sent == model else failed(f"asked {model!r:.60}, answered as {sent!r:.60}")


def score_created(created: Any, sent: float) -> Score:
    """Score `created` of a reply, in seconds since the epoch, by when it was requested."""
    if type(created) is not int:
        return failed(f"created is {created!r:.60}")
    off = abs(created - sent)
    return PASSED if off <= DAY else failed(f"created is {off / DAY:,.0f} days off", f"{created}")


def score_all_fields(found: Document) -> Score:
    """Score whether every field that OpenAI's specification requires is present."""
    missing = [f"{path}.{name}" for path, names in REQUIRED_FIELDS.items()
               for name in names if name not in _at(found, path)]  # fmt: skip
    return failed("missing", ", ".join(missing)) if missing else PASSED


def score_no_nulls(found: Document) -> Score:
    """Score whether fields without a value are omitted, as OpenAI's specification requires."""
    nulls = [f"{path}.{name}".lstrip(".") for path, names in NEVER_NULL.items()
             for name in names if _at(found, path).get(name, 0) is None]  # fmt: skip
    return failed("null", ", ".join(nulls)) if nulls else PASSED


def score_unique(names: Sequence[Any]) -> Score:
    """Score whether ids of replies are unique."""
    return (
        PASSED
        if len(set(map(str, names))) == len(names)
        else failed("the same id", f"{names!r:.120}")
    )


def score_reasoning_separate(reply: Reply) -> Score:
    """Score whether reasoning is in a separate field."""
    if (reply.content or "") == reply.text:
        return PASSED
    return failed("reasoning in the content", f"{reply.content!r:.120}")


def score_no_template_leak(reply: Reply) -> Score:
    """Score whether the text is free of the chat template's control tokens."""
    return failed(f"{', '.join(reply.leaks)} in {reply.text!r:.120}") if reply.leaks else PASSED


def _at(found: Document, path: str) -> Mapping[str, Any]:
    """The object at a path; an empty one if there is none."""
    here: Any = found
    for step in filter(None, path.split(".")):
        name, bracket, _ = step.partition("[")
        here = here.get(name)
        here = here[0] if bracket and here else here
        if not isinstance(here, Mapping):
            return {}
    return here if isinstance(here, Mapping) else {}
