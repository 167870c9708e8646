"""A system that is not running, behind its API on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from shared.config import Secret
from shared.runtime.local import LocalSystem
from shared.service.alerts import Alerter
from shared.service.api import serving
from shared.service.desk import Desk
from shared.service.redact import Redactor
from shared.service.watch import Watcher
from tests.support.backends import rng
from tests.support.rig import parts, system

TOKEN = "a-token-for-tests-0123456789"
HALT = {"reason": "a storm", "actor": "ann"}
BODIES = {"/halt": HALT, "/resume": {"reason": "over", "actor": "ann", "confirm": "a storm"}}


@dataclass
class Api:
    """A client of one API."""

    system: LocalSystem
    port: int
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {TOKEN}"})

    async def ask(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Status and decoded body; the right token unless ``headers`` are given."""
        given.setdefault("headers", self.headers)
        async with self.session.request(method, f"http://127.0.0.1:{self.port}{path}", **given) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def get(self, path: str, **given: Any) -> tuple[int, Any]:
        return await self.ask("GET", path, **given)

    async def post(self, path: str, body: object, **given: Any) -> tuple[int, Any]:
        return await self.ask("POST", path, json=body, **given)

    async def raw(self, data: bytes) -> bytes:
        """What comes back for these bytes, until the server closes or half a second has passed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        found = b""
        try:
            async with asyncio.timeout(0.5):
                while chunk := await reader.read(65_536):
                    found += chunk
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return found


def desk_of(made: LocalSystem) -> Desk:
    clock = made.parts.clock
    alerter = Alerter([], clock, lambda: 0.5, Redactor())
    return Desk(made, rng(0), alerter, Watcher(made, clock, alerter.take).look)


@asynccontextmanager
async def running_api(folder: Path) -> AsyncIterator[Api]:
    made = system(parts(folder))
    await made.parts.execution.stored.open(made.parts.bankroll)
    async with serving(desk_of(made), Secret(TOKEN), 0) as port, aiohttp.ClientSession() as session:
        yield Api(made, port, session)
    await made.parts.bus.close()
    await made.parts.warehouse.close()
    await made.parts.documents.close()
    await made.parts.resources.aclose()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as made:
        yield made


def code(answer: tuple[int, Any]) -> tuple[int, str]:
    """Status, and the word of the refusal."""
    status, body = answer
    assert set(body) == {"error"}
    assert body["error"]["message"]
    return status, body["error"]["code"]
