"""The simulation's own endpoints, beside the venues': put a scenario in force, read what is true.

Only for the machine it runs on: callers from elsewhere, and pages in a browser, are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.errors import ConfigError
from shared.simulator import scenario
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.tickets import Refusal
from shared.simulator.truth import truth
from shared.simulator.web import Query, Reply, Request, Route, Router, reply

PREFIX = "/sim"


class ControlApi:
    """Answers requests under ``/sim``; ``key_id`` names the member asked about where the query does not."""

    def __init__(self, kalshi: KalshiApi, key_id: str) -> None:
        self._kalshi = kalshi
        self._key_id = key_id
        table: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", "/scenario", self.current),
            ("PUT", "/scenario", self.play),
            ("DELETE", "/scenario", self.stop),
            ("GET", "/truth", self.truth),
        ]
        self._router = Router([Route(method, path, handler) for method, path, handler in table])

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        try:
            _check(request)
            found = self._router.find(request.method, request.path.removeprefix(PREFIX))
            if found is None:
                raise Refusal(404, "not_found", "GET, PUT or DELETE /sim/scenario, GET /sim/truth")
            return found[0].handler(request, Query(request.query))
        except Refusal as refusal:
            return reply({"error": refusal.error}, refusal.status)

    def current(self, _: Request, __: Query) -> Reply:
        """The scenario in force, and how often each of its faults struck."""
        plan = self._kalshi.faults.plan
        if plan is None:
            return reply({"scenario": scenario.Scenario(), "elapsed_s": 0.0, "faults": []})
        return reply({"scenario": plan.scenario, "elapsed_s": plan.elapsed_s, "faults": plan.counts()})

    def play(self, request: Request, _: Query) -> Reply:
        """Put a scenario in force, in place of the one before."""
        try:
            self._kalshi.play(scenario.loads(request.body))
        except ConfigError as exc:
            raise Refusal(400, "invalid_scenario", str(exc)) from None
        return self.current(request, _)

    def stop(self, request: Request, _: Query) -> Reply:
        """End all faults; pauses and halts of the scenario are lifted."""
        self._kalshi.play(scenario.Scenario())
        return self.current(request, _)

    def truth(self, _: Request, query: Query) -> Reply:
        """The exchange's own books about the member of ``key_id``."""
        account = self._kalshi.keys.account(query.one("key_id") or self._key_id)
        if account is None:
            raise Refusal(404, "not_found", "no member has that key_id")
        self._kalshi.advance()
        return reply(truth(self._kalshi.world.exchange, account))


def _check(request: Request) -> None:
    """Raise :class:`Refusal` 403 for whoever is not a program on this machine."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if not _is_loopback(request.peer) or not (host == "localhost" or _is_loopback(host)):
        raise Refusal(403, "forbidden", "only from the machine the simulation runs on")
    if "origin" in request.headers:
        raise Refusal(403, "forbidden", "not from a browser")


def _is_loopback(text: str) -> bool:
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False
