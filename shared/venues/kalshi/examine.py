"""Examines the exchange and our account there, before anything is traded: green, or red with the fix.

Every check is asked for by itself: one that fails says so and the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from shared.clock import DAY, HOUR, MINUTE, SECOND, Clock, Instant, format_instant, from_datetime
from shared.errors import ArbError, OperatorError, RefusedError, VenueDownError
from shared.findings import Finding, Report, State
from shared.money import format_usd
from shared.venues.kalshi import wire
from shared.venues.kalshi.access import KeyAccess, read_access
from shared.venues.kalshi.client import KalshiClient
from shared.venues.kalshi.hours import next_pause
from shared.venues.kalshi.portfolio import KalshiPortfolio
from shared.venues.kalshi.sign import PrivateKey
from shared.venues.kalshi.stream import Connect, Socket

# Signed requests were accepted up to 10 s off and refused at 25 s; one second is what NTP keeps.
_SKEW_WARN_S, _SKEW_BAD_S = 1.0, 5.0
_FIX_CLOCK = "switch on time synchronisation (NTP): signed requests are refused when off"
_SOON = HOUR
_REGION_WARN = 7 * DAY
_STREAM_S = 10.0
_HELLO = b'{"id":1,"cmd":"list_subscriptions"}'
# Reads were seen to lag by two seconds, on the demo by ten.
_LAG_WARN = 30 * SECOND
_CREATE, _CANCEL = 10, 2  # tokens

Check = Callable[[], Awaitable[list[Finding]]]


@dataclass
class Examination:
    """What is examined, and how to reach it. Without a key only what is public is looked at.

    ``series`` names what will be traded: the shards it lives on must trade and hold cash.
    """

    client: KalshiClient
    clock: Clock
    key_id: str = ""
    key: PrivateKey | None = None
    connect: Connect | None = None
    series: Sequence[str] = ()
    _shards: dict[int, str] = field(default_factory=dict)

    def checks(self) -> list[tuple[str, Check]]:
        """Names and checks, in the order a person mends them."""
        public: list[tuple[str, Check]] = [
            ("exchange", self._exchange),
            ("schedule", self._schedule),
            ("shards", self._find_shards),
        ]
        if self.key is None:
            return public
        return [
            *public,
            ("exchange key", self._key),
            ("scopes", self._scopes),
            ("account reads", self._reads),
            ("balance", self._balance),
            *([("stream", self._stream)] if self.connect is not None else []),
        ]

    # --- public --------------------------------------------------------------------------------------------

    async def _exchange(self) -> list[Finding]:
        date = None
        try:
            response = await self.client.call("GET", "/exchange/status", signed=False)
            status = wire.decode(wire.ExchangeStatus, response.body)
            date = response.headers.get("date")
        except VenueDownError:
            status = await self.client.status()  # which reads what it says while it is down
        paused = [
            f"{shard.exchange_index} ({shard.description})"
            for shard in status.exchange_index_statuses or ()
            if not (shard.exchange_active and shard.trading_active)
        ]
        if not (status.exchange_active and status.trading_active) and not paused:
            paused = ["0"]
        found = f"shard {', '.join(paused)} paused" if paused else "open for trading"
        fix = "wait: there is a weekly pause on Thursday 03:00-05:00 Eastern" if paused else ""
        state = State.WARN if paused else State.OK
        return [
            Finding("exchange", state, found, fix),
            skew(date, self.clock.now()),
        ]

    async def _schedule(self) -> list[Finding]:
        now = self.clock.now()
        pause = next_pause(await self.client.schedule(), now)
        if pause is None:
            return [Finding("schedule", State.OK, "no pause within eight days")]
        if pause.begins <= now:
            return [Finding("schedule", State.WARN, f"paused until {format_instant(pause.ends)}", "wait")]
        found = f"next pause {format_instant(pause.begins)} to {format_instant(pause.ends)}"
        if pause.begins - now < _SOON:
            fix = f"{(pause.begins - now) // MINUTE} minutes left: start after it, or let resting orders end"
            return [Finding("schedule", State.WARN, found, fix)]
        return [Finding("schedule", State.OK, found)]

    async def _find_shards(self) -> list[Finding]:
        """Learn where the series live; says nothing unless one cannot be read."""
        for ticker in self.series:
            try:
                shard = (await self.client.series(ticker)).exchange_index
            except RefusedError:
                continue
            if shard is not None:
                self._shards.setdefault(shard, ticker)
        return []

    # --- account -------------------------------------------------------------------------------------------

    async def _key(self) -> list[Finding]:
        kind = f"RSA {self.key.key_size}" if isinstance(self.key, rsa.RSAPrivateKey) else "Ed25519"
        limits = await self.client.account_limits()
        found = (
            f"{kind}, accepted; tier {limits.usage_tier or 'unknown'}: {limits.read.refill_rate} read and "
            f"{limits.write.refill_rate} write tokens/s = {limits.write.refill_rate // _CREATE} creates/s"
        )
        if limits.write.bucket_capacity < _CREATE + _CANCEL:
            fix = "ask the exchange for a tier that can trade"
            return [Finding("exchange key", State.BAD, f"{found}: too few for an order", fix)]
        return [Finding("exchange key", State.OK, found)]

    async def _scopes(self) -> list[Finding]:
        access = await read_access(self.client)
        held = access.keys.get(self.key_id)
        return [_scope(held), _region(access.region_expires, self.clock.now())]

    async def _reads(self) -> list[Finding]:
        as_of = await self.client.user_data_as_of()
        if as_of is None:
            return [Finding("account reads", State.WARN, "the exchange does not say how old they are")]
        lag = max(0, self.clock.now() - as_of)
        state = State.OK if lag < _LAG_WARN else State.WARN
        fix = "" if state is State.OK else "outcomes take as long to be known: wait until it has caught up"
        return [Finding("account reads", state, f"{lag / SECOND:.1f} s behind", fix)]

    async def _balance(self) -> list[Finding]:
        balance = await KalshiPortfolio(self.client, self.clock).balance()
        if balance.by_shard is None:
            return [Finding("balance", State.WARN, f"${format_usd(balance.cash)}; by shard it is not told")]
        told = ", ".join(f"shard {s} ${format_usd(cash)}" for s, cash in sorted(balance.by_shard.items()))
        empty = [s for s in sorted(self._shards) if not balance.by_shard.get(s)]
        if balance.cash <= 0 or (empty and len(empty) == len(self._shards)):
            fix = "deposit, and move cash to the shards that are traded"
            return [Finding("balance", State.BAD, told or "no cash", fix)]
        if empty:
            named = ", ".join(f"{s} ({self._shards[s]})" for s in empty)
            fix = f"move cash to shard {named}: orders there are refused"
            return [Finding("balance", State.WARN, told, fix)]
        return [Finding("balance", State.OK, told)]

    # --- stream --------------------------------------------------------------------------------------------

    async def _stream(self) -> list[Finding]:
        assert self.connect is not None  # noqa: S101 - only then it is a check
        began = self.clock.now()
        socket = await self.connect()
        try:
            await socket.send(_HELLO)
            answered = await self._within(_answered(socket))
        finally:
            await socket.close()
        if not answered:
            return [Finding("stream", State.BAD, "connected, and then silent", "check KALSHI_WS_URL")]
        return [Finding("stream", State.OK, f"answers, {(self.clock.now() - began) / 1000:.0f} ms")]

    async def _within(self, doing: Awaitable[bool]) -> bool:
        task = asyncio.ensure_future(doing)
        alarm = asyncio.ensure_future(self.clock.sleep(_STREAM_S))
        try:
            await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
            return task.done() and await task
        finally:
            for one in (task, alarm):
                one.cancel()
            await asyncio.gather(task, alarm, return_exceptions=True)


async def examine(examination: Examination) -> Report:
    """Make every check; what cannot be asked is bad. The service starts only if the report is green."""
    findings: list[Finding] = []
    for name, check in examination.checks():
        try:
            findings += await check()
        except OperatorError as exc:
            findings.append(Finding(name, State.BAD, str(exc)))
        except (ArbError, OSError) as exc:
            findings.append(Finding(name, State.BAD, str(exc), "check the address and the network"))
            if name == "exchange" and isinstance(exc, VenueDownError):
                # Nobody answers: nine more calls would only take nine times as long to say so.
                break
    return Report(tuple(findings))


def skew(date: str | None, now: Instant) -> Finding:
    """This machine's clock against the ``Date`` header of an answer that just came."""
    if date is None:
        return Finding("clock", State.WARN, "the exchange sent no date to compare with")
    try:
        offset = (now - from_datetime(parsedate_to_datetime(date))) / SECOND
    except (ValueError, TypeError):
        return Finding("clock", State.WARN, "the exchange sent a date that cannot be read")
    # The header has whole seconds: half a second of offset is its rounding.
    offset = max(0.0, abs(offset) - 1.0) * (1 if offset > 0 else -1)
    fitting = (s for s, limit in ((State.OK, _SKEW_WARN_S), (State.WARN, _SKEW_BAD_S)) if abs(offset) < limit)
    state = next(fitting, State.BAD)
    fix = "" if state is State.OK else _FIX_CLOCK
    return Finding("clock", state, f"{offset:+.1f} s against the exchange", fix)


