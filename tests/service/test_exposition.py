"""The text format, checked by a strict reader of it: whatever the numbers and labels are, it parses."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError
from shared.service.exposition import Family, Kind, Sample, counter, gauge, histogram, render

_LINE = re.compile(r"([a-z][a-z0-9_]*)(?:\{(.*)\})? (\+Inf|-Inf|NaN|-?[0-9.]+(?:e[+-]?[0-9]+)?)")
_LABEL = re.compile(r'([a-z][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}

Labels = tuple[tuple[str, str], ...]


@dataclass
class Read:
    """One family as a scraper sees it."""

    kind: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)


def read(page: str) -> dict[str, Read]:
    """Families of a page; fails on anything the format does not allow."""
    assert page == "" or page.endswith("\n")
    found: dict[str, Read] = {}
    name, helped = "", ""
    for line in page.split("\n")[:-1]:
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == helped, "HELP and TYPE belong together"
            assert name not in found, "a family is written once, in one piece"
            found[name] = Read(kind)
        else:
            _sample(found, name, line)
    for one, family in found.items():
        assert family.samples, "no family without a sample"
        if family.kind == "histogram":
            _check_histogram(one, family)
    return found


def _sample(found: dict[str, Read], name: str, line: str) -> None:
    match = _LINE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    full, labels, value = match.groups()
    family = found[name]
    assert full.startswith(name)
    assert full[len(name) :] in _SUFFIXES[family.kind]
    pairs = tuple(sorted(_labels(labels or "")))
    assert len({label for label, _ in pairs}) == len(pairs)
    key = (full, pairs)
    assert key not in family.samples, "a series is written once"
    family.samples[key] = float(value)


def _labels(text: str) -> Labels:
    at, found = 0, []
    while at < len(text):
        match = _LABEL.match(text, at)
        assert match, f"not a label: {text[at:]!r}"
        value = re.sub(r'\\(["\\n])', lambda one: {"n": "\n"}.get(one[1], one[1]), match[2])
        found.append((match[1], value))
        at = match.end()
    return tuple(found)


def _check_histogram(name: str, family: Read) -> None:
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (full, labels), value in family.samples.items():
        if full.endswith("_bucket"):
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
    for labels, buckets in series.items():
        bounds, counts = zip(*buckets, strict=True)
        assert list(bounds) == sorted(set(bounds))
        assert list(counts) == sorted(counts), "buckets are cumulative"
        assert bounds[-1] == math.inf
        assert counts[-1] == family.samples[(f"{name}_count", labels)]
        assert (f"{name}_sum", labels) in family.samples


def test_a_page_reads_back_as_it_was_written() -> None:
    page = render(
        [
            counter("arb_fills_total", "Fills", 3),
            gauge("arb_books", "Live books", {"live": 7, "gap": 1}, "state"),
            histogram("arb_stage_seconds", "Latency", (0.1, 1.0), {"look": ((2, 0, 1), 5.25)}, "stage"),
        ]
    )
    assert page == (
        "# HELP arb_fills_total Fills\n"
        "# TYPE arb_fills_total counter\n"
        "arb_fills_total 3\n"
        "# HELP arb_books Live books\n"
        "# TYPE arb_books gauge\n"
        'arb_books{state="live"} 7\n'
        'arb_books{state="gap"} 1\n'
        "# HELP arb_stage_seconds Latency\n"
        "# TYPE arb_stage_seconds histogram\n"
        'arb_stage_seconds_bucket{stage="look",le="0.1"} 2\n'
        'arb_stage_seconds_bucket{stage="look",le="1.0"} 2\n'
        'arb_stage_seconds_bucket{stage="look",le="+Inf"} 3\n'
        'arb_stage_seconds_sum{stage="look"} 5.25\n'
        'arb_stage_seconds_count{stage="look"} 3\n'
    )
    assert read(page)["arb_books"].samples[("arb_books", (("state", "gap"),))] == 1


@given(st.dictionaries(st.text(), st.floats() | st.integers(), max_size=5), st.text())
def test_any_label_and_any_number_reads_back(values: dict[str, float], text: str) -> None:
    families = read(render([gauge("arb_x", text, values, "what")]))
    found = families["arb_x"].samples if families else {}
    assert {labels[0][1] for _, labels in found} == set(values)
    for what, value in values.items():
        got = found[("arb_x", (("what", what),))]
        assert got == float(value) or (math.isnan(got) and math.isnan(value))


@given(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), st.floats(0, 1e12))
def test_any_histogram_is_cumulative_and_agrees_with_its_count(counts: list[int], total: float) -> None:
    page = render([histogram("arb_h", "", (0.5, 2.0), {"a": (counts, total)}, "stage")])
    assert read(page)["arb_h"].samples[("arb_h_count", (("stage", "a"),))] == sum(counts)


def test_a_family_without_samples_is_left_out() -> None:
    assert render([gauge("arb_x", "nothing yet", {}, "what")]) == ""


@pytest.mark.parametrize(
    ("families", "says"),
    [
        ([gauge("Arb", "", 1)], "bad"),
        ([gauge("arb x", "", 1)], "bad"),
        ([gauge("arb_x", "", 1), gauge("arb_x", "", 2)], "twice"),
        ([counter("arb_x", "", 1)], "_total"),
        ([gauge("arb_x_total", "", 1)], "_total"),
        ([counter("arb_x_total", "", -1)], "not a count"),
        ([counter("arb_x_total", "", math.nan)], "not a count"),
        ([gauge("arb_x", "", {"a": 1}, "not-a-name")], "not a name"),
        ([Family("arb_x", Kind.GAUGE, "", (Sample(1, {"": "a"}),))], "not a name"),
    ],
)
def test_what_would_not_parse_is_refused(families: list[Family], says: str) -> None:
    with pytest.raises(MalformedError, match=says):
        render(families)
