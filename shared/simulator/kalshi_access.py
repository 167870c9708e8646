"""The exchange's endpoints about access: budgets, what calls cost, the account's keys and their scopes."""

from __future__ import annotations

from typing import Any

from shared.clock import SECOND
from shared.simulator.accounts import Account
from shared.simulator.auth import Keyring
from shared.simulator.limits import Limits, Rate
from shared.simulator.web import Query, Reply, Request, Route, reply

Json = dict[str, Any]
_ORDERS = "/portfolio/events/orders"
_COSTS = (
    ("DELETE", _ORDERS, 2),
    ("DELETE", f"{_ORDERS}/{{order_id}}", 2),
    ("DELETE", f"{_ORDERS}/batched", 2),
    ("GET", "/portfolio/orders/{order_id}", 2),
)


class AccessApi:
    """Handlers; the account comes first."""

    def __init__(self, keys: Keyring, limits: Limits) -> None:
        self._keys = keys
        self._limits = limits

    def routes(self) -> list[Route[Reply]]:
        """Every endpoint."""
        return [
            Route("GET", "/account/limits", self.limits, private=True),
            Route("GET", "/api_keys", self.keys, private=True),
            Route("GET", "/account/endpoint_costs", self.costs),
        ]

    def limits(self, _: Account, __: Request, ___: Query) -> Reply:
        def bucket(rate: Rate) -> Json:
            return {"bucket_capacity": rate.capacity, "refill_rate": rate.refill}

        return reply(
            {
                "grants": [],
                "read": bucket(self._limits.read),
                "usage_tier": self._limits.tier,
                "write": bucket(self._limits.write),
            }
        )

    def keys(self, account: Account, _: Request, __: Query) -> Reply:
        rows = [
            {"api_key_id": key_id, "name": f"key {index}", "scopes": list(scopes)}
            for index, (key_id, scopes) in enumerate(self._keys.of(account), 1)
        ]
        body: Json = {"api_keys": rows}
        if account.region_expires is not None:
            body["api_key_region_expiration_ts"] = account.region_expires // SECOND
        return reply(body)

    def costs(self, _: Request, __: Query) -> Reply:
        rows = [
            {"method": method, "path": f"/trade-api/v2{path}", "cost": cost} for method, path, cost in _COSTS
        ]
        return reply({"default_cost": 10, "endpoint_costs": rows})
