"""P&L in SQL equals P&L worked out another way, to the micro-dollar, however it is filled and told.

Two oracles know nothing of the views: one follows every contract from its purchase to its payout in exact
fractions, the other is the ledger that trades.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.messages import FillRecorded, MarketSettled, Message, OrderUpdated, seal
from shared.money import ONE, Price, Quantity, Usd
from shared.orders.ledger import Fill, Ledger
from shared.terms import Profile, Side
from tests.support.lake import Lake, Rows, at
from tests.views.make import fill, order, settled

MARKETS = ("G-1-A", "G-1-B", "H-1-A")
LEAGUES = {"G-1": "NBA", "H-1": "NFL"}


@dataclass(frozen=True)
class Trading:
    """What really happened, and the messages it was told in: some twice, in any order."""

    fills: tuple[FillRecorded, ...]
    orders: tuple[OrderUpdated, ...]
    settlements: tuple[MarketSettled, ...]
    told: tuple[Message, ...]


@st.composite
def tradings(draw: st.DrawFn) -> Trading:
    """Any fills of three markets, some of them settled, before or after a late fill."""
    fills = [_fill(draw, number) for number in range(draw(st.integers(0, 8)))]
    paid = draw(st.lists(st.sampled_from(MARKETS), unique=True))
    payouts = st.sampled_from([ONE, 0, 500_000, 333_333, 1, 999_999])
    settlements = [settled(ticker, draw(payouts), draw(st.integers(0, 300_000))) for ticker in paid]
    edges = st.none() | st.sampled_from([0.005, 0.015, 0.025, 0.04, 0.06, 0.2])
    orders = [order(one.order_id, expected_edge=draw(edges)) for one in fills if draw(st.booleans())]
    said: list[Message] = [*fills, *orders, *settlements]
    again = draw(st.lists(st.sampled_from(said), max_size=6)) if said else []
    told = draw(st.permutations([*said, *(_another_trace(one) for one in again)]))
    return Trading(tuple(fills), tuple(orders), tuple(settlements), tuple(told))


def _fill(draw: st.DrawFn, number: int) -> FillRecorded:
    ticker = draw(st.sampled_from(MARKETS))
    side, profile = (
        draw(st.sampled_from(list(Side))),
        draw(st.sampled_from([Profile.SCALP, Profile.STANDARD])),
    )
    made = fill(
        f"f{number}", ticker, side, price=draw(st.integers(1, 9_999)) / 100,
        count=draw(st.integers(1, 50_000)) / 100, fee=draw(st.integers(0, 3_000_000)),
        seconds=draw(st.integers(0, 200_000)), profile=profile, league=LEAGUES[ticker[:3]],
        mode=draw(st.sampled_from(["paper", "live"])),
    )  # fmt: skip
    return seal(made)


def _another_trace(message: Message) -> Message:
    return seal(message, "told again")


def _payouts(trading: Trading) -> dict[str, int]:
    return {one.ticker: one.payout_yes for one in trading.settlements}


def contract_by_contract(trading: Trading) -> dict[tuple[str, str], int]:
    """Profit of each settled mode and market: every contract gets its payout, the market is rounded down."""
    payouts = _payouts(trading)
    received: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for one in trading.fills:
        if one.ticker in payouts:
            each = payouts[one.ticker] if one.side is Side.YES else ONE - payouts[one.ticker]
            received[one.mode, one.ticker] += Fraction(each * one.quantity, 100)
            spent[one.mode, one.ticker] += Fraction(one.price * one.quantity, 100) + one.fee
    whole = {key: math.floor(amount) - spent[key] for key, amount in received.items()}
    assert all(amount.denominator == 1 for amount in map(Fraction, whole.values()))
    return {key: int(amount) for key, amount in whole.items()}


def by_ledger(trading: Trading, mode: str) -> dict[str, int]:
    """Profit of each settled market as the trading ledger books the same fills in their own order."""
    ledger = Ledger(Usd(10**12))
    for one in sorted(trading.fills, key=lambda one: (one.observed_at, one.fill_id)):
        if one.mode == mode:
            ledger.record(
                Fill(one.fill_id, one.ticker, one.event_ticker, one.side, one.price, one.quantity, one.fee)
            )
    paid = {ticker: ledger.settle(ticker, Price(payout)) for ticker, payout in _payouts(trading).items()}
    return {ticker: settlement.pnl for ticker, settlement in paid.items() if settlement is not None}


def _sum(rows: Rows, *keys: str) -> dict[tuple[object, ...], int]:
    sums: dict[tuple[object, ...], int] = defaultdict(int)
    for row in rows:
        if row["pnl"] is not None:
            sums[tuple(row[key] for key in keys)] += row["pnl"]
    return dict(sums)


# One connection for all examples: making the views takes longer than asking them.
_LAKE = Lake()
_many = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_some = settings(_many, max_examples=15)  # several views of views each


def _told(trading: Trading) -> Lake:
    _LAKE.forget()
    _LAKE.tell(*trading.told)
    return _LAKE


@_many
@given(tradings())
def test_every_market_earns_what_its_contracts_earned(trading: Trading) -> None:
    assert _sum(_told(trading).rows("pnl_by_market"), "mode", "ticker") == contract_by_contract(trading)


@_many
@given(tradings())
def test_every_market_earns_what_the_ledger_booked(trading: Trading) -> None:
    rows = _told(trading).rows("pnl_by_market")
    for mode in ("paper", "live"):
        mine = {row["ticker"]: row["pnl"] for row in rows if row["mode"] == mode and row["pnl"] is not None}
        assert mine == by_ledger(trading, mode)


@_some
@given(tradings())
def test_however_profit_is_cut_it_adds_up_to_the_same(trading: Trading) -> None:
    lake, total = _told(trading), sum(contract_by_contract(trading).values())
    for view in (
        "pnl_by_fill",
        "pnl_cube",
        "pnl_by_day",
        "pnl_by_sport",
        "pnl_by_profile",
        "pnl_by_edge_bucket",
    ):
        assert sum(row["pnl"] or 0 for row in lake.rows(view)) == total, view


@_some
@given(tradings())
def test_days_and_sports_have_the_profit_of_their_markets(trading: Trading) -> None:
    lake, earned = _told(trading), contract_by_contract(trading)
    day_of = {one.ticker: _day(one.observed_at) for one in trading.settlements}
    days: dict[tuple[object, ...], int] = defaultdict(int)
    sports: dict[tuple[object, ...], int] = defaultdict(int)
    for (mode, ticker), pnl in earned.items():
        days[day_of[ticker], mode] += pnl
        sports[mode, LEAGUES[ticker[:3]]] += pnl
    traded = {key: value for key, value in _sum(lake.rows("pnl_by_day"), "day", "mode").items() if value}
    assert traded == {key: value for key, value in days.items() if value}
    assert _sum(lake.rows("pnl_by_sport"), "mode", "league") == sports


@_many
@given(tradings())
def test_what_is_open_settles_at_one_of_its_two_ends(trading: Trading) -> None:
    lake, payouts = _told(trading), _payouts(trading)
    for row in lake.rows("open_positions"):
        assert row["ticker"] not in payouts
        for payout, end in ((ONE, "pnl_if_yes"), (0, "pnl_if_no")):
            word = settled(row["ticker"], payout)
            closed = Trading(trading.fills, (), (*trading.settlements, word), ())
            assert row[end] == contract_by_contract(closed)[row["mode"], row["ticker"]]


def _day(instant: int) -> date:
    return datetime.fromtimestamp(instant / 1_000_000, UTC).date()


def test_the_oracle_itself_knows_a_case_worked_out_by_hand() -> None:
    fills = (fill("a", "G-1-A", Side.YES, 40, 10, fee=50_000), fill("b", "G-1-A", Side.NO, 50, 4))
    trading = Trading(fills, (), (settled("G-1-A", 0),), ())
    assert contract_by_contract(trading) == {("paper", "G-1-A"): 4_000_000 - 4_000_000 - 50_000 - 2_000_000}
    assert by_ledger(trading, "paper") == {"G-1-A": -2_050_000}
    assert (Quantity(1_000), at()) == (fills[0].quantity, fills[0].observed_at)


def test_a_different_answer_would_be_noticed() -> None:
    trading = Trading((fill("a", "G-1-A", Side.YES, 40, 10, fee=1),), (), (settled("G-1-A"),), ())
    _LAKE.forget()
    _LAKE.tell(*trading.fills, *trading.settlements, fill("b", "G-1-A", Side.YES, 40, 10))
    assert _sum(_LAKE.rows("pnl_by_market"), "mode", "ticker") != contract_by_contract(trading)
