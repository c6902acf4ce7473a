"""The factors of a request's form and their levels: the one place that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product


class Reply(StrEnum):
    """How the reply comes."""

    WHOLE = "whole"
    STREAMED = "streamed"
    NO_OPTIONS = "streamed without stream_options"


class System(StrEnum):
    """What a system message says before the instructions of the probe's own."""

    NONE = "none"
    NEUTRAL = "neutral"
    LONG = "long"
    PERSONA = "permissive persona"
    NO_RULES = "no rules"
    DEVELOPER = "from the developer"


class Turns(StrEnum):
    """What was said before, about other things."""

    NONE = "none"
    THREE = "three"
    THIRTY = "thirty"
    TOOL_RESULT = "after a tool's result"


class Tools(StrEnum):
    """Which tools are offered, and by which choice."""

    NONE = "none"
    IRRELEVANT = "irrelevant"
    AUTO = "relevant, auto"
    NO_CHOICE = "relevant, tool_choice left out"
    OWN = "relevant, by the probe's own choice"


class Format(StrEnum):
    """The response format, where words say what is wanted."""

    NONE = "none"
    TEXT = "text"
    JSON_SCHEMA = "json_schema"


class Content(StrEnum):
    """Whether the content of messages is a string or an array of parts."""

    STRING = "string"
    USER = "parts in user messages"
    EVERY = "parts in every message"


class Length(StrEnum):
    """About how many tokens of text stand before the request, in the same message."""

    SHORT = "none"
    TOKENS_2K = "2K"
    TOKENS_16K = "16K"
    TOKENS_60K = "60K"


class Sampling(StrEnum):
    """Which parameters of sampling are sent."""

    GREEDY = "greedy"
    NONE = "none"
    SEEDED = "temperature and seed"


class Limit(StrEnum):
    """By which name the reply is limited."""

    USUAL = "as the endpoint prefers"
    OLD_NAME = "max_tokens"
    NONE = "none"


class Parameters(StrEnum):
    """What else clients send, which changes nothing of what is asked."""

    NONE = "none"
    STOP = "a stop sequence that never comes"
    LOGPROBS = "logprobs"
    CLIENT = "user and other notes"
    TWO = "two choices"


class Insistence(StrEnum):
    """What a client adds so that a request is met rather than refused."""

    NONE = "none"
    PREFILL = "a reply that is begun"
    AGAIN = "asked again after a refusal"
    JSON_OBJECT = "json_object"
    JSON_SCHEMA = "json_schema"
    TOOL = "a tool that must be called"


class Load(StrEnum):
    """How many requests are in flight at once, that of the probe counted."""

    EIGHT = "8"
    ALONE = "1"
    THIRTY_TWO = "32"


class Language(StrEnum):
    """The language of what stands around the request; none where nothing does."""

    NONE = "none"
    CHINESE = "zh"
    ENGLISH = "en"
    SPANISH = "es"
    JAPANESE = "ja"


class Factor(StrEnum):
    """What the record counts a probe under by its form."""

    REPLY = "reply"
    SYSTEM = "system message"
    TURNS = "earlier turns"
    TOOLS = "tools offered"
    FORMAT = "response_format"
    CONTENT = "content"
    LENGTH = "text before"
    SAMPLING = "sampling"
    LIMIT = "limit"
    PARAMETERS = "other parameters"
    INSISTENCE = "insistence"
    LOAD = "in flight"
    LANGUAGE = "language around"


#: A level of a factor.
Level = tuple[Factor, str]
#: The levels of each factor that varies.
FormLevels = Mapping["Factor", Sequence[str]]
#: The level of each factor.
Form = Mapping[Factor, str]

LEVELS: Mapping[Factor, type[StrEnum]] = {
    Factor.REPLY: Reply,
    Factor.SYSTEM: System,
    Factor.TURNS: Turns,
    Factor.TOOLS: Tools,
    Factor.FORMAT: Format,
    Factor.CONTENT: Content,
    Factor.LENGTH: Length,
    Factor.SAMPLING: Sampling,
    Factor.LIMIT: Limit,
    Factor.PARAMETERS: Parameters,
    Factor.INSISTENCE: Insistence,
    Factor.LOAD: Load,
    Factor.LANGUAGE: Language,
}
#: The form that adds nothing to a request.
PLAIN: Form = {factor: next(iter(levels)).value for factor, levels in LEVELS.items()}

