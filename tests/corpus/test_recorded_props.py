"""Recorded MLB and NBA days through the whole props path, and the models against lines that were quoted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from shared.clock import Instant, ManualClock, eastern_day, parse_instant
from shared.errors import VenueDownError
from shared.messages import (
    PropListed,
    PropPredicted,
    PropQuoted,
    PropsScraped,
    Quarantined,
)
from shared.odds.convert import american_to_decimal
from shared.pipeline.props_books import Game, remember_games
from shared.pipeline.props_process import ProcessReport
from shared.props.accuracy import Missed, left_out
from shared.props.curve import BookLine, Curve, curve_of
from shared.props.market import PropMarket, read_prop
from shared.props.series import prop_series
from shared.props.statistics import Statistic, by_book_market
from shared.venues.kalshi.recorded import read_markets
from tests.support.corpus import corpus_path
from tests.support.props import PropDesk, VenueDay, csv_rows, feed_events, mlb_day

pytestmark = pytest.mark.corpus

NESTED = "kalshi_markets/kalshi_events_mlb_props_nested_20260815.json.gz"
RUNGS = "odds_api/mlb_player_prop_rungs_odds_api_20260815.csv.gz"
NBA_DAY = "odds_api/nba_player_props_20260310_11.csv.gz"
NBA_SNAPSHOTS = "odds_api/nba_player_props_snapshots_202603.csv.gz"
SCREENER = "kalshi_markets/kalshi_screener_quotes_mixed_20260502.csv"
_QUOTE = ("odds_event_id", "bookmaker", "market", "player", "line")
NOT_BOOKS = ("PrizePicks", "Underdog", "DraftKings Pick6")

# Prop markets in each file; every one is read.
RECORDED = {
    NESTED: 259,
    "kalshi_markets/kalshi_markets_index_all_20260803.csv.gz": 690,
    "kalshi_markets/kalshi_markets_status_open_page_202606.json.gz": 171,
    "kalshi_markets/kalshi_combo_priced_markets_20260809.json": 1,
    "kalshi_markets/kalshi_occurrence_datetime_probe_20260808.json": 1,
    "mapping/markets.jsonl.gz": 609,
    "paired/kalshi_clv_signal_rows_20260807_20260816.csv.gz": 749,
    "paired/kalshi_vs_consensus_decisions_20260807_20260816.csv.gz": 2320,
}


def at(text: str) -> Instant:
    moment = parse_instant(text)
    assert moment is not None
    return moment


def mlb(now: Instant) -> VenueDay:
    return mlb_day(corpus_path(NESTED), corpus_path(RUNGS), corpus_path("mapping/odds_events.jsonl.gz"), now)


@pytest.mark.parametrize(("name", "count"), RECORDED.items())
def test_every_recorded_prop_market_is_read(name: str, count: int) -> None:
    found = [
        read_prop(market, kind)
        for market in read_markets(corpus_path(name)).markets
        if (kind := prop_series(market.series_ticker, market.event_title))
    ]
    assert [one for one in found if not isinstance(one, PropMarket)] == []
    assert len(found) == count
    assert all(one.team.name and not one.team.issue for one in found if isinstance(one, PropMarket))


async def test_a_recorded_mlb_day_is_written_once() -> None:
    now = at("2026-08-15T16:59:47Z")
    desk = PropDesk(mlb(now), ManualClock(now))
    scraped, first = await desk.run("2026-08-15")
    assert (scraped.series, scraped.markets, scraped.failed) == (2, 259, {})
    assert first.rows_written["kalshi_player_props"] == first.rows_in["kalshi_player_props"] == 259
    assert first.quarantined == 0
    again = await desk.new_processor().process(desk.said(PropsScraped)[-1])
    assert set(again.rows_written.values()) == {0}
    assert len({row.event_id for row in desk.said(PropListed)}) == 259
    rows: list[PropListed] = desk.said(PropListed)
    assert Counter(row.prop_type for row in rows) == {"total_bases": 211, "strikeouts": 48}
    assert {(row.player_name, row.validated_team) for row in rows} >= {("Jesús Sánchez", "Toronto Blue Jays")}
    assert all(row.team_method == "id+ticker" for row in rows)


async def test_the_recorded_ladders_hold_every_check() -> None:
    now = at("2026-08-15T16:59:47Z")
    desk = PropDesk(mlb(now), ManualClock(now))
    await desk.run("2026-08-15")
    assert [(row.ticker, row.findings) for row in desk.said(PropListed) if row.findings] == []


async def test_every_recorded_mlb_rung_of_the_books_is_written_once() -> None:
    now = at("2026-08-15T20:00:00Z")
    venues = mlb(now)
    venues.broken = {"/series": VenueDownError("down")}
    desk = PropDesk(venues, ManualClock(now))
    written = again = 0
    for day in ("2026-08-15", "2026-08-16"):
        await know_games(desk, day)
        _, first = await desk.run(day)
        written += first.rows_written["sportsbook_player_props"]
        repeated = await desk.new_processor().process(desk.said(PropsScraped)[-1])
        again += sum(repeated.rows_written.values())
    assert (written, again) == (41_827, 0)
    assert {row.kalshi_available for row in desk.said(PropPredicted)} == {False}
    assert desk.said(Quarantined) == []


async def know_games(desk: PropDesk, day: str) -> None:
    """What an earlier run of the day knew, so that the books are asked while the exchange is down."""
    games = [
        Game(odds["sport_key"], event, start, ("any",))
        for event, odds in desk.venues.odds.items()
        if eastern_day(start := at(odds["commence_time"])) == day
    ]
    await remember_games(desk.documents, day, games, desk.clock.now(), desk.clock, desk.rng)


# --- NBA ---------------------------------------------------------------------------------------------------


def nba_states() -> dict[str, dict[str, dict[str, Any]]]:
    """The recorded NBA day as the feed showed it, by the three moments it was taken."""
    states: dict[str, dict[str, dict[str, Any]]] = {}
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    games: dict[str, dict[str, Any]] = {}
    for row in csv_rows(corpus_path(NBA_DAY)):
        games[row["odds_event_id"]] = {
            "id": row["odds_event_id"], "sport_key": "basketball_nba", "commence_time": row["commence_time"],
            "home_team": row["home_team"], "away_team": row["away_team"],
        }  # fmt: skip
        key = tuple(
            row[name] for name in ("last_updated", "odds_event_id", "bookmaker", "market", "player", "line")
        )
        both = rows.setdefault(key, dict(row, point=row["line"], over_price="", under_price=""))
        both[f"{row['over_under'].lower()}_price"] = str(american_to_decimal(float(row["price"])))
    for moment in sorted({row["last_updated"] for row in rows.values()}):
        taken = [row for row in rows.values() if row["last_updated"] == moment]
        states[moment] = feed_events(taken, games, "market", at(moment))
    return states


async def test_a_recorded_nba_day_writes_what_changed_and_nothing_twice() -> None:
    reports: list[ProcessReport] = []
    desk: PropDesk | None = None
    for moment, odds in nba_states().items():
        venues = VenueDay(odds=odds, broken={"/series": VenueDownError("down")})
        if desk is None:
            desk = PropDesk(venues, ManualClock(at(moment)), credits=100_000)
        desk.clock.set(at(moment))
        desk.transport.decide = venues.answer
        desk.venues = venues
        for day in sorted({eastern_day(at(event["commence_time"])) for event in odds.values()}):
            await know_games(desk, day)
            reports.append((await desk.run(day))[1])
    assert desk is not None
    rows: list[PropQuoted] = desk.said(PropQuoted)
    read = sum(report.rows_in["sportsbook_player_props"] for report in reports)
    # 12,266 quotes are 6,124 lines; what stood still between two moments is not news.
    assert (read, len(rows)) == (6_124, 5_919)
    assert {row.prop_type for row in rows} >= {"points", "rebounds", "assists", "threes"}
    before = len(desk.heard)
    for run in desk.said(PropsScraped):
        assert set((await desk.new_processor().process(run)).rows_written.values()) == {0}
    assert [message for message in desk.heard[before:] if isinstance(message, PropQuoted)] == []


async def test_recorded_nba_ladder_quotes_become_rows() -> None:
    with corpus_path(SCREENER).open() as file:
        quoted = [row for row in csv.DictReader(file) if prop_series(row["Ticker"].partition("-")[0])]
    events: dict[str, list[dict[str, Any]]] = {}
    for row in quoted:
        event = row["Ticker"].rpartition("-")[0].rpartition("-")[0]
        market = {
            "ticker": row["Ticker"], "event_ticker": event, "status": "active", "market_type": "binary",
            "title": row["SearchText"], "strike_type": "structured",
            "floor_strike": int(row["Ticker"].rpartition("-")[2]) - 0.5,
        }  # fmt: skip
        for side in ("bid", "ask"):
            market[f"yes_{side}_dollars"] = f"0.{int(float(row[f'YES {side}(c)'])):02d}"
            market[f"yes_{side}_size_fp"] = row[f"YES {side} size"]
        series = event.partition("-")[0]
        one = {"event_ticker": event, "series_ticker": series, "markets": [market]}
        events.setdefault(series, []).append(one)
    series = [{"ticker": one, "fee_type": "quadratic", "fee_multiplier": 1} for one in events]
    desk = PropDesk(VenueDay(series=series, events=events), ManualClock(at("2026-05-01T20:00:00Z")))
    _, report = await desk.run("2026-05-01")
    rows: list[PropListed] = desk.said(PropListed)
    assert report.rows_written["kalshi_player_props"] == len(rows) >= 12
    dennis = next(row for row in rows if row.player_lookup == "dennisschroder")
    assert (dennis.line, dennis.prop_type, dennis.validated_team) == (1.5, "assists", "Cleveland Cavaliers")


# --- models ------------------------------------------------------------------------------------------------


def nba_curves() -> Iterator[tuple[Statistic, Curve]]:
    quotes: dict[tuple[str, ...], list[BookLine]] = {}
    for row in csv_rows(corpus_path(NBA_SNAPSHOTS)):
        if row["book"] not in NOT_BOOKS:
            market = row["market"].removesuffix("_alternate")
            over, under = (american_to_decimal(float(row[side])) for side in ("over_odds", "under_odds"))
            line = BookLine(row["book"], float(row["line"]), over, under, Instant(0))
            key = (row["fetched_at"], row["odds_event_id"], row["player"], market)
            quotes.setdefault(key, []).append(line)
    for (*_, market), lines in quotes.items():
        if statistic := by_book_market().get(("basketball", market)):
            yield statistic, curve_of(lines, Instant(0), 600)


def mlb_curves() -> Iterator[tuple[Statistic, Curve]]:
    quotes: dict[tuple[str, ...], list[BookLine]] = {}
    for row in csv_rows(corpus_path(RUNGS)):
        over, under = (float(row[side]) if row[side] else None for side in ("over_price", "under_price"))
        line = BookLine(row["bookmaker"], float(row["point"]), over, under, Instant(0))
        quotes.setdefault((row["odds_event_id"], row["player"], row["base_market"]), []).append(line)
    for (*_, market), lines in quotes.items():
        yield by_book_market()["baseball", market], curve_of(lines, Instant(0), 600)


def test_the_models_miss_recorded_nba_lines_by_about_a_cent() -> None:
    found = {(one.prop_type, one.method): one for one in left_out(nba_curves())}
    show(found.values())
    for prop_type, most in {"points": 0.007, "rebounds": 0.010, "assists": 0.010, "threes": 0.012}.items():
        assert found[prop_type, "interpolated"].mean_absolute < most
        assert found[prop_type, "interpolated"].covered > 0.6
        assert found[prop_type, "modelled"].mean_absolute < 0.016
        # One line says little about another: its stated error must not pretend otherwise.
        assert found[prop_type, "extrapolated"].stated > 0.0499
    assert sum(one.lines for one in found.values() if one.method == "interpolated") > 10_000


def test_the_models_against_recorded_mlb_lines_of_other_books() -> None:
    found = {(one.prop_type, one.method): one for one in left_out(mlb_curves())}
    show(found.values())
    assert found["total_bases", "extrapolated"].lines > 100
    assert all(one.mean_absolute < 0.12 for one in found.values())


def show(found: Any) -> None:
    """The table of the docs; pytest shows it with ``-rP``."""
    for one in found:
        assert isinstance(one, Missed)
        figures = (
            f"miss {100 * one.mean_absolute:.2f}c bias {100 * one.bias:+.2f}c stated {100 * one.stated:.2f}c"
        )
        name = f"{one.sport:10} {one.prop_type:24} {one.method:13} {one.lines:6}"
        print(f"{name} {figures} covered {100 * one.covered:.0f} %")
