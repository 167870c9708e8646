"""A member of the exchange who uses the venue's official SDK; runs in the SDK's own environment.

``python member.py BASE_URL WS_URL KEY_ID STEP…`` reads the key from standard input, takes the steps in order
and writes what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

import aiohttp
import kalshi_python_async as sdk

_PATIENCE_S = 60.0


class Member:
    """One session of the SDK."""

    def __init__(self, base_url: str, ws_url: str, key_id: str, pem: str) -> None:
        config = sdk.Configuration(host=base_url)
        config.api_key_id, config.private_key_pem = key_id, pem
        self.client = sdk.KalshiClient(config)
        self.ws_url = ws_url
        self.saw: dict[str, Any] = {}
        self.chosen: Any = None

    async def look(self) -> None:
        """Status, schedule, markets and a book; chooses the market whose game is over first."""
        status = await self.client.get_exchange_status()
        self.saw["trading"] = status.trading_active
        self.saw["shards"] = [one.exchange_index for one in status.exchange_index_statuses]
        self.saw["schedule"] = len((await self.client.get_exchange_schedule()).schedule.standard_hours)
        page = await self.client.get_markets(limit=1000, status="open", mve_filter="exclude")
        self.saw["markets"] = len(page.markets)
        quoted = [m for m in page.markets if float(m.yes_ask_size_fp) > 1 and float(m.yes_bid_size_fp) > 1]
        chosen = min(quoted, key=lambda m: (m.expected_expiration_time, m.ticker))
        book = (await self.client.get_market_orderbook(ticker=chosen.ticker)).orderbook_fp
        self.saw["book"] = [len(book.yes_dollars), len(book.no_dollars)]
        self.saw["series"] = (
            await self.client.get_series(series_ticker=chosen.ticker.split("-")[0])
        ).series.fee_type
        self.chosen = chosen

    async def create(self, price: str, lives: str) -> Any:
        """One contract of YES."""
        return await self.client.create_order_v2(
            ticker=self.chosen.ticker,
            client_order_id=str(uuid.uuid4()),
            side="bid",
            count="1.00",
            price=price,
            time_in_force=lives,
            self_trade_prevention_type="taker_at_cross",
            exchange_index=self.chosen.exchange_index,
        )

    async def trade(self) -> None:
        """Rest an order, change it, take it out; buy one contract; be refused."""
        resting = await self.create("0.0100", "good_till_canceled")
        self.saw["resting"] = [resting.fill_count, resting.remaining_count]
        seen = await self.until(self.client.get_order, order_id=resting.order_id)
        self.saw["order"] = [seen.order.status, seen.order.yes_price_dollars]
        amended = await self.client.amend_order_v2(
            resting.order_id, ticker=self.chosen.ticker, side="bid", price="0.0200", count="2.00"
        )
        self.saw["amended"] = amended.order_id == resting.order_id
        decreased = await self.client.decrease_order_v2(
            resting.order_id, reduce_to="1.00", market_ticker=self.chosen.ticker
        )
        self.saw["decreased"] = decreased.remaining_count
        canceled = await self.client.cancel_order_v2(resting.order_id, market_ticker=self.chosen.ticker)
        self.saw["canceled"] = canceled.reduced_by
        taken = await self.create("0.9900", "immediate_or_cancel")
        self.saw["taken"] = [taken.fill_count, taken.remaining_count]
        self.saw["order_id"] = taken.order_id
        try:
            await self.create("0.0101", "good_till_canceled")
        except sdk.BadRequestException as refused:
            self.saw["refused"] = json.loads(refused.body)["error"]["code"]

    async def account(self) -> None:
        """Fills, positions, balance, orders, budgets and keys."""
        fills = await self.until(self.client.get_fills, lambda page: page.fills, ticker=self.chosen.ticker)
        self.saw["fills"] = [[fill.order_id, fill.count_fp, fill.is_taker] for fill in fills.fills]
        positions = await self.until(
            self.client.get_positions, lambda page: page.market_positions, ticker=self.chosen.ticker
        )
        self.saw["position"] = [row.position_fp for row in positions.market_positions]
        balance = await self.client.get_balance()
        self.saw["balance"] = [row.exchange_index for row in balance.balance_breakdown]
        self.saw["orders"] = len((await self.client.get_orders(ticker=self.chosen.ticker)).orders)
        self.saw["tier"] = (await self.client.get_account_api_limits()).usage_tier
        self.saw["scopes"] = (await self.client.get_api_keys()).api_keys[0].scopes

    async def group(self) -> None:
        """An order group, made and looked at."""
        made = await self.client.create_order_group(contracts_limit=10)
        self.saw["group"] = (await self.client.get_order_group(made.order_group_id)).is_auto_cancel_enabled

    async def stream(self) -> None:
        """The handshake with the SDK's own headers, and a book."""
        headers = self.client.kalshi_auth.create_auth_headers("GET", self.ws_url.replace("ws", "http", 1))
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.ws_url, headers=headers) as line,
        ):
            params = {"channels": ["orderbook_delta"], "market_tickers": [self.chosen.ticker]}
            await line.send_json({"id": 1, "cmd": "subscribe", "params": params})
            self.saw["frames"] = [(await line.receive_json())["type"] for _ in range(2)]

    async def settled(self) -> None:
        """Wait for the end of the game, and for the money."""
        page = await self.until(
            self.client.get_settlements, lambda page: page.settlements, ticker=self.chosen.ticker
        )
        row = page.settlements[0]
        self.saw["settlement"] = [row.market_result, row.yes_count_fp, row.revenue]

    async def until(self, read: Any, good: Any = lambda _: True, **arguments: Any) -> Any:
        """What ``read`` gives once it is ``good``: reads lag behind writes, and games take their time."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = await read(**arguments)
                if good(answer):
                    return answer
            except sdk.NotFoundException:
                pass
            if time.monotonic() > end:
                raise TimeoutError(read.__name__)
            await asyncio.sleep(0.1)


async def main(base_url: str, ws_url: str, key_id: str, *steps: str) -> None:
    """The steps, one after the other."""
    member = Member(base_url, ws_url, key_id, sys.stdin.read())
    try:
        for step in steps:
            await getattr(member, step)()
    finally:
        await member.client.close()
    sys.stdout.write(json.dumps(member.saw))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