def _scope(held: KeyAccess | None) -> Finding:
    if held is None:
        return Finding("scopes", State.WARN, "the exchange does not list this key", "check KALSHI_KEY_ID")
    told = ", ".join(sorted(held.scopes)) or "none"
    if held.subaccount:
        fix = "use a key of the primary account: only that is traded"
        return Finding("scopes", State.BAD, f"{told}, only for subaccount {held.subaccount}", fix)
    if not (held.may_read and held.may_trade):
        return Finding("scopes", State.BAD, told, "make a key with the scopes read and write::trade")
    if "write" in held.scopes:
        fix = "a key with read and write::trade is enough, and cannot move money"
        return Finding("scopes", State.OK, told, fix)
    return Finding("scopes", State.OK, told)


def _region(expires: Instant | None, now: Instant) -> Finding:
    fix = "attest your location again on the exchange's API key page"
    if expires is None:
        return Finding("location", State.WARN, "not attested, or not told", fix)
    told = f"attested until {format_instant(expires)}"
    if expires <= now:
        return Finding("location", State.BAD, f"{told}: no key may trade sports any more", fix)
    if expires - now < _REGION_WARN:
        return Finding("location", State.WARN, told, fix)
    return Finding("location", State.OK, told)


async def _answered(socket: Socket) -> bool:
    """Whether anything but a ping comes before the line ends."""
    while (data := await socket.receive()) is not None:
        if data:
            return True
    return False
