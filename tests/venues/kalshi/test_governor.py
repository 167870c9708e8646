"""Our token buckets against the exchange's own: whatever is asked in whatever order, it never says 429."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.errors import RateLimitedError
from shared.simulator.limits import Limits, Rate
from shared.venues.http import Params, Response
from shared.venues.kalshi.order_wire import OrderRef
from tests.simulator.bench import quoted
from tests.venues.kalshi.desk import BenchTransport, TradingDesk

_TIERS = (
    Limits(),
    Limits("advanced", Rate(300, 900), Rate(300, 900)),
    # No tier is below the first, which our buckets assume until they are told.
    Limits("odd", Rate(231, 237), Rate(107, 113)),
)


class Counting(BenchTransport):
    """Keeps the status of every answer."""

    statuses: list[int]

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        answer = await super().request(method, url, headers=headers, params=params, body=body)
        self.statuses.append(answer.status)
        return answer


class Governor(RuleBasedStateMachine):
    """A member who asks for everything as fast as it is let."""

    @initialize(tier=st.sampled_from(_TIERS))
    def join(self, tier: Limits) -> None:
        self.desk = TradingDesk(quoted(5, limits=tier))
        self.wire = Counting(self.desk.bench)
        self.wire.statuses = []
        self.desk.client._transport = self.wire
        self.markets = [self.desk.bench.empty("NFL"), self.desk.bench.empty("NBA")]
        self.refs: list[OrderRef] = []
        self.said: list[str] = []
        asyncio.run(self.desk.client.account_limits())

    @rule(which=st.sampled_from((0, 1)), times=st.integers(1, 12))
    def create(self, which: int, times: int) -> None:
        for _ in range(times):
            try:
                self.refs.append(asyncio.run(self.desk.rest(self.markets[which])))
            except RateLimitedError as exc:
                self.said.append(str(exc))

    @rule(times=st.integers(1, 30))
    def cancel(self, times: int) -> None:
        for ref in self.refs[:times]:
            asyncio.run(self.desk.trading.cancel(ref))
        del self.refs[:times]

    @rule(which=st.sampled_from((0, 1)), times=st.integers(8, 15))
    def place_and_take_back(self, which: int, times: int) -> None:
        first = len(self.refs)
        self.create(which, times)
        for ref in self.refs[first:]:
            asyncio.run(self.desk.trading.cancel(ref))
        del self.refs[first:]

    @rule(size=st.integers(1, 12))
    def cancel_a_batch(self, size: int) -> None:
        if self.refs:
            asyncio.run(self.desk.trading.cancel_batch(self.refs[:size]))
            del self.refs[:size]

    @rule(times=st.integers(1, 40))
    def read(self, times: int) -> None:
        for _ in range(times):
            asyncio.run(self.desk.portfolio.orders(status="resting"))

    @rule(times=st.integers(1, 20))
    def read_one(self, times: int) -> None:
        self.desk.bench.wait(1)
        for ref in self.refs[:times]:
            asyncio.run(self.desk.portfolio.order(ref))

    @rule(times=st.integers(1, 3))
    def balance(self, times: int) -> None:
        for _ in range(times):
            asyncio.run(self.desk.portfolio.balance())

    @rule(times=st.integers(1, 70))
    def look(self, times: int) -> None:
        for _ in range(times):
            asyncio.run(self.desk.client.status())

    @rule(millis=st.integers(1, 3000))
    def pause(self, millis: int) -> None:
        self.desk.bench.wait(millis / 1000)

    @invariant()
    def the_exchange_never_says_it_is_too_much(self) -> None:
        if hasattr(self, "wire"):
            assert 429 not in self.wire.statuses

    @invariant()
    def an_order_that_would_be_too_much_is_not_sent(self) -> None:
        assert all("not sent" in text for text in getattr(self, "said", ()))


TestGovernor = Governor.TestCase
TestGovernor.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
