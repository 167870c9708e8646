"""Our own fills from the stream and from REST together, each once, and since when REST must be read again.

The stream's fills carry no sequence number: one that is lost leaves no trace. So they are taken for fast but
not for complete. Complete is what REST has told, up to the instant for which the exchange vouches; that
instant must pass the beginning of every unbroken stretch of the stream, and moves on by a slow poll besides.
"""

from __future__ import annotations

import asyncio

from shared.clock import HOUR, SECOND, Clock, Instant, age
from shared.money import Quantity
from shared.venues.kalshi.account import FillSeen
from shared.venues.kalshi.events import Disconnected, Gap, Listening, StreamEvent
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.protocol import FILLS

_POLL = 15 * SECOND
# While the stream is not whole, REST is all there is; a look costs two reads of twenty a second.
_FAST_POLL = 1 * SECOND
# Our clock and the exchange's may differ by this much before anybody is alarmed.
_SKEW = 5 * SECOND
# Far beyond the ten seconds that reads were seen to lag.
_KEPT = HOUR


class PrivateFeed:
    """Fills of one account since ``since``. Give it every stream event, and call :meth:`catch_up` often."""

    def __init__(self, clock: Clock, since: Instant) -> None:
        self._clock = clock
        self._read_to = since
        self._asked_at: Instant | None = None
        self._whole_since: Instant | None = None
        self._fills: dict[str, dict[str, FillSeen]] = {}
        self._news = asyncio.Event()

    @property
    def is_whole(self) -> bool:
        """Whether the stream runs, and REST has told everything from before it did."""
        return self._whole_since is not None and self._read_to >= self._whole_since + _SKEW

    def note(self, event: StreamEvent) -> bool:
        """Take in one event of the stream; true if it is a fill not seen before."""
        if isinstance(event, FillSeen):
            return self.add(event)
        if isinstance(event, Disconnected):
            self._whole_since = None
        elif isinstance(event, (Listening, Gap)) and event.channel == FILLS:
            self._whole_since = event.at
        return False

    def add(self, fill: FillSeen) -> bool:
        """Take in one fill, from wherever; true if it was not seen before."""
        known = self._fills.setdefault(fill.order_id, {})
        if fill.fill_id in known:
            return False
        known[fill.fill_id] = fill
        self._news.set()
        self._news = asyncio.Event()
        return True

    def fills_of(self, order_id: str) -> tuple[FillSeen, ...]:
        """Fills of one order of the exchange, oldest first."""
        fills = self._fills.get(order_id, {}).values()
        return tuple(sorted(fills, key=lambda fill: (fill.filled_at, fill.fill_id)))

    def filled(self, order_id: str) -> Quantity:
        """Contracts filled of one order, as far as is known."""
        return Quantity(sum(fill.quantity for fill in self._fills.get(order_id, {}).values()))

    def has_filled(self, client_order_id: str) -> bool:
        """Whether the stream told a fill that carries our own id."""
        return any(
            fill.client_order_id == client_order_id
            for fills in self._fills.values()
            for fill in fills.values()
        )

    async def wait_for(self, order_id: str, quantity: Quantity) -> None:
        """Return once ``quantity`` of an order is known to have filled."""
        while self.filled(order_id) < quantity:
            await self._news.wait()

    def unread_since(self, now: Instant) -> Instant | None:
        """Since when fills must be read again now, in the exchange's time; ``None`` while nothing is due."""
        pace = _POLL if self.is_whole else _FAST_POLL
        if self._asked_at is not None and age(self._asked_at, now) < pace:
            return None
        # Filters are in whole seconds. What is read twice changes nothing.
        return Instant(max(0, self._read_to - _SKEW))

    async def catch_up(self, portfolio: KalshiPortfolio) -> list[FillSeen]:
        """Read by REST what is due; gives the fills that the stream had not told.

        Raises what the reads raise; it is due again then, and also when a row could not be read.
        """
        now = self._clock.now()
        since = self.unread_since(now)
        if since is None:
            return []
        self._asked_at = now
        # Asked for first: what the fills show is then at least as new as this.
        as_of = await portfolio.client.user_data_as_of()
        found = await portfolio.fills(since=since)
        new = [fill for fill in found.rows if self.add(fill)]
        if as_of is not None and not found.quarantined:
            self._read_to = max(self._read_to, as_of)
            self._forget(Instant(self._read_to - _KEPT))
        return new

    def _forget(self, before: Instant) -> None:
        old = [
            order_id
            for order_id, fills in self._fills.items()
            if all(fill.filled_at < before for fill in fills.values())
        ]
        for order_id in old:
            del self._fills[order_id]
