"""The risk book: reserved and realised money of one account as one value, so that one write can guard it all.

All limits are over the whole account, so all counters that limits are over stand in one document: two
executors that would together pass a limit cannot both write it. The price is one writer at a time, which
the order rate allows (ten orders a minute are one write in three seconds).

A day and a week are Eastern, as the exchange's; a new one starts the counts anew and closes nothing that a
person has to close. All money is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from shared.clock import DAY, MINUTE, SECOND, Instant, eastern_day
from shared.errors import FutureSchemaError, MalformedError
from shared.money import LOTS, ZERO_USD, Price, Quantity, Usd, format_usd, notional_up
from shared.orders.ledger import Position
from shared.risk.canary import Canary
from shared.risk.controls import Proposal, RiskView

SCHEMA = 1
# Two machines' clocks differ by less; what is further ahead was written by a clock that is wrong.
SKEW = 2 * SECOND
# A game is over, and its last late fill reported, long before its contracts stop counting.
_EVENT_KEPT = 7 * DAY
# 500 bytes each at most: half of what one document may hold, whatever the backend.
MAX_MARKETS = 1_000


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one order in flight may still spend.

    ``remaining`` is what may still fill, ``risk`` the most that it can cost, fees included. ``token`` names
    the attempt that reserved, ``generation`` what canary mode wanted proved at that moment; ``is_doubted``
    says that its outcome was unknown at some time.
    """

    ticker: str
    event: str
    sport: str
    limit: Price
    quantity: Quantity
    remaining: Quantity
    risk: Usd
    at: Instant
    epoch: int
    token: str
    generation: str
    is_doubted: bool = False

    def less(self, quantity: Quantity, fee: Usd = ZERO_USD) -> Reservation:
        """After ``quantity`` has filled, at a ``fee``, or can no longer fill.

        A fill below the limit sets nothing free for the rest, which can still cost its limit: what stays is
        never less than that.
        """
        remaining = Quantity(max(0, self.remaining - quantity))
        spent = self.limit * quantity // LOTS + fee
        return replace(
            self,
            remaining=remaining,
            risk=Usd(max(self.risk - spent, notional_up(self.limit, remaining))),
        )


@dataclass(frozen=True, slots=True)
class Holding:
    """A position, and the game and sport it counts to."""

    event: str
    sport: str
    position: Position


@dataclass(frozen=True, slots=True)
class EventCount:
    """Contracts bought on one game, and when last."""

    quantity: Quantity
    at: Instant


