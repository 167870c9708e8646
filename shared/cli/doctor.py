"""``arb doctor``: everything a run needs, checked one by one, each green, yellow or red with the fix."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import SystemRandom

from shared.backends.local.secrets import KALSHI_KILL_PRIVATE_KEY, KALSHI_PRIVATE_KEY, SettingsSecrets
from shared.cli.output import Styled, console, errors, print_json, table
from shared.clock import SystemClock
from shared.config import Settings, load
from shared.errors import ArbError, OperatorError
from shared.findings import Finding, Report, State
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.access import read_access
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.examine import Examination, examine
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.kalshi.stream import AiohttpConnect
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry

_MIN_FREE_BYTES = 1_000_000_000
_FEW_CREDITS = 50
_MARKS = {
    State.OK: Styled("[green]ok[/]"),
    State.WARN: Styled("[yellow]warn[/]"),
    State.BAD: Styled("[red]bad[/]"),
}


Check = Callable[[Settings, AsyncExitStack], Awaitable[list[Finding]]]


def doctor_command(json: bool) -> int:
    """Run every check; 1 if any is red."""
    settings = load()
    with errors.status("checking"):
        report = asyncio.run(examine_all(settings))
    if json:
        print_json(
            [{"check": f.check, "state": f.state, "found": f.found, "fix": f.fix} for f in report.findings]
        )
    else:
        rows = [(f.check, _MARKS[f.state], f.found, f.fix) for f in report.findings]
        console.print(table("", ("check", "", "found", "what to do"), rows))
        if settings.demo:
            console.print("no exchange key is set: [bold]arb run[/] trades on paper against the simulator")
    return int(not report.is_green)


async def examine_all(settings: Settings) -> Report:
    """Every check of a run with these settings."""
    findings: list[Finding] = []
    async with AsyncExitStack() as resources:
        for check in (_python, _storage, _exchange, _kill_key, _feed, _emulators):
            name = check.__name__.strip("_").replace("_", " ")
            try:
                findings += await check(settings, resources)
            except OperatorError as exc:
                findings.append(Finding(name, State.BAD, str(exc)))
            except (ArbError, OSError) as exc:
                finding = Finding(name, State.BAD, str(exc), "check the address and the network")
                findings.append(_not_needed(finding) if settings.demo else finding)
    return Report(tuple(findings))


async def _python(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    return [Finding("python", State.OK, f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")]


async def _storage(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    folder = _existing(settings.data_dir)
    if not os.access(folder, os.W_OK):
        fix = "set DATA_DIR to a folder of yours"
        return [Finding("storage", State.BAD, f"{folder} cannot be written", fix)]
    free = shutil.disk_usage(folder).free
    state = State.OK if free >= _MIN_FREE_BYTES else State.WARN
    fix = "" if state == State.OK else "history grows by about 1 GB a month: make room or move DATA_DIR"
    return [Finding("storage", state, f"{settings.data_dir}: {free / 1e9:.1f} GB free", fix)]


def _existing(folder: Path) -> Path:
    path = folder.resolve()
    while not path.exists():
        path = path.parent
    return path


async def _exchange(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    """The exchange, and with a key everything about our account there."""
    transport = AiohttpTransport()
    resources.push_async_callback(transport.close)
    clock = SystemClock()
    series = [f"KX{league.upper()}GAME" for league in settings.leagues]
    if settings.demo:
        report = await examine(Examination(_kalshi(settings, transport, None), clock, series=series))
        fix = "set KALSHI_KEY_ID and KALSHI_PRIVATE_KEY_PATH in .env"
        return [*map(_not_needed, report.findings), Finding("exchange key", State.WARN, "none", fix)]
    key = load_private_key(await SettingsSecrets(settings).get(KALSHI_PRIVATE_KEY))
    signer = Signer(settings.kalshi_key_id, key)
    connect = AiohttpConnect(settings.kalshi_ws_url, signer, clock)
    resources.push_async_callback(connect.close)
    client = _kalshi(settings, transport, signer)
    account = Examination(client, clock, settings.kalshi_key_id, key, connect, series)
    return list((await examine(account)).findings)


def _not_needed(finding: Finding) -> Finding:
    """Without keys the demo runs, and it needs no network."""
    if finding.state is not State.BAD:
        return finding
    return replace(finding, state=State.WARN, fix=f"{finding.fix}; the demo needs neither")


async def _kill_key(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    if settings.demo:
        return []
    if not settings.kalshi_kill_key_id:
        fix = "set KALSHI_KILL_KEY_ID and KALSHI_KILL_PRIVATE_KEY_PATH to a key that no other program has"
        return [Finding("kill key", State.WARN, "none: arb kill uses the trading key", fix)]
    key = load_private_key(await SettingsSecrets(settings).get(KALSHI_KILL_PRIVATE_KEY))
    transport = AiohttpTransport()
    resources.push_async_callback(transport.close)
    client = _kalshi(settings, transport, Signer(settings.kalshi_kill_key_id, key))
    held = (await read_access(client)).keys.get(settings.kalshi_kill_key_id)
    if held is None or not (held.may_read and held.may_trade):
        fix = "make a key with the scopes read and write::trade"
        return [Finding("kill key", State.BAD, "accepted, but may not read and cancel orders", fix)]
    return [Finding("kill key", State.OK, "accepted, may read and cancel")]


async def _feed(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    if not settings.odds_api_key:
        fix = "set ODDS_API_KEY in .env: without it nothing is priced"
        return [Finding("odds key", State.WARN, "none", fix)]
    transport = AiohttpTransport()
    resources.push_async_callback(transport.close)
    clock = SystemClock()
    client = OddsApiClient(
        transport,
        clock,
        Retry(clock, SystemRandom().random, first_s=2.0),
        base_url=settings.odds_api_base_url,
        key=settings.odds_api_key,
    )
    sports = await client.sports()
    left = client.ledger.available if client.ledger is not None else None
    state = State.OK if left is None or left >= _FEW_CREDITS else State.WARN
    fix = "" if state == State.OK else "raise the plan, or lower ODDS_DAILY_CREDITS"
    remaining = "unknown" if left is None else f"{left:,}"
    return [Finding("odds key", state, f"accepted, {len(sports)} sports, credits left: {remaining}", fix)]


async def _emulators(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    found = [name for name in ("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST") if os.environ.get(name)]
    text = ", ".join(found) if found else "none set; not needed for BACKEND=local"
    return [Finding("emulators", State.OK, text)]


def _kalshi(settings: Settings, transport: AiohttpTransport, signer: Signer | None) -> KalshiClient:
    clock = SystemClock()
    retry = Retry(clock, SystemRandom().random)
    return KalshiClient(transport, clock, retry, base_url=settings.kalshi_base_url, signer=signer)
