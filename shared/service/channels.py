"""Ways an alert reaches a person: a Slack-style webhook, and mail.

A webhook's address is itself the secret: it appears in no error and no log line. Text from outside is made
harmless to the reader's program: no mention, no link, no second header.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

import msgspec

from shared.clock import format_instant
from shared.config import MailSecurity, Secret, Settings
from shared.errors import ArbError, RefusedError, VenueDownError
from shared.service.sieve import Notice
from shared.venues.http import Transport

_SECONDS = 5.0
# Slack shows 4,000 characters of a text.
_LONGEST = 3_000
# The text itself is refused; the same text would be refused again.
_BAD_TEXT = frozenset({400, 413, 422})


class Channel(Protocol):
    """Takes one notice at a time."""

    @property
    def name(self) -> str:
        """What log lines call it."""
        ...

    async def send(self, notice: Notice) -> None:
        """Deliver it. Raises :class:`RefusedError` when this notice never will be, else any ``ArbError``."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts ``{"text": ...}``, as Slack and its likes take it."""

    url: Secret
    transport: Transport
    name: str = "webhook"

    async def send(self, notice: Notice) -> None:
        """Post it; only a 2xx counts as delivered."""
        body = msgspec.json.encode({"text": _escaped(_told(notice))})
        headers = {"Content-Type": "application/json"}
        try:
            answer = await self.transport.request(
                "POST", self.url.reveal(), headers=headers, body=body, seconds=_SECONDS
            )
        except ArbError as exc:
            # Its text names the path, which opens the channel to whoever reads it.
            raise VenueDownError(f"the webhook did not answer ({type(exc).__name__})") from None
        if answer.status in _BAD_TEXT:
            raise RefusedError(f"the webhook refused the text ({answer.status})")
        if not 200 <= answer.status < 300:
            hint = "; is ALERT_WEBHOOK_URL still valid?" if answer.status in (401, 403, 404, 410) else ""
            raise VenueDownError(f"the webhook answered {answer.status}{hint}")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and how mail is handed over."""

    host: str
    port: int
    security: MailSecurity
    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Mail:
    """Sends one message per notice."""

    server: MailServer
    sender: str
    to: Sequence[str]
    trust: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)
    name: str = "mail"

    async def send(self, notice: Notice) -> None:
        """Hand it to the mail server, in a thread of its own."""
        message = EmailMessage()
        message["Subject"] = _header(f"[arb] {notice.severity}: {notice.text}")
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message.set_content(_told(notice))
        await _in_thread(lambda: self._hand_over(message))

    def _hand_over(self, message: EmailMessage) -> None:
        server = self.server
        try:
            with self._connected() as line:
                if server.security is MailSecurity.STARTTLS:
                    line.starttls(context=self.trust())
                if server.user:
                    line.login(server.user, server.password.reveal())
                line.send_message(message)
        except smtplib.SMTPAuthenticationError:
            raise VenueDownError("the mail server refused SMTP_USER or SMTP_PASSWORD") from None
        except smtplib.SMTPDataError as exc:
            raise RefusedError(f"the mail server refused the message ({exc.smtp_code})") from None
        except (smtplib.SMTPException, OSError, ValueError) as exc:
            raise VenueDownError(f"mail was not handed over ({type(exc).__name__})") from None

    def _connected(self) -> smtplib.SMTP:
        host, port = self.server.host, self.server.port
        if self.server.security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=self.trust())
        return smtplib.SMTP(host, port, timeout=_SECONDS)


def channels_of(settings: Settings, transport: Transport) -> list[Channel]:
    """The channels that the settings name; none is fine."""
    found: list[Channel] = []
    if settings.alert_webhook_url:
        found.append(Webhook(settings.alert_webhook_url, transport))
    if settings.smtp_host:
        server = MailServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
        )
        found.append(Mail(server, settings.smtp_from, settings.smtp_to))
    return found


async def _in_thread(work: Callable[[], None]) -> None:
    """Run in a thread that the end of the process does not wait for: a mail server may be slow for ever."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as exc:  # carried to whoever waits
            error = exc
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, name="mail", daemon=True).start()
    await done


def _told(notice: Notice) -> str:
    text = f"{notice.severity.upper()} {format_instant(notice.at)} {notice.text}"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " (shortened)"


def _escaped(text: str) -> str:
    """Slack's three control characters: without them nobody is mentioned and nothing is a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(text: str) -> str:
    """One line, at most 120 characters."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= 120 else line[:117] + "..."
