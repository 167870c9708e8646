"""What scenarios do to the exchange itself: pauses, halts, cash, rulings, corrections, sweeps."""

from __future__ import annotations

import pytest

from shared.clock import HOUR, MINUTE, SECOND, Instant, parse_instant
from shared.money import MICROS
from shared.simulator.scenario import Fault, Kind, Scenario
from shared.terms import MarketStatus
from tests.simulator.bench import ONE_GAME, Bench, Json, quoted
from tests.simulator.test_settlement import _held, _over

_ORDERS = "/portfolio/events/orders"


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _play(bench: Bench, *faults: Fault, weekly_pause: bool = False) -> None:
    bench.api.play(Scenario(faults=faults, weekly_pause=weekly_pause))


def _code(answer: tuple[int, Json]) -> tuple[int, str]:
    return answer[0], answer[1].get("error", {}).get("code", "")


def _try(bench: Bench, league: str = "NFL", **more: object) -> tuple[int, str]:
    return _code(bench.order(bench.empty(league).ticker, "bid", "0.0100", "1.00", **more))


def _shard(bench: Bench, index: int) -> tuple[bool, bool]:
    rows = bench.get("/exchange/status")["exchange_index_statuses"]
    row = next(row for row in rows if row["exchange_index"] == index)
    return row["exchange_active"], row["trading_active"]


def test_a_trading_pause_takes_no_orders_and_lets_cancels_through(bench: Bench) -> None:
    ticker = bench.empty().ticker
    _, kept = bench.order(ticker, "bid", "0.0100", "1.00")
    _, gone = bench.order(ticker, "bid", "0.0100", "1.00", cancel_order_on_pause=True)
    _play(bench, Fault(kind=Kind.TRADING_PAUSE, shard=0, until_s=60))
    assert _try(bench) == (409, "trading_is_paused")
    assert _try(bench, "NBA") == (201, "")
    assert (_shard(bench, 0), _shard(bench, 3)) == ((True, False), (True, True))
    assert bench.account.orders[gone["order_id"]].reason == "HaltCancel"
    assert bench.send("DELETE", f"{_ORDERS}/{kept['order_id']}")[0] == 200
    bench.wait(60)
    assert _try(bench) == (201, "")


def test_an_exchange_pause_lets_nothing_through(bench: Bench) -> None:
    _, kept = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    _play(bench, Fault(kind=Kind.EXCHANGE_PAUSE, after_s=5, until_s=60))
    assert _try(bench) == (201, "")
    bench.wait(5)
    assert _try(bench) == (409, "exchange_is_paused")
    assert _code(bench.send("DELETE", f"{_ORDERS}/{kept['order_id']}")) == (409, "exchange_is_paused")
    assert _shard(bench, 3) == (False, False)
    bench.wait(55)
    assert _try(bench) == (201, "")


def test_nobody_trades_while_trading_is_paused(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.TRADING_PAUSE))
    before = len(bench.world.exchange.tape)
    bench.wait(900)
    assert len(bench.world.exchange.tape) == before


def test_halted_markets_are_those_that_match(bench: Bench) -> None:
    nfl = bench.empty()
    _play(bench, Fault(kind=Kind.HALT, ticker="KXNFLGAME-*", until_s=30))
    assert nfl.status is MarketStatus.INACTIVE
    assert _code(bench.order(nfl.ticker, "bid", "0.0100", "1.00")) == (409, "trading_is_paused")
    assert _try(bench, "NBA") == (201, "")
    bench.wait(30)
    assert _code(bench.order(nfl.ticker, "bid", "0.0100", "1.00")) == (201, "")


def test_ending_a_scenario_lifts_its_pauses_and_halts(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.EXCHANGE_PAUSE), Fault(kind=Kind.HALT))
    _play(bench)
    assert _try(bench) == (201, "")


def test_overlapping_pauses_end_with_the_last_of_them(bench: Bench) -> None:
    _play(
        bench,
        Fault(kind=Kind.TRADING_PAUSE, until_s=30),
        Fault(kind=Kind.TRADING_PAUSE, shard=0, after_s=10, until_s=60),
    )
    bench.wait(31)
    assert (_try(bench), _try(bench, "NBA")) == ((409, "trading_is_paused"), (201, ""))
    bench.wait(30)
    assert _try(bench) == (201, "")


