"""Log lines for people and machines: text or JSON, with the ids of what they are about, without secrets.

A JSON line has ``time`` (RFC 3339, from the record), ``severity`` (the name Cloud Logging reads), ``level``,
``logger``, ``message``, those of ``trace_id``, ``order_id``, ``signal_id`` and ``ticker`` that are known, and
``exception``. One record is one line, whatever a venue sends: a line break inside a text is escaped.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

import msgspec

from shared.clock import Instant, format_instant
from shared.config import LogFormat
from shared.messages import FillRecorded, MarketSettled, Message, OrderUpdated
from shared.money import format_price, format_quantity, format_usd
from shared.terms import OrderStatus
from shared.trace import NAMES, current

_log = logging.getLogger(__name__)

# Cloud Logging takes 256 KB a line; nothing worth reading is a tenth of that.
_LONGEST = 16_000
_FILE_BYTES = 10_000_000
_FILES_KEPT = 3
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Redact = Callable[[str], str]


class Safe(logging.Filter):
    """Makes a record fit to leave: formatted, shortened, without secrets, with its ids in ``record.ids``."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: a record is cleaned, never dropped, and nothing it holds raises."""
        try:
            text = record.getMessage()
        except Exception as exc:  # a wrong log call must not break what it tells about
            text = f"{record.msg} (not formatted: {type(exc).__name__})"
        record.msg, record.args = self._clean(text), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = self._clean(record.exc_text) if record.exc_text else None
        record.exc_info = record.stack_info = None
        given = {name: record.__dict__[name] for name in NAMES if record.__dict__.get(name)}
        record.ids = {name: self._clean(str(value)) for name, value in (current() | given).items()}
        return True

    def _clean(self, text: str) -> str:
        short = text if len(text) <= _LONGEST else text[:_LONGEST] + " (shortened)"
        return self._redact(short).encode("utf-8", "replace").decode()


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "time": _time(record),
            "severity": record.levelname,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **record.__dict__.get("ids", {}),
        }
        if record.exc_text:
            line["exception"] = record.exc_text
        return msgspec.json.encode(line).decode()


class TextLines(logging.Formatter):
    """Time, level, logger, message and ids in one line; an exception follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        ids = "".join(f" {name}={_one_line(value)}" for name, value in record.__dict__.get("ids", {}).items())
        text = f"{_time(record)} {record.levelname} {record.name}: {_one_line(record.getMessage())}{ids}"
        trace = "".join(f"\n  {_one_line(line)}" for line in (record.exc_text or "").splitlines())
        return text + trace


FORMATTERS: dict[LogFormat, type[logging.Formatter]] = {
    LogFormat.TEXT: TextLines,
    LogFormat.JSON: JsonLines,
}


@contextmanager
def logging_to(file: Path, form: LogFormat, redact: Redact, *, stderr: bool) -> Iterator[None]:
    """Log to ``file`` (10 MB, three old ones kept), and to standard error if asked, inside the block.

    Our own lines from INFO, others' from WARNING. A file that cannot be written is done without.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler()] if stderr else []
    with suppress(OSError):
        handlers.append(
            RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
        )
    root, ours = logging.getLogger(), logging.getLogger("shared")
    level = ours.level
    for handler in handlers:
        handler.addFilter(Safe(redact))
        handler.setFormatter(FORMATTERS[form]())
        root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def log_to_stdout(form: LogFormat, redact: Redact) -> None:
    """Log to standard output for the rest of the process, where the platform of a deployed function reads.

    Everything from INFO that is ours, others' from WARNING; calling it again changes nothing.
    """
    root = logging.getLogger()
    if any(isinstance(one, _Stdout) for one in root.handlers):
        return
    handler = _Stdout(sys.stdout)
    handler.addFilter(Safe(redact))
    handler.setFormatter(FORMATTERS[form]())
    root.addHandler(handler)
    logging.getLogger("shared").setLevel(logging.INFO)


class _Stdout(logging.StreamHandler[TextIO]):
    """The one that :func:`log_to_stdout` adds."""


async def tell(message: Message) -> None:
    """Log what happens to an order; a handler for the bus, which says whose order it is."""
    match message:
        case OrderUpdated():
            size = f"{format_quantity(message.quantity)} {message.side} to {format_price(message.limit)}"
            reasons = f" ({'; '.join(message.reasons)})" if message.reasons else ""
            level = logging.WARNING if message.status is OrderStatus.UNKNOWN else logging.INFO
            _log.log(level, "order %s: %s%s", message.status, size, reasons)
        case FillRecorded():
            size = f"{format_quantity(message.quantity)} {message.side} at {format_price(message.price)}"
            _log.info("filled: %s, fee %s", size, format_usd(message.fee))
        case MarketSettled():
            _log.info("settled: %s, profit %s", message.result, format_usd(message.pnl))
        case _:
            pass


TOLD = (OrderUpdated.TOPIC, FillRecorded.TOPIC, MarketSettled.TOPIC)


def _time(record: logging.LogRecord) -> str:
    return format_instant(Instant(round(record.created * 1_000_000)))


def _one_line(text: str) -> str:
    """Control characters escaped: nobody forges a second line, or moves a terminal's cursor."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
