"""``arb doctor``: everything a run needs, checked one by one, each green, yellow or red with the fix."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import SystemRandom

from shared.backends.local.secrets import KALSHI_PRIVATE_KEY, SettingsSecrets
from shared.cli.output import Styled, console, errors, escape, print_json, table
from shared.clock import SECOND, SystemClock, from_datetime
from shared.config import Settings, load
from shared.errors import ArbError, OperatorError
from shared.venues.http import AiohttpTransport
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.sign import Signer, load_private_key
from shared.venues.odds_api.client import OddsApiClient
from shared.venues.retry import Retry

OK, WARN, BAD = "ok", "warn", "bad"

_MIN_FREE_BYTES = 1_000_000_000
# Signed requests were accepted up to 10 s off and refused at 25 s; one second is what NTP keeps.
_SKEW_WARN_S, _SKEW_BAD_S = 1.0, 5.0
_FEW_CREDITS = 50
_MARKS = {OK: Styled("[green]ok[/]"), WARN: Styled("[yellow]warn[/]"), BAD: Styled("[red]bad[/]")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do about it."""

    check: str
    state: str
    found: str
    fix: str = ""


Check = Callable[[Settings, AsyncExitStack], Awaitable[list[Finding]]]


def doctor_command(json: bool) -> int:
    """Run every check; 1 if any is red."""
    settings = load()
    with errors.status("checking"):
        findings = asyncio.run(_examine(settings))
    if json:
        print_json([{"check": f.check, "state": f.state, "found": f.found, "fix": f.fix} for f in findings])
    else:
        rows = [(f.check, _MARKS[f.state], f.found, f.fix) for f in findings]
        console.print(table("", ("check", "", "found", "what to do"), rows))
        if settings.demo:
            console.print("no exchange key is set: [bold]arb run[/] trades on paper against the simulator")
    return int(any(finding.state == BAD for finding in findings))


async def _examine(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    async with AsyncExitStack() as resources:
        for check in (_python, _storage, _exchange, _account, _feed, _emulators):
            try:
                findings += await check(settings, resources)
            except OperatorError as exc:
                findings.append(Finding(check.__name__.strip("_"), BAD, escape(str(exc))))
            except (ArbError, OSError) as exc:
                # Without keys the demo runs, and it needs no network.
                state = WARN if settings.demo else BAD
                fix = "check the address and the network" + (
                    "; the demo needs neither" if settings.demo else ""
                )
                findings.append(Finding(check.__name__.strip("_"), state, escape(str(exc)), fix))
    return findings


async def _python(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    return [Finding("python", OK, f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")]


async def _storage(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    folder = _existing(settings.data_dir)
    if not os.access(folder, os.W_OK):
        return [Finding("storage", BAD, f"{folder} cannot be written", "set DATA_DIR to a folder of yours")]
    free = shutil.disk_usage(folder).free
    state = OK if free >= _MIN_FREE_BYTES else WARN
    fix = "" if state == OK else "history grows by about 1 GB a month: make room or move DATA_DIR"
    return [Finding("storage", state, f"{settings.data_dir}: {free / 1e9:.1f} GB free", fix)]


def _existing(folder: Path) -> Path:
    path = folder.resolve()
    while not path.exists():
        path = path.parent
    return path


async def _exchange(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    transport = AiohttpTransport()
    resources.push_async_callback(transport.close)
    clock = SystemClock()
    address = f"{settings.kalshi_base_url}/exchange/status"
    response = await transport.request("GET", address)
    findings = [_skew(response.headers.get("date"), clock)]
    status = await _kalshi(settings, transport, None).status()
    active = status.exchange_active and status.trading_active
    found = "open for trading" if active else "paused"
    fix = "" if active else "wait: there is a weekly pause on Thursday 03:00-05:00 Eastern"
    return [Finding("exchange", OK if active else WARN, found, fix), *findings]


def _skew(date: str | None, clock: SystemClock) -> Finding:
    if date is None:
        return Finding("clock", WARN, "the exchange sent no date to compare with")
    offset = (clock.now() - from_datetime(parsedate_to_datetime(date))) / SECOND
    # The header has whole seconds: half a second of offset is its rounding.
    offset = max(0.0, abs(offset) - 1.0) * (1 if offset > 0 else -1)
    state = OK if abs(offset) < _SKEW_WARN_S else WARN if abs(offset) < _SKEW_BAD_S else BAD
    fix = "" if state == OK else "switch on time synchronisation (NTP): signed requests are refused when off"
    return Finding("clock", state, f"{offset:+.1f} s against the exchange", fix)


async def _account(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    if settings.demo:
        return [
            Finding("exchange key", WARN, "none", "set KALSHI_KEY_ID and KALSHI_PRIVATE_KEY_PATH in .env")
        ]
    key = load_private_key(await SettingsSecrets(settings).get(KALSHI_PRIVATE_KEY))
    transport = AiohttpTransport()
    resources.push_async_callback(transport.close)
    client = _kalshi(settings, transport, Signer(settings.kalshi_key_id, key))
    limits = await client.account_limits()
    found = f"accepted, tier {limits.usage_tier or 'unknown'}, {limits.read.refill_rate} read tokens/s"
    return [Finding("exchange key", OK, found)]


async def _feed(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    if not settings.odds_api_key:
        return [Finding("odds key", WARN, "none", "set ODDS_API_KEY in .env: without it nothing is priced")]
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
    state = OK if left is None or left >= _FEW_CREDITS else WARN
    fix = "" if state == OK else "raise the plan, or lower ODDS_DAILY_CREDITS"
    remaining = "unknown" if left is None else f"{left:,}"
    return [Finding("odds key", state, f"accepted, {len(sports)} sports, credits left: {remaining}", fix)]


async def _emulators(settings: Settings, resources: AsyncExitStack) -> list[Finding]:
    found = [name for name in ("PUBSUB_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST") if os.environ.get(name)]
    text = ", ".join(found) if found else "none set; not needed for BACKEND=local"
    return [Finding("emulators", OK, text)]


def _kalshi(settings: Settings, transport: AiohttpTransport, signer: Signer | None) -> KalshiClient:
    clock = SystemClock()
    retry = Retry(clock, SystemRandom().random)
    return KalshiClient(transport, clock, retry, base_url=settings.kalshi_base_url, signer=signer)
