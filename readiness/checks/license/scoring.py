"""Scoring of licence evidence: whether a business may use the weights. No legal advice."""

from __future__ import annotations

import re
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
    code_license,
    free_license,
    licensing,
    restriction,
)
from readiness.checks.license.license_terms import (
    LicensePermission,
    LicenseTerms,
    combined_terms,
    marked,
    terms,
)
from readiness.checks.license.license_text import compare, words
from readiness.checks.license.open_sentences import MAX_OPEN, open_sentences
from readiness.resources import licenses
from readiness.score import PASSED, Outcome, Score, failed, scored

WEIGHTS = ("config.json", ".gguf")  # the files of a folder of weights, rather than of code
ACCEPTABLE_USE = "acceptable-use"  # the condition for any use policy
MAX_AGE = 400  # days
MAX_CARD_DEPTH = 2  # parts of a path
MAX_TITLE = 20  # words
MAX_QUOTED = 5  # sentences
#: Documents on how a project is run, which bear on rights only where they speak of the weights.
_GOVERNANCE = re.compile(
    r"(?:^|/)(?:code[_-]of[_-]conduct|contributing|security|changelog|codeowners|maintainers)"
    r"(?:\.\w+)?$",
    re.IGNORECASE,
)
# A text for others' code, or for code alone, as in LICENSE-CODE.
_THIRD_PARTY = re.compile(
    r"third[ _-]?party|licen[cs]e[ _.-]*(?:code|software|src)\b"
    r"|(?:^|/)(?:code|software)[ _.-]*licen[cs]e",
    re.IGNORECASE,
)

SourceTerms = tuple[str, LicenseTerms]


