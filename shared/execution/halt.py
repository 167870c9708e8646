"""The halt: one document that stops all trading, watched live, and closed only by a person.

If its state cannot be read, trading stops: silence is not permission.
"""

from __future__ import annotations

import asyncio
import random

from shared.cas import update
from shared.clock import Clock, Instant, first, pace_of
from shared.errors import RefusedError
from shared.execution.account import Account
from shared.ports import Document, Documents, Value

PATH = "control/halt"
_AGAIN_S = 1.0
_READ_AGAIN_S = 2.0
_PATIENCE_S = 3.0


async def halt(documents: Documents, clock: Clock, rng: random.Random, reason: str, actor: str) -> None:
    """Stop trading, from this moment, in every process on these documents."""
    value = {"halted": True, "reason": reason, "actor": actor, "at": clock.now()}
    await update(documents, PATH, lambda _: value, clock=clock, rng=rng)


async def resume(
    documents: Documents, clock: Clock, rng: random.Random, actor: str, confirm: str | None = None
) -> None:
    """Let trading go on.

    With ``confirm`` only the halt that it names is lifted, by its reason or its whole text; raises
    :class:`RefusedError` with code ``not_halted``, or ``not_confirmed`` when trading is stopped for something
    else: a halt that came a moment ago is not lifted by a person who has not read it.
    """
    value: Value = {"halted": False, "reason": "", "actor": actor, "at": clock.now()}

    def change(held: Value | None) -> Value:
        if confirm is not None:
            _check(held, confirm)
        return value

    await update(documents, PATH, change, clock=clock, rng=rng)


async def halted(documents: Documents) -> str:
    """Why trading is stopped, or empty."""
    document = await documents.get(PATH)
    return "" if document is None else _reason(document)


async def restore(documents: Documents, account: Account) -> None:
    """Make ``account`` true to the document once; before it is asked for its first order."""
    document = await documents.get(PATH)
    if document is None:
        account.halted = ""
    else:
        await _apply(document, account)


async def follow(documents: Documents, account: Account, clock: Clock) -> None:
    """Keep ``account`` true to the document, for ever; runs until cancelled.

    It is watched live and read again every two seconds besides, for a watch can die without a word.
    """
    follower = _Follower(documents, account, clock)
    await asyncio.gather(follower.watch(), follower.read())


class _Follower:
    """Keeps one account true to the document; news that are older than what is known change nothing."""

    def __init__(self, documents: Documents, account: Account, clock: Clock) -> None:
        self._documents, self._account, self._clock = documents, account, clock
        speed = pace_of(clock)
        self._patience_s, self._pace_s = _PATIENCE_S * speed, _READ_AGAIN_S * speed
        self._version = 0
        self._is_read = False

    async def watch(self) -> None:
        """Hear of every change, for ever."""
        while True:
            try:
                async for document in self._documents.watch("control"):
                    if document.path == PATH:
                        await self._take(document)
            except asyncio.CancelledError:
                raise
            except Exception as exc:
                self._account.halted = _unreadable(exc)
            await self._clock.sleep(_AGAIN_S)

    async def read(self) -> None:
        """Read it again and again, for ever; a read that takes too long is one that failed."""
        while True:
            self._is_read = False
            await first(self._read(), self._clock.sleep(self._patience_s))
            if not self._is_read:
                self._account.halted = f"the halt state cannot be read: no answer for {_PATIENCE_S:g} s"
            await self._clock.sleep(self._pace_s)

    async def _read(self) -> None:
        try:
            document = await self._documents.get(PATH)
            if document is not None:
                await self._take(document)
            elif not self._version:
                self._account.halted = ""
        except Exception as exc:
            self._account.halted = _unreadable(exc)
        self._is_read = True

    async def _take(self, document: Document) -> None:
        if document.version >= self._version:
            self._version = document.version
            await _apply(document, self._account)


def _unreadable(exc: Exception) -> str:
    return f"the halt state cannot be read: {type(exc).__name__}"


async def _apply(document: Document, account: Account) -> None:
    reason = _reason(document)
    if reason:
        account.halted = reason
    else:
        await account.resumed(Instant(document.value["at"]))


def _check(held: Value | None, confirm: str) -> None:
    if held is None or not held["halted"]:
        raise RefusedError("trading is not halted", "not_halted")
    if confirm not in (held["reason"], _text(held)):
        raise RefusedError(f"trading is halted by {_text(held)!r}", "not_confirmed")


def _reason(document: Document) -> str:
    return _text(document.value)


def _text(value: Value) -> str:
    if not value["halted"]:
        return ""
    return f"{value['actor']}: {value['reason'] or 'no reason given'}"
