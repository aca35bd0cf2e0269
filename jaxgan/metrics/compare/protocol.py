"""What a number means: the protocol it was measured by, and results that refuse to be compared across protocols."""

import dataclasses
from typing import Any, Literal, NamedTuple, TypeAlias

import jaxgan
from jaxgan.errors import UserError
from jaxgan.metrics.inception.published import INCEPTION_2015

STANDARD_WEIGHTS = frozenset({INCEPTION_2015.sha256})
"""SHA-256 of the files that hold the weights of the Inception network of 2015 by which FID is defined."""
Settings: TypeAlias = tuple[tuple[str, float | int | str], ...]


class Kind(NamedTuple):
    """A metric's names, direction, and what its standard protocol says.

    Attributes:
        general: name with any extractor.
        standard: name by the standard protocol; the general one where the field has no other.
        better: which numbers are better.
        tap: the extractor's output that the standard takes.
        ddof: the standard's divisor of covariances is n - ddof.
        dtype: number format in which the metric is computed.
        settings: the standard's settings.
        biased: whether the expected value depends on the number of images.
    """

    general: str
    standard: str
    better: Literal["lower", "higher", "neither"]
    tap: str = "features"
    ddof: int | None = None
    dtype: str = "float32"
    settings: Settings = ()
    biased: bool = True