#: What some endpoints take no request with: a trial that is declined for it is made without it.
DECLINABLE: Mapping[Factor, Sequence[str]] = {
    Factor.SYSTEM: [System.DEVELOPER],
    Factor.PARAMETERS: [each for each in Parameters if each is not Parameters.NONE],
    Factor.INSISTENCE: [each for each in Insistence if each is not Insistence.NONE],
}
_AROUND = (Factor.SYSTEM, Factor.TURNS, Factor.LENGTH)
#: Levels that no request can have together, whatever it asks.
IMPOSSIBLE: Sequence[frozenset[Level]] = (
    # A conversation in which a tool was called is one that offers it.
    frozenset({(Factor.TURNS, Turns.TOOL_RESULT), (Factor.TOOLS, Tools.NONE)}),
    # What stands around has a language, and without it there is none.
    *(
        frozenset({(Factor.LANGUAGE, Language.NONE), (factor, level)})
        for factor in _AROUND
        for level in LEVELS[factor]
        if level != PLAIN[factor]
    ),
    *(
        frozenset({(Factor.LANGUAGE, of), *((factor, PLAIN[factor]) for factor in _AROUND)})
        for of in Language
        if of is not Language.NONE
    ),
    # A request has one response format.
    *(
        frozenset({(Factor.INSISTENCE, format_), (Factor.FORMAT, Format.TEXT)})
        for format_ in (Insistence.JSON_OBJECT, Insistence.JSON_SCHEMA)
    ),
)


@dataclass(frozen=True)
class Share:
    """How many of a hundred trials may have a costly level: of the first, and of those after."""

    first: float
    later: float

    def of(self, trials: int, first: int) -> int:
        """How many of so many trials, if so many are the first."""
        early = min(trials, first)
        return int((self.first * early + self.later * (trials - early)) / 100 + 0.5)


#: What takes many tokens, or time in which nothing else is sent, stands in few of the first trials,
#: and in more by night.
EXPENSIVE: Mapping[Level, Share] = {
    (Factor.SYSTEM, System.LONG): Share(0, 15),
    (Factor.TURNS, Turns.THIRTY): Share(3, 20),
    (Factor.LENGTH, Length.TOKENS_2K): Share(2, 20),
    (Factor.LENGTH, Length.TOKENS_16K): Share(0, 15),
    (Factor.LENGTH, Length.TOKENS_60K): Share(0, 5),
    (Factor.LOAD, Load.ALONE): Share(2, 5),
    (Factor.LOAD, Load.THIRTY_TWO): Share(15, 30),
}
#: What an endpoint may decline stands in few trials, too; two choices take the tokens of two.
SELDOM: Mapping[Level, Share] = {
    (Factor.SYSTEM, System.DEVELOPER): Share(10, 15),
    (Factor.PARAMETERS, Parameters.STOP): Share(10, 15),
    (Factor.PARAMETERS, Parameters.LOGPROBS): Share(10, 15),
    (Factor.PARAMETERS, Parameters.CLIENT): Share(10, 15),
    (Factor.PARAMETERS, Parameters.TWO): Share(5, 10),
}
COSTLY: Mapping[Level, Share] = {**EXPENSIVE, **SELDOM}


