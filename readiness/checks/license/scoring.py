"""Whether the evidence of a licence shows that a business may use the weights. No legal advice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import PurePath
from urllib.parse import urlsplit

from readiness.checks.license.license_evidence import (
    LicenseDocument,
    LicenseEvidence,
    VendorStatement,
)
from readiness.checks.license.license_prose import (
    LicenseFacts,
    free_license,
    licensing,
    restriction,
)
from readiness.checks.license.license_terms import Standing, Terms, all_of, marked, terms
from readiness.checks.license.license_text import compare, words
from readiness.resources import licenses
from readiness.score import PASSED, Outcome, Score, failed, scored

WEIGHTS = ("config.json", ".gguf")  # What stands beside weights, and not beside code.
AGREED = "acceptable-use"  # The condition that a use policy stands for.
OLDEST = 400  # days

Voice = tuple[str, Terms]


def permits(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether every source permits commercial use, on conditions that are accepted."""
    voices = [*_labels(evidence), *_texts(evidence)]
    if not voices:
        if evidence.unreadable:
            return _unsettled("; ".join(evidence.unreadable))
        if promises := _promises(evidence):
            source, said = promises[0]
            return _unsettled(f"a sentence alone is no licence: {source} says {said!r:.200}")
        return failed("no text of a licence, and no name of one", "nothing is permitted")
    worst = all_of([each for _, each in voices])
    if worst.standing is Standing.FORBIDDEN:
        shown = "; ".join(each.why for _, each in voices if each.why)
        agreed = all(each.standing >= Standing.UNKNOWN for _, each in voices)
        return failed(shown) if agreed else _unsettled(f"{shown}, and the sources disagree")
    if worst.standing is Standing.UNKNOWN:
        return _unsettled("; ".join(f"{source}: {each.why}" for source, each in voices if each.why))
    return _on(worst.conditions - frozenset(accepted))


def whole(evidence: LicenseEvidence) -> Score:
    """Score whether the licence stands there word by word, with nothing added."""
    stated = [each for each in evidence.license_documents if each.terms]
    if not stated:
        unread = "".join(f"; {each}" for each in evidence.unreadable)
        return _unsettled(f"no text of the licence, only its name{unread}")
    wrong = [why for each in stated if (why := _departs(each, evidence.reviewed_digests))]
    return _unsettled("; ".join(wrong)) if wrong else PASSED


def agree(evidence: LicenseEvidence) -> Score:
    """Score whether all sources name the same licence."""
    if evidence.unreadable:
        return _unsettled(f"what cannot be read may disagree: {'; '.join(evidence.unreadable)}")
    labels, texts = _labels(evidence), _texts(evidence, known=True)
    if not labels and not _of_weights(evidence):
        return _unsettled(
            "nothing says that the weights are under this text, which may be that of code: a card's"
            " `license`, a GGUF header or a record's `says` does"
        )
    if strange := [] if labels else _other_promises(evidence, [each for _, each in texts]):
        return _unsettled(f"the sources disagree: {strange[0]}, and that is no text here")
    if len(labels) + len(texts) < 2:
        return Score(Outcome.UNSUPPORTED, "one source alone has nothing to agree with")
    named = {each.names for _, each in labels}
    stray = [each for _, each in texts if named and not each.names <= frozenset().union(*named)]
    if len(named) <= 1 and not stray:
        return PASSED
    said = (f"{source} says {' and '.join(sorted(each.names))}" for source, each in labels)
    are = (f"{source} is {' and '.join(sorted(each.names))}" for source, each in texts)
    return _unsettled(f"the sources disagree: {', '.join([*said, *are])}")


