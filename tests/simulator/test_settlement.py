"""From the last whistle to the money: lifecycle, results, and what holders are paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.clock import HOUR, SECOND
from shared.money import MICROS
from shared.simulator.market import Market
from shared.simulator.schedule import Preset, Script
from shared.terms import MarketStatus
from tests.simulator.bench import ONE_GAME, START, Bench, quoted

_TIED = Preset(counts={"NFL": 3}, first_start_s=900, span_s=60, length_s=300, slate_every_s=None, combos=0)


def _held(bench: Bench) -> tuple[str, str]:
    """Buy YES of one side and NO of the other; returns both tickers."""
    yes, no = bench.contest().markets[:2]
    assert bench.order(yes.ticker, "bid", "0.9900", "10.00", time_in_force="immediate_or_cancel")[0] == 201
    assert bench.order(no.ticker, "ask", "0.0100", "7.00", time_in_force="immediate_or_cancel")[0] == 201
    return yes.ticker, no.ticker


def _status(market: Market) -> MarketStatus:
    return market.status


def _over(bench: Bench) -> None:
    game = bench.contest().game
    bench.until(game.start + game.length + SECOND)


def test_markets_stay_open_while_the_game_is_played_and_quotes_move() -> None:
    bench = quoted(preset=ONE_GAME)
    game, market = bench.contest().game, bench.contest().markets[0]
    bench.until(game.start + game.length // 2)
    assert market.is_open
    before = len(market.tops)
    bench.wait(60)
    assert len(market.tops) > before


def test_a_market_is_closed_then_determined_then_finalized() -> None:
    bench = quoted(preset=ONE_GAME)
    market = bench.contest().markets[0]
    _over(bench)
    assert (_status(market), market.result.value) == (MarketStatus.CLOSED, "")
    bench.wait(60)
    assert _status(market) is MarketStatus.DETERMINED
    row = bench.get(f"/markets/{market.ticker}")["market"]
    assert row["result"] in ("yes", "no")
    assert row["settlement_value_dollars"] == ("1.0000" if row["result"] == "yes" else "0.0000")
    bench.wait(60)
    assert _status(market) is MarketStatus.FINALIZED
    assert "settlement_ts" in bench.get(f"/markets/{market.ticker}")["market"]


def test_settlement_pays_exactly_what_the_position_is_worth() -> None:
    bench = quoted(preset=ONE_GAME)
    yes, no = _held(bench)
    _over(bench)
    before = bench.account.cash[0]
    bench.wait(121)
    rows = {row["ticker"]: row for row in bench.get("/portfolio/settlements", signed=True)["settlements"]}
    won = bench.world.exchange.markets[yes].payout
    # YES of one side and NO of the other win together.
    assert bench.account.cash[0] - before == (17 * MICROS if won else 0)
    assert (rows[yes]["revenue"], rows[no]["revenue"]) == ((1000, 700) if won else (0, 0))
    assert (rows[yes]["yes_count_fp"], rows[no]["no_count_fp"]) == ("10.00", "7.00")
    assert bench.get("/portfolio/positions", signed=True)["market_positions"] == []


def test_profit_is_payout_less_cost_less_fees() -> None:
    bench = quoted(preset=ONE_GAME)
    before = bench.account.cash[0]
    _held(bench)
    _over(bench)
    bench.wait(121)
    positions = bench.account.positions.values()
    assert bench.account.cash[0] - before == sum(p.realized - p.fees for p in positions)


def test_resting_orders_are_canceled_when_the_market_closes_and_new_ones_refused() -> None:
    bench = quoted(preset=ONE_GAME)
    market = bench.contest().markets[0]
    _, body = bench.order(market.ticker, "bid", "0.0100", "1.00")
    _over(bench)
    assert bench.account.orders[body["order_id"]].reason in ("CloseCancel", "Trade")
    status, refusal = bench.order(market.ticker, "bid", "0.0100", "1.00")
    assert (status, refusal["error"]["code"]) == (400, "market_inactive")


def test_a_tied_football_game_pays_half_to_each_side() -> None:
    bench = quoted(preset=_TIED)
    contest = next(c for c in bench.world.contests if c.game.script is Script.TIE)
    market = contest.markets[0]
    bench.order(market.ticker, "bid", "0.9900", "4.00", time_in_force="immediate_or_cancel")
    bench.until(contest.game.start + contest.game.length + SECOND)
    before = bench.account.cash[0]
    bench.wait(121)
    row = bench.get(f"/markets/{market.ticker}")["market"]
    assert (row["result"], row["settlement_value_dollars"]) == ("scalar", "0.5000")
    assert bench.account.cash[0] - before == 2 * MICROS
    assert bench.get("/portfolio/settlements", signed=True)["settlements"][0]["value"] == 50


def test_exactly_one_side_of_a_winner_event_pays() -> None:
    bench = quoted()
    bench.until(max(c.game.start + c.game.length for c in bench.world.contests) + 600 * SECOND)
    for contest in bench.world.contests:
        payouts = [m.payout for m in contest.markets if m.contract.series_ticker.endswith("GAME")]
        assert sum(payout or 0 for payout in payouts) == MICROS


def test_ladders_settle_monotonically() -> None:
    bench = quoted(preset=ONE_GAME)
    _over(bench)
    bench.wait(60)
    totals = [m for m in bench.contest().markets if m.contract.series_ticker == "KXNFLTOTAL"]
    totals.sort(key=lambda market: market.contract.fields["floor_strike"])
    assert [m.payout for m in totals] == sorted((m.payout or 0 for m in totals), reverse=True)


def test_a_postponed_game_keeps_its_market_and_gets_a_new_feed_id() -> None:
    bench = quoted(preset=replace(ONE_GAME, counts={"NBA": 3}))
    contest = next(c for c in bench.world.contests if c.game.script is Script.POSTPONED)
    old, market = contest.game, contest.markets[0]
    bench.until(old.start + 10 * SECOND)
    assert market.is_open
    assert contest.game.start - old.start == 24 * HOUR
    _, events, _ = bench.odds("/sports/basketball_nba/events")
    listed = [e["id"] for e in events if e["home_team"] == old.home.name]
    assert sorted(listed) == sorted([old.odds_id, contest.game.odds_id])


def test_settled_events_leave_the_live_endpoints_after_a_day() -> None:
    bench = quoted(preset=ONE_GAME)
    event = bench.contest().events[0].ticker
    bench.until(START + 26 * HOUR)
    assert bench.raw("GET", f"/events/{event}").status == 404


@pytest.mark.parametrize("seed", range(3))
def test_every_dollar_is_accounted_for_after_everything_settled(seed: int) -> None:
    bench = quoted(seed, preset=ONE_GAME)
    exchange = bench.world.exchange
    deposits = sum(bench.account.cash.values())
    _held(bench)
    _over(bench)
    bench.wait(600)
    assert exchange.escrow == 0
    assert exchange.total_cash + exchange.fees_earned == deposits
