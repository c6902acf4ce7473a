"""The evidence of a model's licence, as types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class LicenseLabel:
    """A licence's name, as a model card, a GGUF header or a record states it."""

    source: str
    license: str


@dataclass(frozen=True)
class LicenseDocument:
    """A document's text.

    Args:
        source: The file.
        text: The whole text.
        sha256: The digest of its bytes.
        terms: Whether it is a licence text, rather than a notice.
    """

    source: str
    text: str
    sha256: str
    terms: bool = True


@dataclass(frozen=True)
class UnreadableFile:
    """A file that no program reads.

    Args:
        why: Which file, and why not.
        sha256: The digest of its bytes, by which a person says to have read it; "" if unknown.
    """

    why: str
    sha256: str = ""


@dataclass(frozen=True)
class VendorStatement:
    """A public statement of the vendor, with an archived copy.

    Args:
        url: Its address.
        day: The day when it was read.
        copy_matches: Whether the archived copy exists with the recorded digest.
    """

    url: str
    day: date
    copy_matches: bool


@dataclass(frozen=True)
class LicenseEvidence:
    """The evidence of a model's licence.

    Args:
        names: The model's names in the evidence.
        labels: The licence's name, from each source that states one.
        license_documents: The licence texts.
        other_documents: Model cards and notices, whose prose may restrict the use.
        use_policies: The files that are use use_policies.
        reviewed_digests: The digests of texts that a person has read, by the record.
        unreadable: The files that could not be read.
        base_models: The models that the weights are derived from; None if unknown.
        ancestors: The evidence of base models, by name.
        statements: The vendor's public statements.
        file_digests: The SHA-256 of each file read; of weights, of their header.
        quantization: The quantisation of the weights; "" if unknown.
        weight_bytes: The size of the weights; 0 if unknown.
        origins: The names in configurations: of the model, or of one that it is derived from.
    """

    names: tuple[str, ...] = ()
    labels: tuple[LicenseLabel, ...] = ()
    license_documents: tuple[LicenseDocument, ...] = ()
    other_documents: tuple[LicenseDocument, ...] = ()
    use_policies: tuple[str, ...] = ()
    reviewed_digests: frozenset[str] = frozenset()
    unreadable: tuple[UnreadableFile, ...] = ()
    base_models: tuple[str, ...] | None = None
    ancestors: Mapping[str, LicenseEvidence] = field(default_factory=dict)
    statements: tuple[VendorStatement, ...] = ()
    file_digests: Mapping[str, str] = field(default_factory=dict)
    quantization: str = ""
    weight_bytes: int = 0
    origins: tuple[str, ...] = ()

    def __add__(self, other: LicenseEvidence) -> LicenseEvidence:
        """Merge two sets of evidence of the same model."""
        known = [each.base_models for each in (self, other) if each.base_models is not None]
        base_models = dict.fromkeys(name for names in known for name in names)
        return LicenseEvidence(
            (*self.names, *other.names),
            (*self.labels, *other.labels),
            (*self.license_documents, *other.license_documents),
            (*self.other_documents, *other.other_documents),
            (*self.use_policies, *other.use_policies),
            self.reviewed_digests | other.reviewed_digests,
            (*self.unreadable, *other.unreadable),
            tuple(base_models) if known else None,
            {**self.ancestors, **other.ancestors},
            (*self.statements, *other.statements),
            {**self.file_digests, **other.file_digests},
            self.quantization or other.quantization,
            self.weight_bytes or other.weight_bytes,
            (*self.origins, *other.origins),
        )

    @property
    def unread(self) -> list[str]:
        """Why files could not be read that no person has read either."""
        return [each.why for each in self.unreadable if each.sha256 not in self.reviewed_digests]

    def ancestry(self, name: str = "") -> Iterator[tuple[str, LicenseEvidence]]:
        """The model and all ancestors with evidence, each with its name."""
        yield name, self
        for parent, evidence in self.ancestors.items():
            yield from evidence.ancestry(parent)
