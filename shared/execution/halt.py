"""The halt: one document that stops all trading, watched live, and closed only by a person.

If its state cannot be read, trading stops: silence is not permission.
"""

from __future__ import annotations

import asyncio

from shared.clock import Clock
from shared.errors import AlreadyExistsError, ConflictError
from shared.ports import Document, Documents, Value
from shared.risk.account import Account

PATH = "control/halt"
_ATTEMPTS = 20


async def halt(documents: Documents, clock: Clock, reason: str, actor: str) -> None:
    """Stop trading. The first reason stays until someone resumes."""
    await _write(documents, {"halted": True, "reason": reason, "actor": actor, "at": clock.now()})


async def resume(documents: Documents, clock: Clock, actor: str) -> None:
    """Let trading go on."""
    await _write(documents, {"halted": False, "reason": "", "actor": actor, "at": clock.now()})


async def halted(documents: Documents) -> str:
    """Why trading is stopped, or empty."""
    document = await documents.get(PATH)
    return "" if document is None else _reason(document)


async def follow(documents: Documents, account: Account) -> None:
    """Keep ``account.halted`` true to the document, for ever; runs until cancelled."""
    while True:
        try:
            account.halted = await halted(documents)
            async for document in documents.watch("control"):
                if document.path == PATH:
                    account.halted = _reason(document)
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            account.halted = f"the halt state cannot be read: {type(exc).__name__}"
            await asyncio.sleep(1)


def _reason(document: Document) -> str:
    value = document.value
    return f"{value['actor']}: {value['reason']}" if value["halted"] else ""


async def _write(documents: Documents, value: Value) -> None:
    for _ in range(_ATTEMPTS):
        found = await documents.get(PATH)
        try:
            if found is None:
                await documents.create(PATH, value)
            else:
                await documents.replace_if(PATH, value, found.version)
        except (AlreadyExistsError, ConflictError):
            continue
        return
    raise ConflictError(f"{PATH} kept changing; try again")