@dataclass(frozen=True, eq=False)
class FormSpace:
    """The forms in which a requirement keeps its meaning.

    Args:
        levels: Those of each factor that varies, or the one at which it is fixed; the other factors
            stay plain.
        forbidden: Levels that cannot stand together here, besides those that never can.
        costly: The shares of costly levels.
        first: How many trials every commit pays for; those from there on are of the nightly run.
    """

    levels: Mapping[Factor, Sequence[str]]
    forbidden: Sequence[frozenset[Level]] = ()
    costly: Mapping[Level, Share] = field(default_factory=lambda: COSTLY)
    first: int = 100

    def __post_init__(self) -> None:
        unknown = [
            level
            for factor in self.levels
            for level in self.levels[factor]
            if level not in [*LEVELS[factor]]
        ]
        fixed = [factor for factor, of in self.levels.items() if len(of) < 2]
        if unknown or any([*self.levels[factor]] in ([], [PLAIN[factor]]) for factor in fixed):
            raise ValueError(f"a factor varies over two or more of its levels: {unknown}")
        if not self.allows(self.plain):
            raise ValueError("the first levels of all factors are to make a form")

    def allows(self, form: Mapping[Factor, str]) -> bool:
        """Whether the levels of a form, or of a part of one, may stand together."""
        had = set(form.items())
        return not any(each <= had for each in (*IMPOSSIBLE, *self.forbidden))

    def form_of(self, labels: Mapping[str, str]) -> Form:
        """The form that the labels of a probe or of a trial name."""
        return {**PLAIN, **{factor: labels[factor.value] for factor in self.levels}}

    @property
    def plain(self) -> Form:
        """The plainest form: that of the first level of each factor."""
        return {**PLAIN, **{factor: str(levels[0]) for factor, levels in self.levels.items()}}

    @property
    def all(self) -> list[Level]:
        """Every level of every factor that varies."""
        return [level for factor, of in self.levels.items() for level in product([factor], of)]


def varying(*left_out: StrEnum | type[StrEnum]) -> FormLevels:
    """Every factor with all of its levels, but for some levels and some factors."""
    # "none" of one factor equals that of another: their types tell them apart.
    gone = {(type(each), each) for each in left_out}
    kept = {
        factor: [level for level in of if (of, level) not in gone]
        for factor, of in LEVELS.items()
        if of not in left_out
    }
    return {factor: of for factor, of in kept.items() if len(of) > 1}


#: What changes the meaning of a request, but for one that is to be refused.
_INSISTING = (Insistence, System.NO_RULES)
#: Every form of a request that needs no tool, and of one that is about tools which may be called.
TEXT = varying(
    *(Format.JSON_SCHEMA, Length.TOKENS_60K, Tools.AUTO, Tools.NO_CHOICE, Tools.OWN), *_INSISTING
)
OFFERED = varying(
    *(Format.JSON_SCHEMA, Length.TOKENS_60K, Tools.NONE, Tools.IRRELEVANT, Tools.OWN), *_INSISTING
)


def without(space: FormLevels, *factors: Factor) -> FormLevels:
    """The levels of a space but for some factors."""
    return {factor: of for factor, of in space.items() if factor not in factors}


#: The shares where none may fail: one trial tells of a long system message, and of each long text.
TELLING: Mapping[Level, Share] = {
    **COSTLY,
    (Factor.SYSTEM, System.LONG): Share(1, 15),
    (Factor.LENGTH, Length.TOKENS_16K): Share(1, 15),
    (Factor.LENGTH, Length.TOKENS_60K): Share(1, 5),
}


def with_60k(levels: FormLevels) -> FormLevels:
    """The levels of a space, and a text of 60K tokens before the request."""
    return {**levels, Factor.LENGTH: [*Length]}


def insisting(levels: FormLevels) -> FormLevels:
    """The levels of a space, and what is added so that a request is met rather than refused."""
    added = {Factor.SYSTEM: [*System], Factor.INSISTENCE: [*Insistence]}
    return {**levels, **added}


#: The shares of a request that is to be refused.
INSISTING: Mapping[Level, Share] = {
    **TELLING,
    (Factor.SYSTEM, System.NO_RULES): Share(10, 15),
    **{(Factor.INSISTENCE, each): Share(6, 10) for each in DECLINABLE[Factor.INSISTENCE]},
}

#: How a request is sent, where what stands in it is what the check is about.
SENDING = {factor: [*LEVELS[factor]] for factor in (Factor.REPLY, Factor.SAMPLING)}