@dataclass(frozen=True, slots=True)
class Book:
    """One account's money at risk. Immutable: every change gives the next book.

    ``cash`` is what is there with nothing reserved; ``deposits`` is the money put in; ``confirmed_at`` is
    when the venue last agreed; ``stated_at`` is up to when its fills were in the numbers the book was opened
    or restated with, by its own clock; ``epoch`` is the highest lease epoch that acted; ``seq`` grows by one
    with each write.
    What always holds is ``cash + open_cost = deposits + realized - fees``.
    """

    cash: Usd
    confirmed_at: Instant
    deposits: Usd
    realized: Usd = ZERO_USD
    fees: Usd = ZERO_USD
    stated_at: Instant = Instant(0)
    day: str = ""
    week: str = ""
    pnl_today: Usd = ZERO_USD
    pnl_week: Usd = ZERO_USD
    trades_today: int = 0
    quantity_today: Quantity = Quantity(0)
    consecutive_losses: int = 0
    resumed_at: Instant = Instant(0)
    recent: tuple[Instant, ...] = ()
    events: Mapping[str, EventCount] = field(default_factory=dict)
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    reserved: Mapping[str, Reservation] = field(default_factory=dict)
    canary: Canary = field(default_factory=Canary)
    epoch: int = 0
    seq: int = 0
    schema: int = SCHEMA

    @property
    def reserved_risk(self) -> Usd:
        """Money that orders in flight may still spend."""
        return Usd(sum(one.risk for one in self.reserved.values()))

    @property
    def open_cost(self) -> Usd:
        """Cost of everything held, fees apart."""
        return Usd(sum(held.position.cost for held in self.holdings.values()))

    @property
    def pnl(self) -> Usd:
        """Realised profit after all fees, since the book was opened."""
        return Usd(self.realized - self.fees)

    def view(self, event: str, sport: str, now: Instant) -> RiskView:
        """The account for an order on ``event`` in ``sport``, reservations counted as spent."""
        book, reserved = self.rolled(now), self.reserved_risk
        return RiskView(
            cash=Usd(self.cash - reserved),
            bankroll=Usd(self.cash + self.open_cost),
            lost_today=Usd(max(0, -book.pnl_today) + reserved),
            lost_this_week=Usd(max(0, -book.pnl_week) + reserved),
            trades_today=book.trades_today,
            quantity_today=book.quantity_today,
            consecutive_losses=self.consecutive_losses,
            event_quantity=self._event_quantity(event),
            sport_risk=self._sport_risk(sport),
            recent_orders=book.recent,
        )

    def unfit(self, now: Instant, max_age_s: float) -> str | None:
        """Why no order may be judged by this book, or ``None``: stale, from the future, or full."""
        if self.confirmed_at - now > SKEW:
            return f"last confirmed {(self.confirmed_at - now) // SECOND} s in the future: a clock is wrong"
        if now - self.confirmed_at > max_age_s * SECOND:
            return f"last confirmed {(now - self.confirmed_at) // SECOND} s ago, limit {max_age_s:g} s"
        if len(self.holdings) + len(self.reserved) >= MAX_MARKETS:
            return f"{MAX_MARKETS} markets and orders are open, more than one document is meant to hold"
        return None

    def reserve(self, order: Proposal, token: str, generation: str, epoch: int) -> Book:
        """Hold the money of an order about to be sent, and count it."""
        book = self.rolled(order.at)
        made = Reservation(
            ticker=order.ticker,
            event=order.event,
            sport=order.sport,
            limit=order.limit,
            quantity=order.quantity,
            remaining=order.quantity,
            risk=order.risk,
            at=order.at,
            epoch=epoch,
            token=token,
            generation=generation,
        )
        return replace(
            book,
            reserved={**book.reserved, order.client_order_id: made},
            trades_today=book.trades_today + 1,
            quantity_today=Quantity(book.quantity_today + order.quantity),
            recent=tuple(sorted((*book.recent, order.at))),
            canary=book.canary.of(generation),
            epoch=max(book.epoch, epoch),
        )

    def earned(self, profit: int, fees: int, now: Instant) -> Book:
        """Count a profit or loss, and fees, to its day and week; the cash is booked by whoever moved it."""
        book, amount = self.rolled(now), profit - fees
        return replace(
            book,
            realized=Usd(book.realized + profit),
            fees=Usd(book.fees + fees),
            pnl_today=Usd(book.pnl_today + amount),
            pnl_week=Usd(book.pnl_week + amount),
        )

    def resumed(self, at: Instant) -> Book:
        """A person let trading go on: the losses before ``at`` are known to them and count no more."""
        if at <= self.resumed_at:
            return self
        return replace(self, resumed_at=at, consecutive_losses=0)

    def rolled(self, now: Instant) -> Book:
        """As of ``now``: a new day or week starts its counts, orders older than a minute are forgotten.

        A clock set back starts no day: it would forget the day's losses. An order further in the future than
        clocks differ was dated by a wrong one, and would stop all others until it comes round.
        """
        recent = tuple(at for at in self.recent if -SKEW <= now - at < MINUTE)
        book = self if recent == self.recent else replace(self, recent=recent)
        day = eastern_day(now)
        if day <= book.day:
            return book
        week = "{}-W{:02}".format(*date.fromisoformat(day).isocalendar()[:2])
        return replace(
            book,
            day=day,
            week=week,
            pnl_today=ZERO_USD,
            pnl_week=book.pnl_week if week == book.week else ZERO_USD,
            trades_today=0,
            quantity_today=Quantity(0),
            events=book._events_kept(now),
        )

    def _event_quantity(self, event: str) -> Quantity:
        flying = sum(one.remaining for one in self.reserved.values() if one.event == event)
        bought = self.events.get(event)
        return Quantity(flying + (bought.quantity if bought else 0))

    def _sport_risk(self, sport: str) -> Usd:
        held = sum(one.position.cost for one in self.holdings.values() if one.sport == sport)
        return Usd(held + sum(one.risk for one in self.reserved.values() if one.sport == sport))

    def _events_kept(self, now: Instant) -> dict[str, EventCount]:
        held = {one.event for one in self.holdings.values()}
        return {
            event: count
            for event, count in self.events.items()
            if event in held or now - count.at < _EVENT_KEPT
        }


def encode_book(book: Book) -> dict[str, object]:
    """The book as a JSON object of strings and whole numbers."""
    value: dict[str, object] = msgspec.to_builtins(book)
    return value


def decode_book(value: object) -> Book:
    """The book of a JSON object; raises :class:`MalformedError` for anything that cannot be trusted whole.

    A number that is missing is never taken as zero: every field that has no obvious beginning is required.
    """
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise FutureSchemaError(f"risk book: schema {schema} is newer than {SCHEMA}")
    try:
        book = msgspec.convert(value, Book)
    except msgspec.ValidationError as exc:
        raise MalformedError(f"risk book: {exc}") from exc
    missing = Book.__dataclass_fields__.keys() - value.keys() if isinstance(value, dict) else set()
    if missing:
        raise MalformedError(f"risk book: {', '.join(sorted(missing))} missing")
    _check(book)
    return book


def _check(book: Book) -> None:
    counts = (book.trades_today, book.quantity_today, book.consecutive_losses, book.epoch, book.seq)
    if min(counts) < 0:
        raise MalformedError("risk book: a count is negative")
    astray = book.cash + book.open_cost - (book.deposits + book.pnl)
    if astray:
        raise MalformedError(f"risk book: ${format_usd(Usd(astray))} are not accounted for")
    for order_id, one in book.reserved.items():
        if not 0 < one.remaining <= one.quantity or one.risk < 0:
            raise MalformedError(f"risk book: the reservation of {order_id} makes no sense")
    for ticker, held in book.holdings.items():
        if held.position.ticker != ticker or held.position.cost < 0:
            raise MalformedError(f"risk book: the holding in {ticker} makes no sense")
