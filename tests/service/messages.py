"""Messages as these tests need them."""

from __future__ import annotations

from typing import Any

from shared.clock import SECOND, Instant
from shared.messages import AlertRaised, FillRecorded, OrderUpdated, Quarantined, seal
from shared.money import Price, Quantity, Usd
from shared.terms import OrderStatus, Side

START = Instant(1_790_000_000 * SECOND)


def order(status: OrderStatus, **changes: Any) -> OrderUpdated:
    """10 YES to 52c."""
    given: dict[str, Any] = {
        "observed_at": START,
        "order_id": "o1",
        "signal_id": "s1",
        "ticker": "KX",
        "event_ticker": "KX-E",
        "side": Side.YES,
        "limit": Price(520_000),
        "quantity": Quantity(1_000),
    }
    return seal(OrderUpdated(status=status, **(given | changes)))


def fill(**changes: Any) -> FillRecorded:
    """10 YES at 51c."""
    given: dict[str, Any] = {
        "observed_at": START,
        "fill_id": "f1",
        "order_id": "o1",
        "signal_id": "s1",
        "ticker": "KX",
        "event_ticker": "KX-E",
        "side": Side.YES,
        "price": Price(510_000),
        "quantity": Quantity(1_000),
        "fee": Usd(17_500),
    }
    return seal(FillRecorded(**(given | changes)))


def quarantined(count: int = 1, source: str = "odds") -> Quarantined:
    """Something unusable."""
    return seal(Quarantined(observed_at=START, source=source, reason="not JSON", count=count))


def alert(
    code: str = "unknown_series", subject: str = "KXNEW", at: Instant = START, **changes: Any
) -> AlertRaised:
    """Something a person should look at."""
    given: dict[str, Any] = {"source": "mapping", "text": f"{code} {subject}"}
    return seal(AlertRaised(observed_at=at, code=code, subject=subject, **(given | changes)))
