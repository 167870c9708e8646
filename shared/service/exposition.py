"""Writes metrics in the Prometheus text format (version 0.0.4), and refuses what would not parse.

Source: the exposition format of Prometheus, "Text-based format". Pure: numbers in, text out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

from shared.errors import MalformedError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Kind(StrEnum):
    """What a family's numbers mean."""

    COUNTER = "counter"  # only grows, from the start of the process
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number. ``suffix`` extends the family's name (histograms)."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def counter(name: str, help_: str, values: float | Mapping[str, float], label: str = "") -> Family:
    """A counter: one number, or one per value of ``label``."""
    return Family(name, Kind.COUNTER, help_, _samples(values, label))


def gauge(name: str, help_: str, values: float | Mapping[str, float], label: str = "") -> Family:
    """A gauge: one number, or one per value of ``label``."""
    return Family(name, Kind.GAUGE, help_, _samples(values, label))


def histogram(
    name: str,
    help_: str,
    bounds: Sequence[float],
    series: Mapping[str, tuple[Sequence[int], float]],
    label: str,
) -> Family:
    """A histogram per value of ``label``: counts per bucket (one more than ``bounds``), and their sum."""
    samples: list[Sample] = []
    for value, (counts, total) in series.items():
        labels = {label: value}
        for bound, below in zip((*bounds, math.inf), accumulate(counts), strict=True):
            samples.append(Sample(below, labels | {"le": _number(bound)}, "_bucket"))
        samples += [Sample(total, labels, "_sum"), Sample(sum(counts), labels, "_count")]
    return Family(name, Kind.HISTOGRAM, help_, tuple(samples))


def render(families: Iterable[Family]) -> str:
    """The page. Raises :class:`MalformedError` for a bad or repeated name, or a counter that goes down."""
    lines: list[str] = []
    seen: set[str] = set()
    for family in families:
        if family.name in seen or not _NAME.fullmatch(family.name):
            raise MalformedError(f"metric {family.name!r}: the name is bad or used twice")
        if (family.kind is Kind.COUNTER) != family.name.endswith("_total"):
            raise MalformedError(f"metric {family.name}: counters, and only they, end in _total")
        seen.add(family.name)
        if family.samples:
            lines.append(f"# HELP {family.name} {family.help.translate(_HELP_ESCAPES)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [_line(family, sample) for sample in family.samples]
    return "\n".join(lines) + "\n" if lines else ""


def _samples(values: float | Mapping[str, float], label: str) -> tuple[Sample, ...]:
    if isinstance(values, Mapping):
        return tuple(Sample(value, {label: key}) for key, value in values.items())
    return (Sample(values),)


def _line(family: Family, sample: Sample) -> str:
    if family.kind is not Kind.GAUGE and not sample.value >= 0:
        raise MalformedError(f"metric {family.name}: {sample.value} is not a count")
    pairs = []
    for name, value in sample.labels.items():
        if not _NAME.fullmatch(name):
            raise MalformedError(f"metric {family.name}: label {name!r} is not a name")
        pairs.append(f'{name}="{value.translate(_ESCAPES)}"')
    labels = f"{{{','.join(pairs)}}}" if pairs else ""
    return f"{family.name}{sample.suffix}{labels} {_number(sample.value)}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