def score_commercial_use(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether every source permits commercial use, on accepted conditions only."""
    sources = [*_labels(evidence), *_texts(evidence)]
    if not sources:
        if evidence.unread:
            return _undetermined("; ".join(evidence.unread))
        if grants := _prose_grants(evidence):
            source, sentence = grants[0]
            return _undetermined(f"a sentence alone is no licence: {source} says {sentence!r:.200}")
        return failed("no licence text and no licence name", "nothing is permitted")
    worst = combined_terms([each for _, each in sources])
    if worst.permission is LicensePermission.FORBIDDEN:
        shown = "; ".join(each.why for _, each in sources if each.why)
        agreed = all(each.permission >= LicensePermission.UNKNOWN for _, each in sources)
        return failed(shown) if agreed else _undetermined(f"{shown}, and the sources disagree")
    if worst.permission is LicensePermission.UNKNOWN:
        return _undetermined(
            "; ".join(f"{source}: {each.why}" for source, each in sources if each.why)
        )
    return _score_conditions(worst.conditions - frozenset(accepted))


def score_verbatim_text(evidence: LicenseEvidence) -> Score:
    """Score whether each licence text is verbatim, with nothing added or omitted."""
    documents = [each for each in evidence.license_documents if each.terms]
    if all(map(_of_third_party, documents)):
        unread = "".join(f"; {each}" for each in evidence.unread)
        return _undetermined(f"no licence text, only a name{unread}")
    wrong = [why for each in documents if (why := _deviation(each, evidence.reviewed_digests))]
    return _undetermined("; ".join(wrong)) if wrong else PASSED


def score_consistency(evidence: LicenseEvidence) -> Score:
    """Score whether all sources name the same licence."""
    if evidence.unread:
        return _undetermined(f"unreadable files may disagree: {'; '.join(evidence.unread)}")
    labels, texts = _labels(evidence), _texts(evidence, known=True)
    if not labels and not _of_weights(evidence):
        return _undetermined(
            "no source states that this licence text covers the weights rather than code: a card's"
            " `license`, a GGUF header or a record's `says` would"
        )
    if unmatched := [] if labels else _grants_without_text(evidence, [each for _, each in texts]):
        return _undetermined(f"the sources disagree: {unmatched[0]}, but no text is that licence")
    if len(labels) + len(texts) < 2:
        return Score(Outcome.UNSUPPORTED, "there is only one source to compare")
    named = {each.names for _, each in labels}
    unnamed = [each for _, each in texts if named and not each.names <= frozenset().union(*named)]
    if len(named) <= 1 and not unnamed:
        return PASSED
    labelled = (f"{source} says {' and '.join(sorted(each.names))}" for source, each in labels)
    identified = (f"{source} is {' and '.join(sorted(each.names))}" for source, each in texts)
    return _undetermined(f"the sources disagree: {', '.join([*labelled, *identified])}")


def score_base_models(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether all base models are known and permit commercial use."""
    models = dict(evidence.ancestry("the model"))
    scores = [_score_base_models_known(name, each, models) for name, each in models.items()]
    for name, each in evidence.ancestry():
        if name:
            found = (
                score_commercial_use(each, accepted),
                score_verbatim_text(each),
                score_consistency(each),
                score_restrictions(each, accepted),
            )
            scores += [scored(one.outcome, name, came=one.reason) for one in found]
    return _worst(scores)


def score_restrictions(evidence: LicenseEvidence, accepted: Collection[str]) -> Score:
    """Score whether nothing but the licence restricts the use."""
    wrong = [f"{each.source} says {sentence!r:.200}" for each, sentence in _restrictions(evidence)]
    wrong += [f"{each.source}: {_quoted(said)}" for each, said in _open_documents(evidence)]
    wrong += _code_alone(evidence)
    if evidence.use_policies and ACCEPTABLE_USE not in accepted:
        files = ", ".join(evidence.use_policies)
        wrong.append(f"{files} restricts use: a person must read it and accept {ACCEPTABLE_USE}")
    return _undetermined("; ".join(wrong)) if wrong else PASSED


def score_vendor_statement(statements: Sequence[VendorStatement], today: date) -> Score:
    """Score whether the vendor stated the licence recently, on a site of its own."""
    if not statements:
        return Score(Outcome.UNSUPPORTED, "no vendor statement in the evidence")
    wrong = [_statement_problem(each, today) for each in statements]
    return PASSED if "" in wrong else failed("; ".join(wrong))


def score_model_match(names: Sequence[str], model: str) -> Score:
    """Score whether the evidence is for the model that the endpoint names."""
    if not names:
        return Score(Outcome.UNSUPPORTED, "the evidence names no model")
    served = _comparable(model)
    known = [comparable for name in names if (comparable := _comparable(name))]
    if any(each in served or served in each for each in known):
        return PASSED
    return _undetermined(f"evidence for {', '.join(names)}, but the endpoint serves {model!r:.80}")


def _restrictions(evidence: LicenseEvidence) -> list[tuple[LicenseDocument, str]]:
    """The sentences of unreviewed prose that restrict the use, each with its document."""
    facts = _facts(evidence)
    found = [(each, restriction(each.text, facts)) for each in _unreviewed(evidence)]
    return [(each, sentence) for each, sentence in found if sentence]


def _open_documents(evidence: LicenseEvidence) -> list[tuple[LicenseDocument, list[str]]]:
    """The unreviewed documents with sentences that may restrict the use, with these sentences."""
    files = _facts(evidence).files
    found = [
        (each, open_sentences(each.text, files, about_weights=_is_governance(each)))
        for each in _unreviewed(evidence)
    ]
    return [(each, said) for each, said in found if said]


def _code_alone(evidence: LicenseEvidence) -> list[str]:
    """The statements that code is free, where prose says so of nothing else."""
    unread = _unreviewed(evidence)
    if any(free_license(each.text) for each in unread):
        return []
    found = [(each, code_license(each.text)) for each in unread if not _is_governance(each)]
    return [
        f"{each.source} states the licence of code alone: {said!r:.200}"
        for each, said in found
        if said
    ]


def _unreviewed(evidence: LicenseEvidence) -> list[LicenseDocument]:
    """The prose that no person has read, but use policies, which are named whole."""
    return [
        each
        for each in evidence.other_documents
        if each.sha256 not in evidence.reviewed_digests and each.source not in evidence.use_policies
    ]


def _is_governance(document: LicenseDocument) -> bool:
    """Whether a document is on how a project is run."""
    return bool(_GOVERNANCE.search(document.source))


def _quoted(said: Sequence[str]) -> str:
    """How many sentences a person must read, and the first of them."""
    shown = "; ".join(f"{each!r:.200}" for each in said[:MAX_QUOTED])
    more = "at least " if len(said) == MAX_OPEN else ""
    count = "a sentence" if len(said) == 1 else f"{more}{len(said)} sentences"
    return f"{count} that a person must read: {shown}"


def _facts(evidence: LicenseEvidence) -> LicenseFacts:
    """The facts from the other sources by which prose is interpreted."""
    named = [each.names for _, each in (*_labels(evidence), *_texts(evidence, known=True))]
    free = [each.source for each in evidence.license_documents if _is_free(each)]
    files = frozenset(PurePath(each).name for each in free)
    return LicenseFacts(frozenset().union(*named), files, (*evidence.names, *evidence.origins))


def _of_third_party(document: LicenseDocument) -> bool:
    """Whether a document is a free licence verbatim of code, by others or alone."""
    return bool(_THIRD_PARTY.search(document.source)) and _is_free(document)


def _is_free(document: LicenseDocument) -> bool:
    """Whether a document is a free licence verbatim, and nothing else."""
    found = compare(document.text)
    return found.exact and terms(found.license).permission is LicensePermission.FREE


def _prose_grants(evidence: LicenseEvidence) -> list[tuple[str, str]]:
    """The sentences of prose that put the weights under a free licence, each with its source."""
    found = [(each.source, free_license(each.text)) for each in evidence.other_documents]
    return [(source, sentence) for source, sentence in found if sentence]


def _grants_without_text(evidence: LicenseEvidence, texts: Sequence[LicenseTerms]) -> list[str]:
    """Grants of a free licence that no text is; that text may be the code's."""
    shown = {name.casefold().partition("-")[0] for each in texts for name in each.names}
    return [
        f"{source} says {sentence!r:.200}"
        for source, sentence in _prose_grants(evidence)
        if shown and shown.isdisjoint(words(sentence))
    ]


def _of_weights(evidence: LicenseEvidence) -> bool:
    """Whether the texts are in a folder of weights, or prose states the weights' licence."""
    in_weights_folder = any(PurePath(each).name.endswith(WEIGHTS) for each in evidence.file_digests)
    # A document further down is about a part of a repository.
    near = [
        each
        for each in evidence.other_documents
        if len(PurePath(each.source).parts) <= MAX_CARD_DEPTH and not _is_governance(each)
    ]
    stated = any(licensing(each.text) for each in near)
    return in_weights_folder or stated or not evidence.license_documents


def _labels(evidence: LicenseEvidence) -> list[SourceTerms]:
    return [(each.source, terms(each.license)) for each in evidence.labels]


def _texts(evidence: LicenseEvidence, *, known: bool = False) -> list[SourceTerms]:
    """The licences of the texts; an unrecognised text counts as unknown unless reviewed."""
    sources = []
    for each in evidence.license_documents:
        if _of_third_party(each):
            continue
        if name := (compare(each.text).license if each.terms else "") or marked(each.text):
            sources.append((each.source, terms(name)))
        elif each.terms and not known and each.sha256 not in evidence.reviewed_digests:
            why = "no known licence text"
            sources.append(
                (each.source, LicenseTerms(frozenset(), LicensePermission.UNKNOWN, why=why))
            )
    return sources


def _deviation(text: LicenseDocument, reviewed: Collection[str]) -> str:
    """Return how a text deviates from every known licence text, or an empty string."""
    compared = compare(text.text)
    if compared.license:
        return (
            ""
            if compared.exact
            else f"{text.source} is {compared.license}, but {_cut(compared.changes)}"
        )
    if text.sha256 in reviewed:
        return ""
    name = marked(text.text) or "a licence"
    return f"{text.source} is {name}, whose text is not known verbatim: a person must read it"


def _score_base_models_known(name: str, evidence: LicenseEvidence, known: Iterable[str]) -> Score:
    """Score whether the base models of a model are known, with evidence of each."""
    if evidence.base_models is None:
        return _undetermined(
            f"the base models of {name} are unknown: a model card or a record states them"
        )
    names = list(known)
    origins = [each for each in evidence.origins if not _is_own(each, evidence)]
    bases = dict.fromkeys([*evidence.base_models, *origins])
    missing = [each for each in bases if not any(_same(each, one) for one in names)]
    if missing:
        return _undetermined(f"{name} is derived from {', '.join(missing)}: no evidence for it")
    return PASSED


def _is_own(origin: str, evidence: LicenseEvidence) -> bool:
    """Whether a configuration's name is the model's own: another source names the model so."""
    titles = [
        next((line for line in each.text.splitlines() if line.startswith("# ")), "").split()[
            :MAX_TITLE
        ]
        for each in evidence.other_documents
    ]
    parts = (
        "".join(title[start:end])
        for title in titles
        for start in range(len(title))
        for end in range(start + 1, len(title) + 1)
    )
    own = _comparable(origin)
    return any(_comparable(each) == own for each in (*evidence.names, *parts))


def _same(name: str, other: str) -> bool:
    """Whether two names are of the same model: one of them may omit the organisation."""
    one, two = name.casefold(), other.casefold()
    return one == two or (
        ("/" in one) is not ("/" in two) and one.rpartition("/")[2] == two.rpartition("/")[2]
    )


def _score_conditions(conditions: Iterable[str]) -> Score:
    """Pass without conditions; otherwise name those not accepted."""
    meaning = licenses()["conditions"]
    named = [f"{each} ({meaning[each]})" for each in sorted(conditions)]
    return (
        _undetermined(f"conditions that the policy does not accept: {'; '.join(named)}")
        if named
        else PASSED
    )


def _statement_problem(statement: VendorStatement, today: date) -> str:
    if not statement.copy_matches:
        return f"{statement.url}: the archived copy is missing or differs"
    age = (today - statement.day).days
    if not 0 <= age <= MAX_AGE:
        return f"{statement.url}: read on {statement.day}, not within {MAX_AGE} days before {today}"
    if any(_is_within(vendor, statement.url) for vendor in licenses()["vendors"]):
        return ""
    return f"{statement.url}: not a known site of a vendor"


def _is_within(site: str, url: str) -> bool:
    """Whether a URL is in a site: in its domain, and below its path."""
    domain, _, folder = site.partition("/")
    parts = urlsplit(url.casefold())
    within = f".{parts.hostname}".endswith(f".{domain}")
    return within and (not folder or f"{parts.path}/".startswith(f"/{folder}/"))


def _worst(scores: Sequence[Score]) -> Score:
    """The worst score: a failure, else undetermined, else a pass."""
    for outcome in (Outcome.FAIL, Outcome.UNDETERMINED):
        if reasons := [each.reason for each in scores if each.outcome is outcome]:
            return Score(outcome, "; ".join(reasons))
    return PASSED


def _comparable(name: str) -> str:
    return "".join(each for each in name.rpartition("/")[2].casefold() if each.isalnum())


def _cut(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}..."


def _undetermined(reason: str) -> Score:
    return Score(Outcome.UNDETERMINED, reason)
