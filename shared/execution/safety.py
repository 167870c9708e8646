"""Safety: halt, breakers, cooldowns and canary of one executor through one venue, moved by what happens.

Every outcome of an order is counted at its endpoint's tripwire; what is too much opens the endpoint's
breaker, whose transitions are published. A market where something went wrong rests for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.clock import SECOND, Clock, Instant
from shared.errors import ArbError
from shared.execution.account import Account
from shared.execution.breakers import Breakers
from shared.execution.gateway import CROSSED, Accepted, Outcome, Rejected, Unknown
from shared.execution.guard import OrderGuard
from shared.messages import BreakerMoved, seal
from shared.money import Quantity
from shared.ports import Bus
from shared.risk.board import GLOBAL
from shared.risk.breaker import Transition
from shared.risk.canary import CLEAN_FILLS, ONE_CONTRACT, generation
from shared.risk.controls import Proposal
from shared.risk.cooldown import Cooldowns, market, side
from shared.risk.safeguards import Safeguards
from shared.risk.tripwire import Trip, TripPolicy, Tripwire, difference

_log = logging.getLogger(__name__)

# The endpoint that every order goes through.
ORDERS = "kalshi-orders"
# Refusals that speak of the endpoint's health, not of the order.
_UNHEALTHY = frozenset({"too_many_requests", "venue_down", "service_unavailable", "internal_server_error"})


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """How careful to be. Seconds of the clock.

    ``deploy`` names the running version: a new one starts in canary mode, until ``clean_fills`` orders have
    filled as they should; 0 needs no proof.
    """

    deploy: str
    clean_fills: int = CLEAN_FILLS
    refused_rest_s: float = 60.0
    missed_rest_s: float = 2.0
    trips: TripPolicy = field(default_factory=TripPolicy)


class Safety:
    """What stands around the account for the orders of one executor."""

    def __init__(
        self, account: Account, breakers: Breakers, bus: Bus, clock: Clock, policy: SafetyPolicy
    ) -> None:
        self.breakers, self.cooldowns, self.policy = breakers, Cooldowns(), policy
        self._account, self._bus, self._clock = account, bus, clock
        self._tripwire = Tripwire(policy.trips)
        self._opportunities: dict[str, str] = {}
        self._guard = OrderGuard(
            lambda: account.stopped,
            breakers,
            self.cooldowns,
            clock,
            (ORDERS,),
            policy.deploy,
            lambda order_id: self._opportunities.get(order_id, ""),
            policy.clean_fills,
        )

    async def guard(self, order: Proposal) -> Safeguards:
        """Safeguards for ``order`` now; raises an ``ArbError`` when the breakers cannot be read."""
        return await self._guard(order)

    async def cap(self) -> Quantity | None:
        """Largest order now, ``None`` for the usual limits: for sizing, so that the gate need not refuse.

        While the breakers cannot be read it is the smallest; the gate then says why it refuses.
        """
        try:
            board = await self.breakers.board()
        except (ArbError, OSError):
            return ONE_CONTRACT
        if board.stopped((ORDERS,)):
            return ONE_CONTRACT
        wanted = generation(self.policy.deploy, board.trips)
        return self._account.book.canary.cap(wanted, self.policy.clean_fills)

    async def claim(self, order_id: str, opportunity_id: str) -> bool:
        """Before an order is judged: make it the probe of what is open, if one is due; true if it is one."""
        self._opportunities[order_id] = opportunity_id
        try:
            if not (await self.breakers.board()).stopped((ORDERS,)):
                return False
            claim = await self.breakers.claim((ORDERS,), order_id)
            await self._tell(claim.moved)
            return not claim.refusals
        except (ArbError, OSError):
            return False  # the guard meets the same, and its refusal says what it was

    async def unclaim(self, order_id: str, was_probe: bool) -> None:
        """An order was refused before it was sent."""
        self._opportunities.pop(order_id, None)
        if was_probe:
            await self.breakers.unclaim(order_id)

    async def happened(self, order: Proposal, outcome: Outcome, latency_us: int) -> None:
        """Count an outcome; whatever is too much opens the breaker."""
        now = self._clock.now()
        order_id = order.client_order_id
        match outcome:
            case Accepted(fills=fills, remaining=remaining):
                trip = self._tripwire.succeeded(latency_us)
                if not fills and not remaining:
                    until = _later(now, self.policy.missed_rest_s)
                    self.cooldowns.start(side(order.ticker, order.side), until, "the offer was gone", now)
            case Rejected(code, reason):
                unhealthy = code in _UNHEALTHY
                trip = self._tripwire.failed(reason) if unhealthy else self._tripwire.succeeded(latency_us)
                if code != CROSSED:
                    until = _later(now, self.policy.refused_rest_s)
                    self.cooldowns.start(market(order.ticker), until, f"{code}: {reason}", now)
            case Unknown(reason):
                trip = self._tripwire.unknown(reason, now)
        moved = await self.breakers.ended(order_id, _failure(outcome))
        self._opportunities.pop(order_id, None)
        await self._tell(moved)
        await self.trip(ORDERS, trip)

    async def differ(self, what: str) -> None:
        """Something at the venue is not as we have it: for cause, a person must look."""
        await self.trip(GLOBAL, difference(what))

    async def trip(self, name: str, trip: Trip | None) -> None:
        """Open a breaker, if there is a reason to."""
        if trip is not None:
            await self._tell(await self.breakers.trip(name, trip))

    async def _tell(self, transitions: Sequence[Transition]) -> None:
        """Tell of moves that are made and kept; a bus that does not answer takes nothing from them."""
        for one in transitions:
            try:
                await self._bus.publish(BreakerMoved.TOPIC, [moved_message(one)])
            except (ArbError, OSError) as exc:
                _log.warning("a breaker moved, and history cannot be told: %s", exc)


def moved_message(one: Transition) -> BreakerMoved:
    """A transition for history and alerts."""
    return seal(
        BreakerMoved(
            observed_at=one.at,
            breaker=one.breaker,
            before=one.before.value,
            after=one.after.value,
            cause=one.causes[-1].value if one.causes else "",
            causes=tuple(cause.value for cause in one.causes),
            reason=one.reason,
            actor=one.actor,
            at=one.at,
        )
    )


def _failure(outcome: Outcome) -> str:
    """Why a probe went wrong, empty when it did not: a refusal that speaks of the order is an answer too."""
    match outcome:
        case Unknown(reason):
            return reason
        case Rejected(code, reason) if code in _UNHEALTHY:
            return reason
    return ""


def _later(now: Instant, seconds: float) -> Instant:
    return Instant(now + int(seconds * SECOND))
