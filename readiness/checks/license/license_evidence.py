"""What there is to show of a model's licence, read into types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class LicenseLabel:
    """A licence by its name: what a card, a header or a record says."""

    source: str
    license: str


@dataclass(frozen=True)
class LicenseDocument:
    """A document word by word.

    Args:
        source: The file.
        text: Its words.
        sha256: The digest of its bytes.
        terms: Whether it states terms; a notice is read only for licences that it names.
    """

    source: str
    text: str
    sha256: str
    terms: bool = True


@dataclass(frozen=True)
class VendorStatement:
    """What the vendor has stated in public, with a copy that was kept.

    Args:
        url: Where.
        day: When it was read.
        copy_matches: Whether the copy that was kept is there, and is the one that was read.
    """

    url: str
    day: date
    copy_matches: bool


@dataclass(frozen=True)
class LicenseEvidence:
    """What there is to show of a model's licence.

    Args:
        names: What the evidence calls the model.
        labels: The licence by its name, from each source that names one.
        license_documents: The documents that a licence stands in.
        other_documents: What is no licence, and may restrict the use in passing: cards and notices.
        policies: The files that restrict the use.
        reviewed_digests: The digests of texts that a person has read, as the record says.
        unreadable: What is there and could not be read, and why.
        parents: The models that the weights were made from; None where nothing tells.
        ancestors: Evidence of those of them that there is any of.
        statements: What the vendor has stated.
        files: The digest of each file that was read; of weights, of their header.
        quantization: How the weights are quantised; "" where nothing tells.
        bytes: How large the weights are; 0 where nothing tells.
    """

    names: tuple[str, ...] = ()
    labels: tuple[LicenseLabel, ...] = ()
    license_documents: tuple[LicenseDocument, ...] = ()
    other_documents: tuple[LicenseDocument, ...] = ()
    policies: tuple[str, ...] = ()
    reviewed_digests: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()
    parents: tuple[str, ...] | None = None
    ancestors: Mapping[str, LicenseEvidence] = field(default_factory=dict)
    statements: tuple[VendorStatement, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    quantization: str = ""
    bytes: int = 0

    def __add__(self, other: LicenseEvidence) -> LicenseEvidence:
        """Put the evidence of one model together."""
        told = [each.parents for each in (self, other) if each.parents is not None]
        parents = dict.fromkeys(name for names in told for name in names)
        return LicenseEvidence(
            (*self.names, *other.names),
            (*self.labels, *other.labels),
            (*self.license_documents, *other.license_documents),
            (*self.other_documents, *other.other_documents),
            (*self.policies, *other.policies),
            self.reviewed_digests | other.reviewed_digests,
            (*self.unreadable, *other.unreadable),
            tuple(parents) if told else None,
            {**self.ancestors, **other.ancestors},
            (*self.statements, *other.statements),
            {**self.files, **other.files},
            self.quantization or other.quantization,
            self.bytes or other.bytes,
        )

    def ancestry(self, name: str = "") -> Iterator[tuple[str, LicenseEvidence]]:
        """The model and all ancestors that there is evidence of, each with its name."""
        yield name, self
        for parent, evidence in self.ancestors.items():
            yield from evidence.ancestry(parent)
