"""Canary mode: after every trip and every deploy, one contract an order until enough fills came out clean.

What has to be proved is named by a *generation*: the deploy and the number of trips so far. A new deploy or
another trip makes a new generation, so the proof starts again by itself, in the same moment as the trip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.errors import ConfigError
from shared.money import LOTS, Quantity
from shared.risk.limits import RiskLimits

# The smallest order that is worth its fees and can be unwound whole.
ONE_CONTRACT = Quantity(LOTS)
CLEAN_FILLS = 5


def generation(deploy: str, trips: int) -> str:
    """Name of what must be proved: this ``deploy``, after this many ``trips``."""
    return f"{deploy}/{trips}"


@dataclass(frozen=True, slots=True)
class Canary:
    """How far one generation has proved itself. ``clean`` counts orders that filled as they should."""

    generation: str = ""
    clean: int = 0

    def of(self, generation: str) -> Canary:
        """The proof of ``generation``: this one, or a new one that starts at nothing."""
        return self if generation == self.generation else Canary(generation)

    def counted(self, generation: str, *, clean: bool) -> Canary:
        """After an order sent under ``generation`` has filled; one that went wrong starts the proof again.

        An order of another generation proves nothing about this one.
        """
        if generation != self.generation:
            return self
        return replace(self, clean=self.clean + 1 if clean else 0)

    def cap(self, generation: str, needed: int = CLEAN_FILLS) -> Quantity | None:
        """Largest order now, ``None`` when the generation has proved itself."""
        return ONE_CONTRACT if self.of(generation).clean < needed else None


def capped(limits: RiskLimits, cap: Quantity | None) -> RiskLimits:
    """``limits`` with orders no larger than ``cap``: for sizing, so that the gate has nothing to refuse."""
    if cap is None:
        return limits
    if cap <= 0:
        raise ConfigError(f"a cap of {cap} lots allows no order; halt instead")
    return replace(limits, max_quantity_per_trade=min(cap, limits.max_quantity_per_trade))