def clear(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether all models that the weights were made from may be used as well."""
    line = dict(evidence.ancestry("the model"))
    scores = [_descent(name, each, line) for name, each in line.items()]
    for name, each in evidence.ancestry():
        if name:
            found = (
                permits(each, accepted),
                whole(each),
                agree(each),
                unrestricted(each, accepted),
            )
            scores += [scored(one.outcome, name, came=one.reason) for one in found]
    return _worst(scores)


def unrestricted(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether nothing beside the licence restricts the use."""
    wrong = [f"{each.source} says {said!r:.200}" for each, said in _warnings(evidence)]
    if evidence.policies and AGREED not in accepted:
        files = ", ".join(evidence.policies)
        wrong.append(f"{files} restricts the use: a person has to read it and accept {AGREED}")
    return _unsettled("; ".join(wrong)) if wrong else PASSED


def stated(statements: Sequence[VendorStatement], today: date) -> Score:
    """Score whether the vendor has stated it, lately and where the vendor speaks."""
    if not statements:
        return Score(Outcome.UNSUPPORTED, "no statement of the vendor was given")
    wrong = [_doubtful(each, today) for each in statements]
    return PASSED if "" in wrong else failed("; ".join(wrong))


def matches(names: Sequence[str], model: str) -> Score:
    """Score whether the evidence is of the model that the endpoint names."""
    if not names:
        return Score(Outcome.UNSUPPORTED, "the evidence names no model")
    served = _letters(model)
    known = [letters for name in names if (letters := _letters(name))]
    if any(each in served or served in each for each in known):
        return PASSED
    return _unsettled(f"evidence of {', '.join(names)}, and the endpoint serves {model!r:.80}")


def _warnings(evidence: LicenseEvidence) -> list[tuple[LicenseDocument, str]]:
    """What prose says against the use in passing, where no person has read it."""
    unread = [
        each for each in evidence.other_documents if each.sha256 not in evidence.reviewed_digests
    ]
    facts = _facts(evidence)
    said = [
        (each, restriction(each.text, facts))
        for each in unread
        if each.source not in evidence.policies
    ]
    return [(each, warning) for each, warning in said if warning]


def _facts(evidence: LicenseEvidence) -> LicenseFacts:
    """What the other sources show, in whose light prose is read."""
    named = [each.names for _, each in (*_labels(evidence), *_texts(evidence, known=True))]
    free = [each.source for each in evidence.license_documents if _is_free(each)]
    files = frozenset(PurePath(each).name for each in free)
    return LicenseFacts(frozenset().union(*named), files, evidence.names)


def _is_free(document: LicenseDocument) -> bool:
    """Whether a document is a free licence word by word, and nothing else."""
    found = compare(document.text)
    return found.exact and terms(found.license).standing is Standing.FREE


def _promises(evidence: LicenseEvidence) -> list[tuple[str, str]]:
    """What prose says of a free licence of the weights, and where."""
    said = [(each.source, free_license(each.text)) for each in evidence.other_documents]
    return [(source, sentence) for source, sentence in said if sentence]


def _other_promises(evidence: LicenseEvidence, texts: Sequence[Terms]) -> list[str]:
    """Where prose puts the weights under a free licence that no text is: the code's, it may be."""
    shown = {name.casefold().partition("-")[0] for each in texts for name in each.names}
    return [
        f"{source} says {sentence!r:.200}"
        for source, sentence in _promises(evidence)
        if shown and shown.isdisjoint(words(sentence))
    ]


def _of_weights(evidence: LicenseEvidence) -> bool:
    """Whether texts stand beside weights, or prose says what the weights are under."""
    beside = any(PurePath(each).name.endswith(WEIGHTS) for each in evidence.files)
    said = any(licensing(each.text) for each in evidence.other_documents)
    return beside or said or not evidence.license_documents


def _labels(evidence: LicenseEvidence) -> list[Voice]:
    return [(each.source, terms(each.license)) for each in evidence.labels]


def _texts(evidence: LicenseEvidence, *, known: bool = False) -> list[Voice]:
    """The licences that texts are; those that are none count, unless a person has read them."""
    voices = []
    for each in evidence.license_documents:
        if name := (compare(each.text).license if each.terms else "") or marked(each.text):
            voices.append((each.source, terms(name)))
        elif each.terms and not known and each.sha256 not in evidence.reviewed_digests:
            why = "no text that is known here"
            voices.append((each.source, Terms(frozenset(), Standing.UNKNOWN, why=why)))
    return voices


def _departs(text: LicenseDocument, read: Collection[str]) -> str:
    """How a text departs from what is known word by word; "" where it does not."""
    compared = compare(text.text)
    if compared.license:
        return (
            ""
            if compared.exact
            else f"{text.source} is {compared.license}, but {_cut(compared.changes)}"
        )
    if text.sha256 in read:
        return ""
    name = marked(text.text) or "a licence"
    return f"{text.source} is {name} that is not known word by word: a person has to read it"


def _descent(name: str, evidence: LicenseEvidence, shown: Iterable[str]) -> Score:
    """Score whether there is evidence of all that a model was made from."""
    if evidence.parents is None:
        return _unsettled(f"nothing tells what {name} was made from: a card does, or a record")
    known = list(shown)
    missing = [each for each in evidence.parents if not any(_same(each, one) for one in known)]
    if missing:
        return _unsettled(f"{name} was made from {', '.join(missing)}: no evidence of it")
    return PASSED


def _same(name: str, other: str) -> bool:
    """Whether two names are one model's: one of them may leave out who made it."""
    one, two = name.casefold(), other.casefold()
    return one == two or (
        ("/" in one) is not ("/" in two) and one.rpartition("/")[2] == two.rpartition("/")[2]
    )


def _on(conditions: Iterable[str]) -> Score:
    """Pass on no conditions; name those that nobody has accepted."""
    meaning = licenses()["conditions"]
    named = [f"{each} ({meaning[each]})" for each in sorted(conditions)]
    return (
        _unsettled(f"conditions that the policy does not accept: {'; '.join(named)}")
        if named
        else PASSED
    )


def _doubtful(statement: VendorStatement, today: date) -> str:
    if not statement.copy_matches:
        return f"{statement.url}: the copy that was kept is missing, or another"
    age = (today - statement.day).days
    if not 0 <= age <= OLDEST:
        return f"{statement.url}: read on {statement.day}, and today is {today}"
    if any(_speaks(vendor, statement.url) for vendor in licenses()["vendors"]):
        return ""
    return f"{statement.url}: no place where a vendor speaks that is known here"


def _speaks(place: str, url: str) -> bool:
    """Whether an address lies in a place: in its domain, and below its path."""
    domain, _, folder = place.partition("/")
    parts = urlsplit(url.casefold())
    within = f".{parts.hostname}".endswith(f".{domain}")
    return within and (not folder or f"{parts.path}/".startswith(f"/{folder}/"))


def _worst(scores: Sequence[Score]) -> Score:
    """A failure before a doubt, and either before a pass."""
    for outcome in (Outcome.FAIL, Outcome.UNDETERMINED):
        if reasons := [each.reason for each in scores if each.outcome is outcome]:
            return Score(outcome, "; ".join(reasons))
    return PASSED


def _letters(name: str) -> str:
    return "".join(each for each in name.rpartition("/")[2].casefold() if each.isalnum())


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}..."


def _unsettled(reason: str) -> Score:
    return Score(Outcome.UNDETERMINED, reason)
