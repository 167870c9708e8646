"""Webhook and mail, against servers on the loopback address that refuse, break and listen."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import msgspec
import pytest

from shared.config import MailSecurity, Secret, load
from shared.errors import ArbError, MalformedError, RefusedError, VenueDownError
from shared.service.channels import Mail, MailServer, Webhook, channels_of
from shared.service.sieve import Notice, Severity
from shared.venues.http import AiohttpTransport, Params, Response
from tests.service.messages import START

HIDDEN = "https://hooks.example/services/T0/B0/hidden-part"
NOTICE = Notice(Severity.CRITICAL, "halted", "system: trading stopped by ann", START)


@dataclass
class Line:
    """A transport that answers as told, and remembers what was asked."""

    answer: Response | ArbError = field(default_factory=lambda: Response(200))
    asked: list[tuple[str, str, bytes | None]] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params = (),
        body: bytes | None = None,
        seconds: float = 10.0,
    ) -> Response:
        self.asked.append((method, url, body))
        if isinstance(self.answer, ArbError):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        pass


# --- webhook ------------------------------------------------------------------------------------------------


async def test_a_webhook_gets_severity_time_and_text() -> None:
    line = Line()
    await Webhook(Secret(HIDDEN), line).send(NOTICE)
    [(method, url, body)] = line.asked
    assert (method, url) == ("POST", HIDDEN)
    assert msgspec.json.decode(body or b"") == {
        "text": "CRITICAL 2026-09-21T14:13:20Z system: trading stopped by ann"
    }


async def test_text_from_outside_mentions_nobody_and_links_nowhere() -> None:
    line = Line()
    text = "title <!channel> <https://evil.example|click> & more"
    await Webhook(Secret(HIDDEN), line).send(Notice(Severity.INFO, "x", text, START))
    sent = msgspec.json.decode(line.asked[0][2] or b"")["text"]
    assert "<" not in sent
    assert "&lt;!channel&gt;" in sent


async def test_a_huge_text_is_shortened() -> None:
    line = Line()
    await Webhook(Secret(HIDDEN), line).send(Notice(Severity.INFO, "x", "y" * 100_000, START))
    assert len(line.asked[0][2] or b"") < 4_000


@pytest.mark.parametrize("status", [301, 403, 404, 429, 500, 503])
async def test_a_status_that_may_pass_is_tried_again(status: int) -> None:
    with pytest.raises(VenueDownError, match=str(status)):
        await Webhook(Secret(HIDDEN), Line(Response(status))).send(NOTICE)


@pytest.mark.parametrize("status", [400, 413])
async def test_a_refused_text_is_not_sent_again(status: int) -> None:
    with pytest.raises(RefusedError):
        await Webhook(Secret(HIDDEN), Line(Response(status))).send(NOTICE)


@pytest.mark.parametrize("fault", [VenueDownError(f"POST {HIDDEN}: no route"), MalformedError(HIDDEN)])
async def test_the_address_of_a_webhook_is_in_no_error(fault: ArbError) -> None:
    with pytest.raises(VenueDownError) as caught:
        await Webhook(Secret(HIDDEN), Line(fault)).send(NOTICE)
    assert "hidden-part" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "hidden-part" not in repr(Webhook(Secret(HIDDEN), Line()))


async def test_a_webhook_that_nobody_listens_at_is_a_failed_try() -> None:
    transport = AiohttpTransport()
    with pytest.raises(VenueDownError, match="did not answer"):
        await Webhook(Secret("http://127.0.0.1:9/hidden-part"), transport).send(NOTICE)
    await transport.close()


# --- mail ---------------------------------------------------------------------------------------------------


@dataclass
class MailBox:
    """A small SMTP server: it takes what is sent, unless it is told to refuse."""

    port: int = 0
    refuse: bytes = b""
    answer: bytes = b"550 no\r\n"
    mails: list[EmailMessage] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    open: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self.talk(reader, writer)
            writer.close()
            await writer.wait_closed()
        finally:
            self.open -= 1
            self.quiet.set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 box\r\n")
        while command := await reader.readline():
            self.commands.append(command)
            if self.refuse and command.upper().startswith(self.refuse):
                writer.write(self.answer)
            elif command.upper().startswith(b"DATA"):
                writer.write(b"354 go\r\n")
                self.mails.append(message_from_bytes(await _mail(reader), policy=policy.default))
                writer.write(b"250 kept\r\n")
            elif command.upper().startswith(b"QUIT"):
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")


async def _mail(reader: asyncio.StreamReader) -> bytes:
    return (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")


@asynccontextmanager
async def mail_box() -> AsyncIterator[MailBox]:
    box = MailBox()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
        while box.open:
            await box.quiet.wait()


def mail(port: int, security: MailSecurity = MailSecurity.NONE, **changes: str) -> Mail:
    user, password = changes.get("user", ""), Secret(changes.get("password", ""))
    server = MailServer("127.0.0.1", port, security, user, password)
    return Mail(server, "arb@example.org", ("ann@example.org", "bob@example.org"))


async def test_a_mail_goes_to_everyone_with_a_subject_that_says_it() -> None:
    async with mail_box() as box:
        await mail(box.port).send(NOTICE)
    [one] = box.mails
    assert one["Subject"] == "[arb] critical: system: trading stopped by ann"
    assert (one["From"], one["To"]) == ("arb@example.org", "ann@example.org, bob@example.org")
    assert one.get_content().strip() == "CRITICAL 2026-09-21T14:13:20Z system: trading stopped by ann"


async def test_a_text_from_outside_adds_no_header() -> None:
    text = "title\r\nBcc: evil@example.org\r\n\r\nbody\r\n.\r\nMAIL FROM:<x>"
    async with mail_box() as box:
        await mail(box.port).send(Notice(Severity.WARNING, "x", text, START))
    [one] = box.mails
    assert one["Bcc"] is None
    assert len(box.mails) == 1
    assert "\n" not in one["Subject"]


async def test_a_server_without_encryption_gets_neither_mail_nor_password() -> None:
    async with mail_box() as box:
        channel = mail(box.port, MailSecurity.STARTTLS, user="ann", password="hidden-part")
        with pytest.raises(VenueDownError):
            await channel.send(NOTICE)
    assert box.mails == []
    assert not any(b"AUTH" in command or b"hidden" in command for command in box.commands)


async def test_a_server_that_does_not_speak_tls_is_a_failed_try() -> None:
    async with mail_box() as box:
        with pytest.raises(VenueDownError, match="SSLError"):
            await mail(box.port, MailSecurity.TLS).send(NOTICE)


@pytest.mark.parametrize(
    ("refuse", "answer", "error"),
    [
        (b"MAIL", b"451 later\r\n", VenueDownError),
        (b"RCPT", b"550 who\r\n", VenueDownError),
        (b"DATA", b"554 spam\r\n", RefusedError),
    ],
)
async def test_a_refusal_says_whether_to_try_again(
    refuse: bytes, answer: bytes, error: type[ArbError]
) -> None:
    async with mail_box() as box:
        box.refuse, box.answer = refuse, answer
        with pytest.raises(error):
            await mail(box.port).send(NOTICE)


async def test_a_mail_server_that_is_not_there_is_a_failed_try() -> None:
    with pytest.raises(VenueDownError, match="ConnectionRefusedError"):
        await mail(9).send(NOTICE)


async def test_a_slow_mail_server_can_be_left_waiting() -> None:
    came, leave, left = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await leave.wait()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        sending = asyncio.create_task(mail(server.sockets[0].getsockname()[1]).send(NOTICE))
        await came.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        leave.set()
        await left.wait()


def test_certificates_of_mail_servers_are_checked() -> None:
    context = mail(25).trust()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


# --- from the settings --------------------------------------------------------------------------------------


def test_without_settings_there_is_no_channel() -> None:
    assert channels_of(load({}, None), Line()) == []


def test_settings_make_their_channels_and_show_no_secret() -> None:
    settings = load(
        {
            "ALERT_WEBHOOK_URL": HIDDEN,
            "SMTP_HOST": "mail.example",
            "SMTP_FROM": "a@x.org",
            "SMTP_TO": "b@x.org,c@x.org",
            "SMTP_USER": "ann",
            "SMTP_PASSWORD": "hidden-part",
        },
        None,
    )
    made = channels_of(settings, Line())
    assert [channel.name for channel in made] == ["webhook", "mail"]
    assert "hidden-part" not in repr(made)
