"""Asks the exchange about our own account: orders, fills, positions, settlements, cash per shard.

These reads lag behind writes by 0.3 to 2 s, up to 10 s on the demo; :meth:`KalshiClient.user_data_as_of` says
up to when they are valid. Listings cover every shard. A row that cannot be read is in ``quarantined``: a
listing with one proves nothing about what is missing from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from shared.clock import Clock, Instant
from shared.errors import MalformedError
from shared.messages import Quarantined
from shared.venues.kalshi import account_rows, normalise, wire
from shared.venues.kalshi.account import Balance, FillSeen, OrderSeen, PositionSeen, SettlementSeen
from shared.venues.kalshi.client import KalshiClient, Rows, pairs, unix_of
from shared.venues.kalshi.order_wire import OrderRef

T = TypeVar("T")

_PAGE = 1000
_ONE_ORDER = 2  # tokens


class KalshiPortfolio:
    """Account reads of one key."""

    def __init__(self, client: KalshiClient, clock: Clock) -> None:
        self.client, self._clock = client, clock

    async def orders(
        self,
        *,
        ticker: str = "",
        event_ticker: str = "",
        status: str = "",
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> Rows[OrderSeen]:
        """Orders, newest first; ``status`` is resting, canceled or executed, ``since`` by creation."""
        params = pairs(
            limit=_PAGE,
            ticker=ticker,
            event_ticker=event_ticker,
            status=status,
            min_ts=unix_of(since),
            max_ts=unix_of(until),
        )
        return await self._rows("/portfolio/orders", params, lambda p: p.orders, account_rows.order_seen)

    async def order(self, order: OrderRef) -> OrderSeen:
        """One order; raises :class:`RefusedError` with code ``not_found`` if it is not known."""
        path = f"/portfolio/orders/{order.order_id}"
        answer = await self.client.get(account_rows.OrderRow, path, signed=True, cost=_ONE_ORDER)
        return account_rows.order_seen(answer.order, self._clock.now())

    async def find(self, client_order_id: str, ticker: str, since: Instant) -> OrderSeen | None:
        """The order that carries our own id, or ``None`` if the list, which lags, does not show it.

        Raises :class:`MalformedError` when a row could not be read: it may have been that one.
        """
        found = await self.orders(ticker=ticker, since=since)
        for order in found.rows:
            if order.client_order_id == client_order_id:
                return order
        if found.quarantined:
            raise MalformedError(f"the order list of {ticker} cannot be read: {found.quarantined[0].reason}")
        return None

    async def fills(
        self,
        *,
        ticker: str = "",
        order_id: str = "",
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> Rows[FillSeen]:
        """Fills, newest first. They do not carry our own id."""
        params = pairs(
            limit=_PAGE, ticker=ticker, order_id=order_id, min_ts=unix_of(since), max_ts=unix_of(until)
        )
        return await self._rows("/portfolio/fills", params, lambda p: p.fills, account_rows.fill_seen)

    async def positions(
        self, *, ticker: str = "", event_ticker: str = "", settlement_status: str = ""
    ) -> Rows[PositionSeen]:
        """Holdings, empty ones included; ``settlement_status`` is unsettled (default), settled or all."""
        params = pairs(
            limit=_PAGE, ticker=ticker, event_ticker=event_ticker, settlement_status=settlement_status
        )
        make = account_rows.position_seen
        return await self._rows("/portfolio/positions", params, lambda p: p.market_positions, make)

    async def settlements(
        self,
        *,
        ticker: str = "",
        event_ticker: str = "",
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> Rows[SettlementSeen]:
        """Payouts, newest first."""
        params = pairs(
            limit=_PAGE,
            ticker=ticker,
            event_ticker=event_ticker,
            min_ts=unix_of(since),
            max_ts=unix_of(until),
        )
        make = account_rows.settlement_seen
        return await self._rows("/portfolio/settlements", params, lambda p: p.settlements, make)

    async def balance(self) -> Balance:
        """Cash in all and by shard; one call a second is all the exchange allows."""
        answer = await self.client.get(
            account_rows.BalanceAnswer, "/portfolio/balance", signed=True, bucket=self.client.buckets.balance
        )
        return account_rows.balance_of(answer)

    async def _rows(
        self,
        path: str,
        params: list[tuple[str, str]],
        pick: Callable[[wire.RowsPage], list[msgspec.Raw] | None],
        make: Callable[[msgspec.Raw, Instant], T],
    ) -> Rows[T]:
        def page(rows: Iterable[msgspec.Raw], now: Instant) -> tuple[list[T], list[Quarantined]]:
            return normalise.each(rows, lambda raw: make(raw, now), path, now)

        return await self.client.pages(path, params, pick, page, signed=True)
