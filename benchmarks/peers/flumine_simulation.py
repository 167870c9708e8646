"""A flumine simulation over synthetic book changes: ``python flumine_simulation.py EVENTS``.

One market of two runners, one price level changed an event, and a strategy that looks at the best price of
both runners. Prints events per CPU second of the simulation alone.
"""

# The peer is not installed where types are checked.
# mypy: disable-error-code="import-not-found,misc,no-untyped-def,no-any-return,call-arg"
from __future__ import annotations

import json
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from flumine import BaseStrategy, FlumineSimulation, clients
from flumine.streams.betfairhistoricalstream import BetfairHistoricalStream

_START_MS = 1_790_000_000_000
_RUNNERS = (101, 102)
_PRICES = [round(1.5 + 0.02 * step, 2) for step in range(25)]
_MARKET = {
    "bspMarket": False,
    "turnInPlayEnabled": True,
    "persistenceEnabled": True,
    "marketBaseRate": 5.0,
    "eventId": "1",
    "eventTypeId": "7511",
    "numberOfWinners": 1,
    "bettingType": "ODDS",
    "marketType": "MATCH_ODDS",
    "marketTime": "2030-01-01T00:00:00.000Z",
    "suspendTime": "2030-01-01T00:00:00.000Z",
    "openDate": "2030-01-01T00:00:00.000Z",
    "bspReconciled": False,
    "complete": True,
    "inPlay": False,
    "crossMatching": True,
    "runnersVoidable": False,
    "numberOfActiveRunners": 2,
    "betDelay": 0,
    "status": "OPEN",
    "regulators": ["MR_INT"],
    "discountAllowed": True,
    "timezone": "GMT",
    "version": 1,
    "runners": [{"status": "ACTIVE", "sortPriority": n, "id": one} for n, one in enumerate(_RUNNERS, 1)],
}


class Look(BaseStrategy):
    """Compares best prices, as cheap a callback as there is."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.seen = self.tempted = 0

    def check_market_book(self, market, market_book) -> bool:
        return market_book.status != "CLOSED"

    def process_market_book(self, market, market_book) -> None:
        self.seen += 1
        for runner in market_book.runners:
            backs = runner.ex.available_to_back
            best = backs[0] if backs else None
            price = 0.0 if best is None else best["price"] if isinstance(best, dict) else best.price
            if price > 10:
                self.tempted += 1


def write(path: Path, events: int) -> None:
    """The stream file: a market definition, then one changed level a line."""
    rng = random.Random(7)  # noqa: S311 - figures, not secrets
    image = [{"id": one, "atb": [[p, 100.0] for p in _PRICES[:12]], "atl": []} for one in _RUNNERS]
    lines = [_line(_START_MS, {"marketDefinition": _MARKET, "rc": image, "img": True})]
    for number in range(1, events):
        change = [rng.choice(_PRICES), float(rng.randrange(0, 500))]
        lines.append(_line(_START_MS + number, {"rc": [{"id": rng.choice(_RUNNERS), "atb": [change]}]}))
    path.write_text("\n".join(lines) + "\n")


def _line(at: int, change: dict[str, object]) -> str:
    return json.dumps({"op": "mcm", "clk": str(at), "pt": at, "mc": [{"id": "1.1", **change}]})


def main(events: int) -> None:
    """Write the file, simulate, print."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "1.1"
        write(path, events)
        framework = FlumineSimulation(client=clients.SimulatedClient())
        stream = BetfairHistoricalStream(file_path=str(path))
        framework.add_stream(stream)
        strategy = Look(stream=stream)
        framework.add_strategy(strategy)
        started = time.process_time()
        framework.run()
        took = time.process_time() - started
    print(json.dumps({"events": strategy.seen, "per_s": strategy.seen / took}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
