"""Safeguards: halt, breakers, cooldowns and canary, put into the view that the controls judge by."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.risk.canary import CLEAN_FILLS, ONE_CONTRACT, Canary
from shared.risk.controls import RiskView


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What stands around the account for one order at one moment.

    ``generation`` names what canary mode wants proved (see :mod:`shared.risk.canary`); ``probing`` are the
    breakers this order probes, ``open_breakers`` the reasons of those that refuse it.
    """

    halted: str
    generation: str
    open_breakers: tuple[str, ...] = ()
    cooling: tuple[str, ...] = ()
    probing: tuple[str, ...] = ()
    clean_fills_needed: int = CLEAN_FILLS

    def over(self, view: RiskView, canary: Canary) -> RiskView:
        """``view`` with these safeguards and the proof so far."""
        cap = ONE_CONTRACT if self.probing else canary.cap(self.generation, self.clean_fills_needed)
        return replace(
            view,
            halted=self.halted or view.halted,
            open_breakers=self.open_breakers,
            cooling=self.cooling,
            max_quantity=cap,
            proving=self._proving(canary) if cap is not None else "",
        )

    def _proving(self, canary: Canary) -> str:
        if self.probing:
            return f"{', '.join(self.probing)} is probed"
        clean = canary.of(self.generation).clean
        return f"{self.generation} has {clean} of {self.clean_fills_needed} clean fills"
