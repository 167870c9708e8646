"""The labelled suite: precision is one, no trap is taken, coverage does not fall.

``MAPPING_SUITE`` names another directory of the same make.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from pathlib import Path

import pytest

from shared.mapping.mapper import map_markets
from shared.mapping.series import Series, classify
from shared.messages import MappingDecided
from tests.corpus.mapping_table import coverage, groups, load, outcomes, report, rows, wilson
from tests.mapping.loader import event, market
from tests.support.corpus import corpus_path

pytestmark = pytest.mark.corpus

MIN_COVERAGE, MIN_TITLED_COVERAGE = 0.95, 0.98


def suite() -> Path:
    named = os.environ.get("MAPPING_SUITE")
    return Path(named) if named else corpus_path("mapping")


def decisions(path: Path) -> dict[str, MappingDecided]:
    return {one.decision.ticker: one.decision for one in outcomes(path)}


def test_precision_is_one_and_coverage_holds() -> None:
    found = outcomes(suite())
    table = groups(found)
    print("\n".join(report(suite())))
    assert [one.decision.ticker for one in found if one.is_false] == []
    assert coverage(table["all"]) >= MIN_COVERAGE
    assert coverage(table["title recorded"]) >= MIN_TITLED_COVERAGE


def test_the_bounds_are_those_of_the_published_formula() -> None:
    low, high = wilson(1_000, 1_000)
    assert abs(low - 1_000 / 1_003.841) < 1e-6
    assert high == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def test_no_trap_is_taken_even_where_it_is_the_only_event() -> None:
    markets, events, _ = load(suite())
    taken = []
    for trap in rows(suite() / "traps.csv"):
        known, event_of_trap = markets.get(trap["kalshi_ticker"]), events.get(trap["odds_event_id"])
        if known and event_of_trap and map_markets([known], [event_of_trap])[0].odds_event_id:
            taken.append(trap)
    assert not taken


def test_without_the_right_events_nothing_is_mapped() -> None:
    markets, events, expected = load(suite())
    right = {row["odds_event_id"] for row in expected.values()}
    rest = [one for one in events.values() if one.id not in right]
    found = map_markets(list(markets.values()), rest)
    assert [d.ticker for d in found if d.odds_event_id] == []


def test_the_order_of_the_suite_changes_nothing() -> None:
    markets, events, _ = load(suite())
    reverse = map_markets(list(markets.values())[::-1], list(events.values())[::-1])
    assert {d.ticker: d for d in reverse} == decisions(suite())


def test_every_decision_says_why_and_a_mapping_has_a_certificate() -> None:
    for decision in decisions(suite()).values():
        assert decision.reason
        assert (decision.certificate is not None) == bool(decision.odds_event_id)
        if decision.selection is not None:
            assert decision.certificate is not None
            assert decision.certificate.verdict != "refused"


def test_hard_negatives_of_the_label_collection_are_not_taken() -> None:
    known, seen = {}, {}
    negatives = []
    for row in rows(corpus_path("labels", "kalshi_odds_pairs.csv")):
        if row["label"] != "hard_negative" or not row["home_team"] or not row["sport_key"]:
            continue
        known[row["kalshi_ticker"]] = market(
            {"ticker": row["kalshi_ticker"], "event_ticker": row["event_ticker"], "title": row["title"]}
        )
        seen[row["odds_event_id"]] = event({**row, "id": row["odds_event_id"]})
        negatives.append((row["kalshi_ticker"], row["odds_event_id"]))
    assert len(negatives) > 500
    taken = [pair for pair in negatives if map_markets([known[pair[0]]], [seen[pair[1]]])[0].odds_event_id]
    assert taken == []


def test_the_index_of_every_listed_ticker_is_read() -> None:
    with gzip.open(corpus_path("kalshi_markets", "kalshi_markets_index_all_20260803.csv.gz"), "rt") as file:
        markets = [
            market({key: row[key] for key in ("ticker", "event_ticker", "series_ticker", "strike_type")})
            for row in csv.DictReader(file)
        ]
    found = map_markets(markets, [])
    assert len(found) == len(markets) > 70_000
    assert all(decision.reason for decision in found)
    games = Counter(m.series_ticker for m in markets if isinstance(classify(m.series_ticker), Series))
    codes = Counter(decision.reason.partition(":")[0] for decision in found)
    print(f"{len(markets)} tickers: {dict(codes.most_common())}")
    print(f"{len(games)} game series, {sum(games.values())} markets: {dict(games.most_common())}")
