"""Asks how mapped games ended, traded or not: only then can a refused price be judged.

The settler asks about what is held; this asks about everything with a certified game behind it, from the
document store's mappings, which are kept for two days after the start. After a restart each is asked about
and told once more: history takes the newest word about a market.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.clock import HOUR, Clock, Instant
from shared.messages import MarketListed, MarketResolved, seal
from shared.pipeline.places import MAPPINGS
from shared.pipeline.settle import payout_of
from shared.ports import Bus, Documents, Value
from shared.venues.kalshi.client import KalshiClient

# No game is over sooner, and no result is final.
_SHORTEST_GAME = HOUR
_CHUNK = 50
_EVERYTHING = 100_000


class ResultWatch:
    """Tells the results topic how each mapped market ended."""

    def __init__(self, client: KalshiClient, documents: Documents, bus: Bus, clock: Clock) -> None:
        self._client, self._documents, self._bus, self._clock = client, documents, bus, clock
        self._told: set[str] = set()

    async def poll(self) -> int:
        """Ask about every game that may be over; gives how many results were told."""
        mapped = await self._mapped(Instant(self._clock.now() - _SHORTEST_GAME))
        self._told &= mapped  # what is no longer mapped is never asked about again
        tickers, told = sorted(mapped - self._told), 0
        for first in range(0, len(tickers), _CHUNK):
            rows = await self._client.markets(tickers=tickers[first : first + _CHUNK])
            told += await self.tell(rows.rows)
        return told

    async def tell(self, markets: Sequence[MarketListed]) -> int:
        """Publish the results among ``markets`` that are final and understood, each once."""
        found = [
            message
            for market in markets
            if market.ticker not in self._told and (message := _resolved(market)) is not None
        ]
        if found:
            await self._bus.publish(MarketResolved.TOPIC, found)
        self._told |= {message.ticker for message in found}
        return len(found)

    async def _mapped(self, started_before: Instant) -> set[str]:
        documents = await self._documents.query(MAPPINGS, limit=_EVERYTHING)
        return {ticker for document in documents for ticker in _tickers(document.value, started_before)}


def _tickers(value: Value, started_before: Instant) -> list[str]:
    start = value["starts_at"]
    if not value["odds_event_id"] or start is None or start > started_before:
        return []
    return list(value["markets"])


def _resolved(market: MarketListed) -> MarketResolved | None:
    payout = payout_of(market)
    if payout is None:
        return None
    return seal(
        MarketResolved(
            observed_at=market.observed_at,
            ticker=market.ticker,
            event_ticker=market.event_ticker,
            series_ticker=market.series_ticker,
            result=market.result,
            payout_yes=payout,
            settled_at=market.settled_at,
        )
    )
