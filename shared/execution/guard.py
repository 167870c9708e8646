"""The guard: asks halt, breakers and cooldowns about one order, at the moment its reservation is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.clock import Clock
from shared.execution.breakers import Breakers
from shared.risk.canary import CLEAN_FILLS, generation
from shared.risk.controls import Proposal
from shared.risk.cooldown import Cooldowns
from shared.risk.safeguards import Safeguards


class OrderGuard:
    """What stands around the account, for orders of one executor through one venue.

    Args:
        halted: why trading is stopped, or empty; not knowing is a reason.
        endpoints: breakers of the endpoints an order goes through; the global one always counts.
        deploy: names the running version: a new one starts in canary mode.
        opportunity_of: opportunity of a client order id, empty when unknown.
    """

    def __init__(
        self,
        halted: Callable[[], str],
        breakers: Breakers,
        cooldowns: Cooldowns,
        clock: Clock,
        endpoints: Sequence[str],
        deploy: str,
        opportunity_of: Callable[[str], str] = lambda _: "",
        clean_fills_needed: int = CLEAN_FILLS,
    ) -> None:
        self._halted, self._breakers, self._cooldowns = halted, breakers, cooldowns
        self._clock, self._endpoints, self._deploy = clock, tuple(endpoints), deploy
        self._opportunity_of, self._needed = opportunity_of, clean_fills_needed

    async def __call__(self, order: Proposal) -> Safeguards:
        """Safeguards for ``order`` now; raises an ``ArbError`` when the breakers cannot be read."""
        board = await self._breakers.board()
        now, order_id = self._clock.now(), order.client_order_id
        opportunity = self._opportunity_of(order_id)
        return Safeguards(
            halted=self._halted(),
            generation=generation(self._deploy, board.trips),
            open_breakers=board.refusals(self._endpoints, order_id, now),
            cooling=self._cooldowns.refusals(order.ticker, order.side, opportunity, now),
            probing=board.stopped(self._endpoints),
            clean_fills_needed=self._needed,
        )