KINDS = {
    "fd": Kind("FD", "FID", "lower", ddof=1, dtype="float64"),
    "sfd": Kind("sFD", "sFID", "lower", tap="spatial", ddof=1, dtype="float64"),
    "fd_infinity": Kind("FD_inf", "FID_inf", "lower", ddof=1, dtype="float64", settings=(("points", 15),)),
    "intra_fd": Kind("intra-FD", "intra-FID", "lower", ddof=1, dtype="float64"),
    "kd": Kind("KD", "KID", "lower", settings=(("subset_size", 1000), ("subsets", 100)), biased=False),
    "kd_full": Kind("KD_full", "KID_full", "lower", biased=False),
    "is": Kind("IS", "IS", "higher", tap="logits", dtype="float64", settings=(("splits", 10),)),
    "is_infinity": Kind("IS_inf", "IS_inf", "higher", tap="logits", dtype="float64", settings=(("points", 15),)),
    "mind": Kind("MIND", "MIND", "lower", settings=(("directions", 1000),)),
    "precision": Kind("precision", "precision", "higher", settings=(("k", 3),)),
    "recall": Kind("recall", "recall", "higher", settings=(("k", 3),)),
    "density": Kind("density", "density", "neither", settings=(("k", 5),)),
    "coverage": Kind("coverage", "coverage", "higher", settings=(("k", 5),)),
    "vendi": Kind("Vendi", "Vendi", "higher", settings=(("q", 1),)),
    "authenticity": Kind("AuthPct", "AuthPct", "higher"),
}
"""Metrics of features by key."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """What two numbers must have in common before they may be compared, the numbers of images aside."""

    metric: str
    """Key of `KINDS`."""
    extractor: str
    """Name of the extractor."""
    weights: str
    """SHA-256 of its weights, "" where it has none or nobody knows."""
    resize: str
    """What the extractor did to the images first."""
    prepared: str = ""
    """What was done to them before that, "" if nothing."""
    tap: str = "features"
    """Which of the extractor's outputs."""
    precision: str = "float32"
    """Number format of the extractor's products."""
    ddof: int | None = None
    """Of covariances: what is subtracted from n in the divisor."""
    dtype: str = "float64"
    """Number format of the metric."""
    settings: Settings = ()
    """The metric's own settings, by name."""

    @property
    def preset(self) -> Literal["", "legacy", "clean"]:
        """The published protocol that this is in every detail: FID's ("legacy"), clean-FID's ("clean") or none ("")."""
        kind = KINDS[self.metric]
        ours = (self.tap, self.ddof, self.dtype, self.settings, self.precision, self.prepared)
        if ours != (kind.tap, kind.ddof, kind.dtype, kind.settings, "float32", ""):
            return ""
        if self.extractor != "inception-2015" or self.weights not in STANDARD_WEIGHTS:
            return ""
        return "legacy" if self.resize == "legacy" else "clean" if self.resize == "clean" else ""

    @property
    def name(self) -> str:
        """FID, clean-FID, or FD and the like."""
        kind = KINDS[self.metric]
        return {"legacy": kind.standard, "clean": f"clean-{kind.standard}", "": kind.general}[self.preset]

    @property
    def source(self) -> str:
        """The extractor and the beginning of its weights' hash."""
        return f"{self.extractor} {self.weights[:8]}".rstrip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """One measured number and all that it depends on. Prints itself; `<` and `>` refuse what is not comparable."""

    value: float
    """The number."""
    protocol: Protocol
    """How it was measured."""
    n: tuple[int, ...]
    """Images of each side, the data's first; 0 where nobody knows; only one number where there is only one side."""
    of: tuple[int, ...] = ()
    """Of how many images each side's are a drawn part, 0 where they are all; () where both are."""
    mean_term: float | None = None
    """Of a Fréchet distance."""
    covariance_term: float | None = None
    """Of a Fréchet distance."""
    std: float | None = None
    """Standard deviation over the parts of which `value` is the mean: subsets, splits."""
    stderr: float | None = None
    """Standard error of `value`, over seeds or bootstrap samples."""
    repeats: int = 1
    """Seeds or bootstrap samples behind `stderr`."""
    seed: int | None = None
    """Seed of subsets and samples."""
    reference: str = ""
    """Fingerprint of the data, where it is known."""
    warnings: tuple[str, ...] = ()
    """What makes the number doubtful, a sentence each."""
    library: str = f"jaxgan {jaxgan.__version__}"
    """What measured it."""

    def __str__(self) -> str:
        p = self.protocol
        error = "" if self.stderr is None else f" +- {self.stderr:.2g}"
        sides = self.sides
        value = f"{_digits(self.value)}{error}"
        if p.preset:
            return f"{p.name} {value} ({sides}, {p.source}, {p.resize} resize)"
        kind, first = KINDS[p.metric], f"{p.prepared}, " if p.prepared else ""
        standard = kind.standard if kind.standard != kind.general else f"{kind.standard} by the standard protocol"
        return f"{p.name}[{p.source}, {first}{p.resize} resize, {sides}] {value} -- not comparable with {standard}"

    @property
    def sides(self) -> str:
        """Images of each side, the data's first: "60 drawn of 120 vs 80"; "?" where nobody knows."""
        parts = [f" drawn of {of}" if of else "" for of in self.of or (0,) * len(self.n)]
        return " vs ".join(f"{n or '?'}{part}" for n, part in zip(self.n, parts, strict=True))

    def __lt__(self, other: "Score") -> bool:
        require_comparable(self, other)
        return self.value < other.value

    def __gt__(self, other: "Score") -> bool:
        return other < self

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        p = dataclasses.asdict(self.protocol)
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "protocol"}
        own |= {name: list(own[name]) for name in ("n", "of", "warnings")}
        p |= {"weights_sha256": p.pop("weights"), "settings": dict(self.protocol.settings)}
        names = {"name": self.protocol.name, "is_standard_fid": self.protocol.name == "FID", "text": str(self)}
        return {"value": own.pop("value"), **names, **own, **p}


def require_comparable(a: Score, b: Score) -> None:
    """Raise UserError, naming the first difference, where two numbers may not be compared, or nobody knows."""
    biased = KINDS[a.protocol.metric].biased
    if "unknown" in (a.protocol.extractor, b.protocol.extractor) or (biased and 0 in (*a.n, *b.n)):
        raise UserError("these numbers may not be compared: of one, the extractor or the number of images is unknown.")
    for field in dataclasses.fields(Protocol):
        _require_same(field.name, getattr(a.protocol, field.name), getattr(b.protocol, field.name))
    if biased:
        _require_same("number of images", a.n, b.n)
    if a.reference and b.reference:
        _require_same("reference data", a.reference, b.reference)


def _require_same(what: str, ours: Any, theirs: Any) -> None:
    if ours != theirs:
        raise UserError(f"these numbers may not be compared: {what} is {_words(ours)} here and {_words(theirs)} there.")


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_words(each) for each in value) or "none"
    return str(value) if value not in ("", None) else "unknown"


def _digits(value: float) -> str:
    """Two decimals for numbers of the size of FID's, four figures for smaller ones."""
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4g}"
