"""Questions people ask of history: what was earned, what was signalled, and why an order was sent.

The statements are plain SQL over the tables of :mod:`shared.messages`; money stays integer micro-dollars
until it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import ConfigError

Rows = list[dict[str, Any]]
Query = Callable[[str, Sequence[Any]], Rows]

_DAILY = """
WITH traded AS (
  SELECT CAST(observed_at AS DATE) AS day, league, count(DISTINCT order_id) AS orders,
         sum(quantity) AS lots, sum(price * quantity // 100) AS staked, sum(fee) AS fees
  FROM fills_latest GROUP BY ALL
), paid AS (
  SELECT CAST(s.observed_at AS DATE) AS day, coalesce(f.league, '') AS league,
         count(*) AS markets, sum(s.pnl) AS pnl, sum(CASE WHEN s.pnl > 0 THEN 1 ELSE 0 END) AS won
  FROM settlements_latest AS s
  LEFT JOIN (SELECT ticker, min(league) AS league FROM fills_latest GROUP BY ticker) AS f USING (ticker)
  GROUP BY ALL
)
SELECT coalesce(t.day, p.day) AS day, coalesce(t.league, p.league) AS league,
       coalesce(t.orders, 0) AS orders, coalesce(t.lots, 0) AS lots, coalesce(t.staked, 0) AS staked,
       coalesce(t.fees, 0) AS fees, coalesce(p.markets, 0) AS settled, coalesce(p.won, 0) AS won,
       coalesce(p.pnl, 0) AS pnl
FROM traded AS t FULL OUTER JOIN paid AS p ON t.day = p.day AND t.league = p.league
ORDER BY day, league
"""

# The fees of a market only grow, whatever the clock does: they say which of two states is the newer.
_UNSETTLED = """
SELECT ticker, quantity, cost, fees, realized FROM (
  SELECT *, row_number() OVER (PARTITION BY ticker ORDER BY fees DESC, observed_at DESC) AS newest
  FROM positions_latest
) WHERE newest = 1 AND ticker NOT IN (SELECT ticker FROM settlements_latest) ORDER BY ticker
"""

SIGNALS = """
SELECT s.observed_at, s.signal_id, s.ticker, s.side, s.profile, s."limit", s.quantity, s.fair_probability,
       s.net_edge, s.confidence, s.league, s.kind, coalesce(f.lots, 0) AS filled_lots,
       coalesce(f.paid, 0) AS paid, coalesce(f.fees, 0) AS fees
FROM signals_latest AS s
LEFT JOIN (
  SELECT signal_id, sum(quantity) AS lots, sum(price * quantity // 100) AS paid, sum(fee) AS fees
  FROM fills_latest GROUP BY signal_id
) AS f USING (signal_id)
ORDER BY s.observed_at DESC, s.signal_id LIMIT ?
"""

# Newest state of each order; an intent and its outcome may share a microsecond. Parameters: status or an
# empty text, how many.
ORDERS = """
SELECT observed_at, order_id, signal_id, ticker, side, status, "limit", quantity, filled, mode, profile,
       league, kind, expected_edge, controls, reasons
FROM (
  SELECT *, row_number() OVER (
    PARTITION BY order_id ORDER BY observed_at DESC, status = 'pending', filled DESC
  ) AS newest
  FROM orders_latest
) WHERE newest = 1 AND (status = $1 OR $1 = '') ORDER BY observed_at DESC, order_id LIMIT $2
"""

_REJECTED = """
SELECT split_part(reason, ':', 1) AS reason, count(*) AS times
FROM (SELECT unnest(reasons) AS reason FROM opportunities_latest WHERE NOT accepted)
GROUP BY 1 ORDER BY times DESC, reason
"""

# Each side of each market as it stands now.
_NEAREST = """
SELECT observed_at, ticker, side, ask, fair.probability AS fair_probability, net_edge, confidence, reasons
FROM (
  SELECT *, row_number() OVER (PARTITION BY ticker, side ORDER BY observed_at DESC, event_id) AS newest
  FROM opportunities_latest
) WHERE newest = 1 AND NOT accepted AND net_edge IS NOT NULL ORDER BY net_edge DESC, ticker, side LIMIT ?
"""


def daily(query: Query) -> Rows:
    """Orders, contracts, stakes, fees and profit by day and league; profit on the day of settlement."""
    return query(_DAILY, ())


def unsettled(query: Query) -> Rows:
    """What every market without a result holds now.

    Signed lots (YES positive), their cost, and fees and profit realised so far, all micro-dollars.
    """
    return query(_UNSETTLED, ())


def totals(days: Rows, open_markets: Rows) -> dict[str, int]:
    """Sums of :func:`daily` and :func:`unsettled`; ``pnl`` is the ledger's, to the micro-dollar."""
    sums = {key: sum(row[key] for row in days) for key in ("orders", "lots", "staked", "fees", "settled")}
    settled = sum(row["pnl"] for row in days)
    unsettled_pnl = sum(row["realized"] - row["fees"] for row in open_markets)
    open_cost = sum(row["cost"] for row in open_markets)
    return sums | {
        "settled_pnl": settled,
        "open_pnl": unsettled_pnl,
        "open_cost": open_cost,
        "pnl": settled + unsettled_pnl,
    }


def signals(query: Query, limit: int = 50) -> Rows:
    """The newest signals with what they filled."""
    return query(SIGNALS, (limit,))


def rejections(query: Query) -> Rows:
    """How often each reason refused an opportunity."""
    return query(_REJECTED, ())


def nearest(query: Query, limit: int = 5) -> Rows:
    """What is refused now at the largest net edge, each with every reason."""
    return query(_NEAREST, (limit,))


def why(query: Query, identity: str) -> dict[str, Any] | None:
    """Everything behind an order: its states, fills, signal, opportunity and mapping with its certificate.

    ``identity`` is the start of an order id or of a signal id; ``None`` if nothing has it. Raises
    :class:`ConfigError` when several have it.
    """
    order_id, signal_id = _identified(query, identity.strip())
    if not order_id and not signal_id:
        return None
    column, wanted = ("order_id", order_id) if order_id else ("signal_id", signal_id)
    # The intent comes first, also when clocks see both states at one moment.
    order = "observed_at, status <> 'pending', event_id"
    statement = f"SELECT * FROM orders_latest WHERE {column} = ? ORDER BY {order}"  # noqa: S608 - our names
    orders = query(statement, (wanted,))
    signal = _one(query, "signals", "signal_id", signal_id or orders[0]["signal_id"])
    return {
        "orders": orders,
        "signal": signal,
        "fills": _of_orders(query, orders),
        "opportunity": _one(query, "opportunities", "opportunity_id", signal and signal["opportunity_id"]),
        "mapping": _one(query, "mappings", "ticker", signal and signal["ticker"]),
        "settlement": _one(query, "settlements", "ticker", signal and signal["ticker"]),
    }


def _identified(query: Query, start: str) -> tuple[str, str]:
    """The one order or signal whose id begins with ``start``: (order id, "") or ("", signal id)."""
    found = [
        (row["order_id"], row["signal_id"])
        for row in query(
            "SELECT DISTINCT order_id, '' AS signal_id FROM orders_latest WHERE starts_with(order_id, ?) "
            "UNION ALL "
            "SELECT DISTINCT '', signal_id FROM signals_latest WHERE starts_with(signal_id, ?) "
            "ORDER BY ALL LIMIT 4",
            (start, start),
        )
    ]
    if len(found) > 1:
        some = ", ".join(order or signal for order, signal in found[:3])
        raise ConfigError(f"several ids start with {start!r} ({some}, ...): give more of the one you mean")
    return found[0] if found else ("", "")


def _of_orders(query: Query, orders: Rows) -> Rows:
    ids = sorted({order["order_id"] for order in orders})
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    statement = f"SELECT * FROM fills_latest WHERE order_id IN ({marks}) ORDER BY observed_at, fill_id"  # noqa: S608 - only marks
    return query(statement, ids)


def _one(query: Query, table: str, column: str, value: object) -> dict[str, Any] | None:
    if not value:
        return None
    statement = f"SELECT * FROM {table}_latest WHERE {column} = ? ORDER BY observed_at DESC LIMIT 1"  # noqa: S608 - our names
    rows = query(statement, (value,))
    return rows[0] if rows else None
