"""Says what the code is busy with, so that every log line can carry the ids of its message and order."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass

NAMES = ("trace_id", "order_id", "signal_id", "ticker")

_subject: ContextVar[object] = ContextVar("subject", default=None)


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids that no message at hand carries together."""

    trace_id: str = ""
    order_id: str = ""
    signal_id: str = ""
    ticker: str = ""


class about:  # noqa: N801 - reads as a statement: ``with about(message):``
    """Everything inside the block, tasks started there included, is about ``subject``.

    ``subject`` is a message, or :class:`Ids`. Nothing is looked up before a line is logged: the bus enters
    this for every delivery.
    """

    __slots__ = ("_subject", "_token")

    def __init__(self, subject: object) -> None:
        self._subject = subject

    def __enter__(self) -> None:
        self._token: Token[object] = _subject.set(self._subject)

    def __exit__(self, *_: object) -> None:
        _subject.reset(self._token)


def current() -> dict[str, str]:
    """The ids of what the code is busy with, those that are known."""
    subject = _subject.get()
    found = {name: getattr(subject, name, "") for name in NAMES}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}
