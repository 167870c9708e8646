"""The ledger: cash, positions and profit from confirmed fills and settlements, exact to the micro-dollar.

A position is one signed quantity per market, as the exchange keeps it: YES positive, NO negative. Buying the
other side closes first (each closed pair pays $1 at once) and opens with the rest. The identity that must
always hold is ``cash + cost of open positions = deposits + realized - fees``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shared.errors import MalformedError
from shared.money import LOTS, ONE, ZERO_USD, Price, Quantity, Usd, complement, notional
from shared.terms import Side


@dataclass(frozen=True, slots=True)
class Position:
    """Holding in one market. ``cost`` is what the open quantity cost, fees apart, micro-dollars."""

    ticker: str
    event_ticker: str
    quantity: Quantity = Quantity(0)
    cost: Usd = ZERO_USD
    fees: Usd = ZERO_USD
    realized: Usd = ZERO_USD

    @property
    def side(self) -> Side | None:
        """Side held, ``None`` when flat."""
        if not self.quantity:
            return None
        return Side.YES if self.quantity > 0 else Side.NO

    @property
    def pnl(self) -> Usd:
        """Realised profit after all fees paid so far."""
        return Usd(self.realized - self.fees)


@dataclass(frozen=True, slots=True)
class Fill:
    """One confirmed fill; ``price`` is for the side bought."""

    fill_id: str
    ticker: str
    event_ticker: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Usd


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one market paid: revenue, the cost it came from, and the profit after fees."""

    ticker: str
    event_ticker: str
    payout_yes: Price
    yes_quantity: Quantity
    no_quantity: Quantity
    revenue: Usd
    cost: Usd
    fees: Usd
    pnl: Usd


@dataclass(slots=True)
class Ledger:
    """All money movements of one account. ``deposits`` is the money put in, in micro-dollars."""

    deposits: Usd
    cash: Usd = field(init=False)
    realized: Usd = field(init=False, default=ZERO_USD)
    fees: Usd = field(init=False, default=ZERO_USD)
    positions: dict[str, Position] = field(init=False, default_factory=dict)
    _seen: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.cash = self.deposits

    def record(self, fill: Fill) -> Position | None:
        """Book a fill; a fill seen before changes nothing and gives ``None``."""
        if fill.quantity <= 0:
            raise MalformedError(f"fill {fill.fill_id}: quantity {fill.quantity} is not positive")
        if fill.fill_id in self._seen:
            return None
        self._seen.add(fill.fill_id)
        held = self.positions.get(fill.ticker, Position(fill.ticker, fill.event_ticker))
        closing = Quantity(min(abs(held.quantity), fill.quantity) if held.side is fill.side.other else 0)
        changed = self._close(held, fill, closing) if closing else held
        changed = self._open(changed, fill, Quantity(fill.quantity - closing))
        changed = replace(changed, fees=Usd(changed.fees + fill.fee))
        self.cash = Usd(self.cash - fill.fee)
        self.fees = Usd(self.fees + fill.fee)
        self.positions[fill.ticker] = changed
        return changed

    def settle(self, ticker: str, payout_yes: Price) -> Settlement | None:
        """Pay out a market; ``None`` if nothing was ever held in it or it was settled before.

        A fair price may have more digits than any order: a payout that is not whole micro-dollars is rounded
        down. A fill that became known only after the market was settled is paid by settling again.
        """
        held = self.positions.get(ticker)
        if held is None or self.is_settled(ticker):
            return None
        self._seen.add(f"settled:{ticker}")
        payout = payout_yes if held.quantity > 0 else complement(payout_yes)
        revenue = Usd(payout * abs(held.quantity) // LOTS)
        profit = Usd(revenue - held.cost)
        self.cash = Usd(self.cash + revenue)
        self.realized = Usd(self.realized + profit)
        flat = replace(held, quantity=Quantity(0), cost=ZERO_USD, realized=Usd(held.realized + profit))
        self.positions[ticker] = flat
        return Settlement(
            ticker=ticker,
            event_ticker=held.event_ticker,
            payout_yes=payout_yes,
            yes_quantity=Quantity(max(held.quantity, 0)),
            no_quantity=Quantity(max(-held.quantity, 0)),
            revenue=revenue,
            cost=held.cost,
            fees=held.fees,
            pnl=flat.pnl,
        )

    def is_settled(self, ticker: str) -> bool:
        """Whether a market was paid out and nothing has been held in it since."""
        held = self.positions.get(ticker)
        return f"settled:{ticker}" in self._seen and not (held and held.quantity)

    @property
    def open_cost(self) -> Usd:
        """Cost of everything still open, fees apart."""
        return Usd(sum(position.cost for position in self.positions.values()))

    @property
    def pnl(self) -> Usd:
        """Realised profit after fees, over the whole account."""
        return Usd(self.realized - self.fees)

    def _close(self, held: Position, fill: Fill, closing: Quantity) -> Position:
        """Net ``closing`` of the opposite side: the pair pays $1, less the price of the side bought."""
        proceeds = notional(Price(ONE - fill.price), closing)
        basis = Usd(held.cost * closing // abs(held.quantity))
        profit = Usd(proceeds - basis)
        self.cash = Usd(self.cash + proceeds)
        self.realized = Usd(self.realized + profit)
        sign = 1 if held.quantity > 0 else -1
        return replace(
            held,
            quantity=Quantity(held.quantity - sign * closing),
            cost=Usd(held.cost - basis),
            realized=Usd(held.realized + profit),
        )

    def _open(self, held: Position, fill: Fill, opening: Quantity) -> Position:
        cost = notional(fill.price, opening)
        self.cash = Usd(self.cash - cost)
        sign = 1 if fill.side is Side.YES else -1
        return replace(held, quantity=Quantity(held.quantity + sign * opening), cost=Usd(held.cost + cost))
