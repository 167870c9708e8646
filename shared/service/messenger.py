"""Tells people about alerts from a process that lives only while it is called: each before the call ends.

What a channel could not take raises, so that the carrier brings the alert again; channels that had it are
then left out, and the sieve, which would hold back a repeat, is not asked twice.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from shared.clock import Clock
from shared.errors import ArbError, RefusedError, RetryLaterError
from shared.messages import AlertRaised, Message
from shared.service.channels import Channel
from shared.service.sieve import Notice, Sieve

_log = logging.getLogger(__name__)

_REMEMBERED = 1_000


@dataclass(slots=True)
class _Owed:
    """A notice that some channels have not taken yet."""

    notice: Notice
    channels: list[Channel]


@dataclass(slots=True)
class Messenger:
    """Give it every alert; it sends what people should see, over every channel."""

    channels: Sequence[Channel]
    clock: Clock
    redact: Callable[[str], str]
    sieve: Sieve = field(default_factory=Sieve)
    _owed: OrderedDict[str, _Owed] = field(default_factory=OrderedDict)

    async def handle(self, message: Message) -> None:
        """Send one alert; raises :class:`RetryLaterError` while a channel does not take it."""
        if not isinstance(message, AlertRaised):
            return
        now = self.clock.now()
        for number, digest in enumerate(self.sieve.due(now)):
            self._owe(f"digest/{now}/{number}", digest)
        notice = None if message.event_id in self._owed else self.sieve.take(message, now)
        if notice is not None:
            self._owe(message.event_id, notice)
        failed = [problem for key in list(self._owed) for problem in await self._send(key)]
        if failed and message.event_id in self._owed:
            raise RetryLaterError("; ".join(failed))

    def _owe(self, key: str, notice: Notice) -> None:
        if not self.channels:
            _log.error("no channel is set (ALERT_WEBHOOK_URL, SMTP_HOST): %s", self.redact(notice.text))
            return
        self._owed[key] = _Owed(replace(notice, text=self.redact(notice.text)), list(self.channels))
        if len(self._owed) > _REMEMBERED:
            self._owed.popitem(last=False)

    async def _send(self, key: str) -> list[str]:
        """Try the channels that have not had it; what kept each from taking it."""
        owed, problems = self._owed[key], []
        for channel in list(owed.channels):
            try:
                await channel.send(owed.notice)
            except RefusedError as exc:
                _log.error("%s: an alert is given up: %s", channel.name, exc)
            except ArbError as exc:
                problems.append(f"{channel.name}: {exc}")
                continue
            owed.channels.remove(channel)
        if not owed.channels:
            del self._owed[key]
        return problems
