"""Intents: what an order will be, with an identity that any retry or restart derives again."""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import Instant
from shared.ids import as_uuid, digest
from shared.money import Price, Quantity
from shared.terms import Side


def client_order_id(signal_id: str, leg: int = 0, attempt: int = 0) -> str:
    """Client order id of one attempt at one leg of a signal: the same three always give the same UUID."""
    return as_uuid(digest("order", signal_id, str(leg), str(attempt)))


@dataclass(frozen=True, slots=True)
class Intent:
    """An order about to be sent; made durable before anything goes on the wire."""

    client_order_id: str
    signal_id: str
    ticker: str
    event_ticker: str
    side: Side
    limit: Price
    quantity: Quantity
    created_at: Instant
