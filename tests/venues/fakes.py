"""A transport that answers from a script, and records what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import ArbError
from shared.venues.http import Params, Response


@dataclass(frozen=True)
class Call:
    """One request as the transport saw it."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: dict[str, str]
    all_params: tuple[tuple[str, str], ...]
    body: bytes | None


Answer = Response | ArbError


@dataclass
class FakeTransport:
    """Answers with ``script`` in order (the last one for ever), or by asking ``decide``."""

    script: list[Answer] = field(default_factory=list)
    decide: Callable[[Call], Answer] | None = None
    calls: list[Call] = field(default_factory=list)

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
        call = Call(method, url, headers or {}, dict(params), tuple(params), body)
        self.calls.append(call)
        answer = self.decide(call) if self.decide else self._scripted()
        if isinstance(answer, ArbError):
            raise answer
        return answer

    async def close(self) -> None:
        return None

    def _scripted(self) -> Answer:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, named, json.dumps(value).encode())
