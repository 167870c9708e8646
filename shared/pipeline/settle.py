"""Settles what is held: asks the exchange how markets ended and pays them out through the risk book."""

from __future__ import annotations

from collections.abc import Sequence

from shared.execution.account import Account
from shared.execution.journal import Journal
from shared.messages import MarketListed
from shared.money import ONE, Price
from shared.terms import MarketStatus, Result
from shared.venues.kalshi.client import KalshiClient

_CHUNK = 50


def payout_of(market: MarketListed) -> Price | None:
    """What one YES contract was paid, ``None`` while that is open or not understood.

    A determined result may still be disputed and amended; the exchange pays when it is finalized.
    """
    if market.status is not MarketStatus.FINALIZED:
        return None
    match market.result:
        case Result.YES:
            return ONE
        case Result.NO:
            return Price(0)
        case Result.SCALAR:
            return market.settlement_value
        case _:
            return None


class Settler:
    """Pays out one account's markets when the exchange does."""

    def __init__(self, client: KalshiClient, account: Account, journal: Journal) -> None:
        self._client, self._account, self._journal = client, account, journal

    def held(self) -> list[str]:
        """Markets traded and not yet settled."""
        return sorted(self._account.book.holdings)

    async def poll(self) -> int:
        """Ask about everything held; gives how many markets were paid out."""
        tickers, paid = self.held(), 0
        for first in range(0, len(tickers), _CHUNK):
            rows = await self._client.markets(tickers=tickers[first : first + _CHUNK])
            paid += await self.settle(rows.rows)
        return paid

    async def settle(self, markets: Sequence[MarketListed]) -> int:
        """Pay out those of ``markets`` that are held and have a result."""
        paid = 0
        for market in markets:
            payout = payout_of(market)
            if payout is not None and market.ticker in self._account.book.holdings:
                paid += await self._journal.settled(market.ticker, payout, market.result) is not None
        return paid
