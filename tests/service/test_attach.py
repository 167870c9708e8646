"""What stands beside a run: it starts with it, tells of its end, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from shared.config import Secret, Settings, load
from shared.errors import ConfigError, CredentialsError
from shared.execution import halt
from shared.runtime.local import LocalSystem
from shared.service.attach import attached
from shared.service.redact import Redactor
from tests.service.conftest import TOKEN
from tests.support.backends import rng
from tests.support.rig import history, parts, run_until, system


@dataclass
class Hook:
    """A webhook's other end."""

    url: str = ""
    texts: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.texts.append((await request.json())["text"])
        return web.Response()


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    made, app = Hook(), web.Application()
    app.router.add_post("/hidden-part", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hidden-part"
    yield made
    await runner.cleanup()


def settings(webhook: str = "", port: int | None = None) -> Settings:
    """``webhook`` is on the loopback address, which only :func:`load` refuses."""
    return msgspec.structs.replace(
        load({}, None), api_port=port, api_token=Secret(TOKEN), alert_webhook_url=Secret(webhook)
    )


@pytest.fixture
def made(tmp_path: Path) -> LocalSystem:
    return system(parts(tmp_path))


async def test_the_api_answers_while_the_system_runs_and_not_after(made: LocalSystem) -> None:
    async with aiohttp.ClientSession() as session:
        async with attached(made, settings(port=0), Redactor()) as port:
            url = f"http://127.0.0.1:{port}/health"
            await run_until(made, lambda: "listing" in made.parts.stats.alerts)
            async with session.get(url) as answer:
                assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)


async def test_without_a_port_nothing_listens(made: LocalSystem) -> None:
    async with attached(made, settings(), Redactor()) as port:
        assert port is None
        await run_until(made, lambda: "listing" in made.parts.stats.alerts)


async def test_what_ends_a_run_is_told_before_the_process_leaves(made: LocalSystem) -> None:
    async def refused() -> None:
        raise CredentialsError("the key was refused (401)")

    made._listing = refused  # type: ignore[method-assign]
    async with hook() as end:
        with pytest.raises(CredentialsError):
            async with attached(made, settings(end.url), Redactor()):
                await made.run()
    [text] = end.texts
    assert text.startswith("CRITICAL")
    assert "the run has ended: the key was refused (401)" in text


async def test_a_halt_in_a_run_reaches_a_person_and_history(made: LocalSystem, tmp_path: Path) -> None:
    await halt.halt(made.parts.documents, made.parts.clock, rng(0), "a storm", "ann")
    async with hook() as end, attached(made, settings(end.url), Redactor()):
        # An exchange that is down is told of too, in whatever order.
        await run_until(made, lambda: any("trading stopped by ann: a storm" in text for text in end.texts))
    assert {row["code"] for row in history(tmp_path, "SELECT code FROM alerts")} >= {"halted"}


async def test_a_webhook_that_is_down_delays_the_end_by_seconds_only(
    made: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.service.attach._LAST_ALERTS_S", 0.05)
    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError):
            async with attached(made, settings("http://127.0.0.1:9/x"), Redactor()):
                raise ZeroDivisionError
    await made.parts.bus.close()
    await made.parts.warehouse.close()
    await made.parts.documents.close()


async def test_a_taken_port_ends_it_before_the_run_begins(made: LocalSystem) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot listen"):
        async with attached(made, settings(port=taken.getsockname()[1]), Redactor()):
            pass
    await made.parts.bus.close()
    await made.parts.warehouse.close()
    await made.parts.documents.close()
