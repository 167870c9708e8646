"""The ledger: exact, idempotent, and the same total however the fills are split."""

from hypothesis import given
from hypothesis import strategies as st

from shared.money import Price, Quantity, Usd
from shared.orders.ledger import Fill, Ledger
from shared.terms import Side

CENT = 10_000


def fill(identity: str, side: Side, cents: int, lots: int, fee: int = 0, ticker: str = "T") -> Fill:
    return Fill(identity, ticker, "E", side, Price(cents * CENT), Quantity(lots), Usd(fee))


def test_a_winning_yes_pays_a_dollar_less_its_cost_and_fee() -> None:
    ledger = Ledger(Usd(100_000_000))
    ledger.record(fill("a", Side.YES, 52, 100, fee=17_500))
    settled = ledger.settle("T", Price(1_000_000))
    assert settled is not None
    assert settled.pnl == 480_000 - 17_500
    assert ledger.cash == 100_000_000 + settled.pnl


def test_a_no_position_is_paid_the_complement_of_the_yes_payout() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.NO, 40, 200))
    settled = ledger.settle("T", Price(500_000))
    assert settled is not None
    assert settled.revenue == 1_000_000
    assert settled.pnl == 200_000


def test_the_same_fill_twice_changes_nothing() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.YES, 50, 100, fee=1))
    cash = ledger.cash
    assert ledger.record(fill("a", Side.YES, 50, 100, fee=1)) is None
    assert ledger.cash == cash


def test_buying_the_other_side_closes_first() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.YES, 40, 100))
    position = ledger.record(fill("b", Side.NO, 55, 150))
    assert position is not None
    assert position.quantity == -50
    assert position.realized == 50_000  # a dollar less 40c and 55c, on one contract
    assert position.cost == 275_000


def test_a_market_settles_once() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.YES, 40, 100))
    assert ledger.settle("T", Price(1_000_000)) is not None
    assert ledger.settle("T", Price(1_000_000)) is None


def test_settling_a_market_never_traded_gives_nothing() -> None:
    assert Ledger(Usd(0)).settle("T", Price(0)) is None


fills = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 99), st.integers(1, 5_000), st.integers(0, 50_000)),
    max_size=30,
)


@given(fills, st.integers(0, 100))
def test_cash_plus_open_cost_is_deposits_plus_profit(
    rows: list[tuple[Side, int, int, int]], payout: int
) -> None:
    ledger = Ledger(Usd(10**12))
    for index, (side, cents, lots, fee) in enumerate(rows):
        ledger.record(fill(str(index), side, cents, lots, fee, ticker=f"T{index % 3}"))
        assert ledger.cash + ledger.open_cost == ledger.deposits + ledger.pnl
    for ticker in list(ledger.positions):
        ledger.settle(ticker, Price(payout * CENT))
    assert ledger.open_cost == 0
    assert ledger.cash == ledger.deposits + ledger.pnl
    assert ledger.pnl == sum(position.pnl for position in ledger.positions.values())


@given(fills, st.integers(0, 100))
def test_profit_equals_payouts_less_payments_computed_another_way(
    rows: list[tuple[Side, int, int, int]], payout: int
) -> None:
    ledger = Ledger(Usd(0))
    expected = 0
    for index, (side, cents, lots, fee) in enumerate(rows):
        ledger.record(fill(str(index), side, cents, lots, fee))
        pays = payout if side is Side.YES else 100 - payout
        expected += (pays - cents) * CENT * lots // 100 - fee
    ledger.settle("T", Price(payout * CENT))
    assert ledger.pnl == expected


def test_a_fair_price_finer_than_the_grid_is_paid_rounded_down() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.YES, 40, 1_234))
    settled = ledger.settle("T", Price(333_333))
    assert settled is not None
    assert settled.revenue == 4_113_329  # 12.34 contracts at $0.333333 are $4.11332922
    assert ledger.cash + ledger.open_cost == ledger.pnl


def test_a_fill_known_only_after_settlement_is_paid_by_settling_again() -> None:
    ledger = Ledger(Usd(0))
    ledger.record(fill("a", Side.YES, 40, 100))
    ledger.settle("T", Price(1_000_000))
    ledger.record(fill("late", Side.YES, 40, 100))
    assert not ledger.is_settled("T")
    assert ledger.settle("T", Price(1_000_000)) is not None
    assert ledger.settle("T", Price(1_000_000)) is None
    assert ledger.pnl == 1_200_000
