"""The identity of an order: what any retry, restart or second executor derives again."""

from __future__ import annotations

from shared.ids import as_uuid, digest


def client_order_id(signal_id: str, leg: int = 0, attempt: int = 0) -> str:
    """Client order id of one attempt at one leg of a signal: the same three always give the same UUID."""
    return as_uuid(digest("order", signal_id, str(leg), str(attempt)))
