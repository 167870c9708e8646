"""The halt: one document that stops all trading, watched live, and closed only by a person.

If its state cannot be read, trading stops: silence is not permission.
"""

from __future__ import annotations

import asyncio
import random

from shared.cas import update
from shared.clock import Clock, Instant
from shared.errors import RefusedError
from shared.execution.account import Account
from shared.ports import Document, Documents, Value

PATH = "control/halt"
_AGAIN_S = 1.0


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
    """Keep ``account`` true to the document, for ever; runs until cancelled."""
    while True:
        try:
            await restore(documents, account)
            async for document in documents.watch("control"):
                if document.path == PATH:
                    await _apply(document, account)
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            account.halted = f"the halt state cannot be read: {type(exc).__name__}"
            await clock.sleep(_AGAIN_S)


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