def test_trading_is_paused_every_thursday_from_three_to_five_eastern(bench: Bench) -> None:
    _play(bench, weekly_pause=True)
    thursday = parse_instant("2026-11-26T08:00:00Z") or 0
    for moment, trading in (
        (thursday - SECOND, True),
        (thursday, False),
        (thursday + 2 * HOUR - SECOND, False),
        (thursday + 2 * HOUR, True),
    ):
        bench.until(Instant(moment))
        assert _shard(bench, 0) == (True, trading)
    bench.until(Instant(thursday + 7 * 24 * HOUR + MINUTE))
    assert _shard(bench, 3) == (True, False)


def test_cash_taken_from_a_shard_is_gone_and_counted(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.CASH, shard=3, usd="-4999.00", after_s=10))
    bench.wait(11)
    assert (bench.account.cash[3], bench.account.deposited[3]) == (MICROS, MICROS)
    ticker = bench.empty("NBA").ticker
    assert _code(bench.order(ticker, "bid", "0.5000", "10.00")) == (400, "insufficient_balance")


def test_a_ruling_pays_what_it_says_and_reads_scalar() -> None:
    bench = quoted(preset=ONE_GAME)
    _play(bench, Fault(kind=Kind.PAYOUT, value="0.3700", ticker="KXNFLGAME-*"))
    yes, no = _held(bench)
    _over(bench)
    before = bench.account.cash[0]
    bench.wait(121)
    assert bench.account.cash[0] - before == (10 * 37 + 7 * 63) * MICROS // 100
    rows = {row["ticker"]: row for row in bench.get("/portfolio/settlements", signed=True)["settlements"]}
    assert (rows[yes]["market_result"], rows[yes]["value"], rows[yes]["revenue"]) == ("scalar", 37, 370)
    assert rows[no]["revenue"] == 441


def test_a_correction_pays_the_difference_and_writes_the_row_anew() -> None:
    bench = quoted(preset=ONE_GAME)
    yes, _ = _held(bench)
    _over(bench)
    _play(bench, Fault(kind=Kind.CORRECT, value="0.5000", ticker=yes, seconds=300))
    bench.wait(121)
    won = bench.world.exchange.markets[yes].payout
    before, exchange = bench.account.cash[0], bench.world.exchange
    everything = exchange.total_cash + exchange.fees_earned
    bench.wait(300)
    assert bench.account.cash[0] - before == (-5 if won else 5) * MICROS
    rows = [r for r in bench.get("/portfolio/settlements", signed=True)["settlements"] if r["ticker"] == yes]
    assert [(row["market_result"], row["revenue"], row["value"]) for row in rows] == [("scalar", 500, 50)]
    assert exchange.total_cash + exchange.fees_earned == everything
    assert bench.get(f"/markets/{yes}")["market"]["settlement_value_dollars"] == "0.5000"


def test_a_result_corrected_before_the_money_is_paid_once() -> None:
    bench = quoted(preset=ONE_GAME)
    yes, _ = _held(bench)
    _over(bench)
    bench.wait(60)
    market = bench.world.exchange.markets[yes]
    assert market.status is MarketStatus.DETERMINED
    bench.world.correct(yes, market.step(0) * 50)  # type: ignore[arg-type]  # fifty ticks are half a dollar
    assert bench.get(f"/markets/{yes}")["market"]["status"] == "amended"
    bench.wait(60)
    rows = {row["ticker"]: row for row in bench.get("/portfolio/settlements", signed=True)["settlements"]}
    assert rows[yes]["revenue"] == 500


def test_an_order_placed_within_a_minute_of_a_cancel_all_may_be_canceled(bench: Bench) -> None:
    _play(bench, Fault(kind=Kind.SWEEP, nth=(1,), seconds=2))
    bench.send("DELETE", _ORDERS)
    _, first = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    assert first["remaining_count"] == "1.00"
    bench.wait(2)
    assert not bench.account.orders[first["order_id"]].is_resting
    _, second = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    bench.wait(61)
    _, third = bench.order(bench.empty().ticker, "bid", "0.0100", "1.00")
    assert [bench.account.orders[one["order_id"]].is_resting for one in (second, third)] == [True, True]


def test_a_shard_that_never_held_cash_does_not_know_the_member(bench: Bench) -> None:
    del bench.account.cash[3]
    assert _try(bench, "NBA") == (404, "user_not_found")


def test_a_lapsed_location_may_not_trade(bench: Bench) -> None:
    bench.account.region_expires = Instant(bench.clock.now() + SECOND)
    assert _try(bench) == (201, "")
    bench.wait(1)
    assert _try(bench) == (403, "region_attestation_expired")
