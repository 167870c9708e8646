"""What can go wrong with a venue, as switches: off by default, each drawn from its own seeded stream.

Switches are for both venues and for a quick try; what must happen at a certain time or to a certain request
of the exchange is written as a scenario: see :mod:`shared.simulator.scenario`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import msgspec

from shared.clock import SECOND
from shared.simulator.plan import Plan
from shared.simulator.scenario import Kind
from shared.simulator.web import Json, Reply, Request, reply

_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Faults:
    """Shares are probabilities per request or per message; every field may be changed while a server runs."""

    seed: int = 0
    only: str = ""  # restrict HTTP faults to paths that contain this text
    latency_s: float = 0.0  # added to every HTTP answer, in the clock's seconds
    error_share: float = 0.0  # 503 before anything is done
    html_share: float = 0.0  # 502 with an HTML body
    throttle_share: float = 0.0  # 429
    truncate_share: float = 0.0  # 200 whose body stops half way
    lost_reply_share: float = 0.0  # executed, then 503: outcome unknown
    no_order_id_share: float = 0.0  # a 2xx create without order_id
    extra_fields: bool = False  # unknown members in JSON objects
    unknown_enums: bool = False  # values no client has seen in status, fee_type and strike_type
    listing_cache_s: int = 15  # age that /markets, /events and /series may reach
    read_lag_s: float = 0.5  # age of the account in GET /portfolio/*
    out_of_credits: bool = False  # odds feed: OUT_OF_USAGE_CREDITS
    ws_drop_share: float = 0.0  # per outgoing frame: the connection dies
    ws_gap_share: float = 0.0  # per sequenced frame: its number is used, the frame never sent
    ws_lost_private_share: float = 0.0  # per private frame: never sent
    plan: Plan | None = field(default=None, repr=False)  # the scenario in force
    _streams: dict[str, random.Random] = field(default_factory=dict, repr=False)

    @property
    def lag_s(self) -> float:
        """How old the account is in reads now, by the scenario or by the switch."""
        fault = self.plan.now_in_force(Kind.READ_LAG) if self.plan else None
        return self.read_lag_s if fault is None else fault.seconds

    @property
    def skew(self) -> int:
        """Microseconds the exchange's clock is ahead."""
        fault = self.plan.now_in_force(Kind.SKEW) if self.plan else None
        return 0 if fault is None else round(fault.seconds * SECOND)

    def strikes(self, name: str) -> bool:
        """Whether the fault ``name`` (a ``…_share`` field without its suffix) happens now."""
        share: float = getattr(self, f"{name}_share")
        if share <= 0:
            return False
        stream = self._streams.setdefault(name, random.Random(f"{self.seed}/{name}"))  # noqa: S311 - a simulation
        return stream.random() < share

    def before(self, request: Request) -> Reply | None:
        """An answer that comes instead of the real one, nothing having been done."""
        if self.only not in request.path:
            return None
        if self.strikes("error"):
            return reply({"error": {"code": "service_unavailable", "message": "service unavailable"}}, 503)
        if self.strikes("html"):
            return Reply(502, _HTML, {"content-type": "text/html"})
        if self.strikes("throttle"):
            return reply({"error": {"code": "too_many_requests", "message": "too many requests"}}, 429)
        return None

    def after(self, request: Request, answer: Reply) -> Reply:
        """What becomes of the real answer on its way."""
        if self.only not in request.path:
            return answer
        if request.method != "GET" and self.strikes("lost_reply"):
            return Reply(503, b"", {"content-type": "text/plain"})
        if request.method == "POST" and answer.status == 201 and self.strikes("no_order_id"):
            return reply({"msg": "accepted"}, 200)
        if self.extra_fields or self.unknown_enums:
            answer = self._strange(answer)
        if self.strikes("truncate"):
            return Reply(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
        return answer

    def _strange(self, answer: Reply) -> Reply:
        try:
            body = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            return answer
        return Reply(answer.status, msgspec.json.encode(self._twist(body)), answer.headers)

    def _twist(self, value: object) -> object:
        if isinstance(value, list):
            return [self._twist(item) for item in value]
        if not isinstance(value, dict):
            return value
        twisted: Json = {key: self._twist(item) for key, item in value.items()}
        if self.unknown_enums:
            strange = {"status": "hibernating", "fee_type": "cubic", "strike_type": "fuzzy"}
            twisted |= {key: strange[key] for key in strange if isinstance(twisted.get(key), str)}
        if self.extra_fields:
            twisted["x_new_field"] = {"nested": [1, "two", None]}
        return twisted
