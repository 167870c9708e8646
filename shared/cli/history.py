"""``arb pnl``, ``arb signals``, ``arb why``: answers from history, also while a run is writing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.analytics import history
from shared.backends.local.history import History, open_history
from shared.cli.output import colored, console, contracts, errors, escape, print_json, table, usd
from shared.cli.places import newest
from shared.clock import SystemClock
from shared.errors import ConfigError
from shared.money import MICROS

_SHORT = 12
_NEAREST = 10
_UNIT = "micro-dollars, hundredths"


def pnl_command(data_dir: Path | None, json: bool) -> None:
    """Profit by day and league, totals, open positions."""
    with opened(data_dir) as kept:
        days, unsettled = history.daily(kept.query), history.unsettled(kept.query)
    totals = history.totals(days, unsettled)
    held = [row for row in unsettled if row["quantity"]]
    if json:
        print_json({"days": days, "totals": totals, "open": held, "unit": _UNIT})
        return
    columns = ("day", "league", ">orders", ">contracts", ">staked", ">fees", ">settled", ">won", ">profit")
    rows = [
        (row["day"], row["league"] or "-", row["orders"], contracts(row["lots"]), usd(row["staked"]),
         usd(row["fees"]), row["settled"], row["won"], colored(row["pnl"]))
        for row in days
    ]  # fmt: skip
    title = "Profit after fees, on the day of settlement"
    console.print(table(title, columns, rows) if rows else "nothing has been traded yet")
    console.print(
        f"open: {len(held)} markets at a cost of {usd(totals['open_cost'])}, "
        f"so far {colored(totals['open_pnl'])} (fees, and pairs that netted)"
    )
    console.print(
        f"total {colored(totals['pnl'])} on {usd(totals['staked'])} staked, fees {usd(totals['fees'])}"
    )


def signals_command(limit: int, data_dir: Path | None, json: bool) -> None:
    """Newest signals with their fills, how often each reason refused, and what was refused most narrowly."""
    with opened(data_dir) as kept:
        found, refused = history.signals(kept.query, limit), history.rejections(kept.query)
        nearest = history.nearest(kept.query, min(limit, _NEAREST))
    if json:
        print_json({"signals": found, "refused": refused, "nearest": nearest, "unit": _UNIT})
        return
    columns = (
        "seen",
        "signal",
        "market",
        "side",
        ">limit",
        ">fair",
        ">net edge",
        ">conf",
        ">asked",
        ">filled",
    )
    rows = [
        (f"{row['observed_at']:%m-%d %H:%M:%S}", row["signal_id"][:_SHORT], row["ticker"], row["side"],
         f"{row['limit'] / MICROS:.2f}", f"{row['fair_probability']:.3f}", f"{100 * row['net_edge']:.2f}c",
         f"{row['confidence']:.0f}", contracts(row["quantity"]), contracts(row["filled_lots"]))
        for row in found
    ]  # fmt: skip
    console.print(table("Signals, newest first", columns, rows) if rows else "no signals yet")
    _refusals(refused, nearest)


def _refusals(counted: history.Rows, nearest: history.Rows) -> None:
    reasons = [(row["reason"], f"{row['times']:,}") for row in counted]
    if reasons:
        console.print(table("Refused opportunities by reason", ("reason", ">times"), reasons))
    rows = [
        (row["ticker"], row["side"], "-" if row["ask"] is None else f"{row['ask'] / MICROS:.2f}",
         "-" if row["fair_probability"] is None else f"{row['fair_probability']:.3f}",
         f"{100 * row['net_edge']:+.2f}c", "; ".join(row["reasons"]))
        for row in nearest
    ]  # fmt: skip
    if rows:
        columns = ("market", "side", ">ask", ">fair", ">net edge", "refused because")
        console.print(table("Refused now at the largest net edge, with every reason", columns, rows))


def why_command(order_id: str, data_dir: Path | None, json: bool) -> None:
    """The whole story of one order."""
    with opened(data_dir) as kept:
        story = history.why(kept.query, order_id)
    if story is None:
        raise ConfigError(f"no order or signal starts with {order_id!r}; arb signals lists them")
    if json:
        print_json(story)
        return
    for line in _told(story):
        console.print(line, highlight=False)


def _told(story: dict[str, Any]) -> Iterator[str]:
    signal, opportunity = story["signal"], story["opportunity"]
    if signal is not None:
        yield f"[bold]{escape(signal['ticker'])}[/] {signal['side'].upper()}, signal {signal['signal_id']}"
        yield (
            f"  fair {signal['fair_probability']:.4f} after stated differences, limit "
            f"${signal['limit'] / MICROS:.4f}, net edge {100 * signal['net_edge']:.2f}c "
            f"(required {100 * signal['required_edge']:.2f}c), confidence {signal['confidence']:.0f}"
        )
        yield from _certified(signal["certificate"])
    if opportunity is not None and opportunity["fair"] is not None:
        yield from _books(opportunity)
    told: set[str] = set()
    for order in story["orders"]:
        yield from _ordered(order, known=order["order_id"] in told)
        told.add(order["order_id"])
    for fill in story["fills"]:
        yield (
            f"[bold]fill[/] {contracts(fill['quantity'])} at ${fill['price'] / MICROS:.4f}, "
            f"fee ${fill['fee'] / MICROS:.6f}"
        )
    if story["settlement"] is not None:
        paid = story["settlement"]
        revenue, profit = usd(paid["revenue"]), colored(paid["pnl"])
        yield f"[bold]settled[/] {paid['result']}: revenue {revenue}, profit {profit}"


def _certified(certificate: dict[str, Any]) -> Iterator[str]:
    line = "" if certificate["line"] is None else f" over {certificate['line']:g}"
    yield (
        f"[bold]certificate[/] {certificate['verdict']}: {certificate['league']} {certificate['kind']} "
        f"{certificate['period']}, {escape(certificate['subject'] or 'both teams')}{line}, "
        f"{escape(' v '.join(certificate['sides']))} on {certificate['day']}, "
        f"overtime {certificate['overtime']}"
    )
    for proof in certificate["evidence"]:
        yield f"  {escape(proof)}"
    for state in certificate["differences"]:
        pays = "a fair price" if state["exchange_pays"] is None else f"${state['exchange_pays'] / MICROS:.2f}"
        yield (
            f"  differs when {state['state']}: exchange pays {pays}, book {state['book_pays']} "
            f"(at most {100 * state['probability']:.2f} %)"
        )


def _books(opportunity: dict[str, Any]) -> Iterator[str]:
    fair = opportunity["fair"]
    yield (
        f"[bold]books[/] {fair['books']} ({', '.join(fair['names'])}), "
        f"effective {fair['effective_books']:.1f}, freshest {fair['age_s']:.0f} s old"
    )
    yield (
        f"  fair by method: multiplicative {fair['multiplicative']:.4f}, power {fair['power']:.4f}, "
        f"odds ratio {fair['odds_ratio']:.4f}, Shin {fair['shin']:.4f}; the least counts"
    )


def _ordered(order: dict[str, Any], known: bool) -> Iterator[str]:
    """One state of an order; a later state does not repeat what it passed."""
    yield (
        f"[bold]order[/] {order['order_id']} {order['mode']} {order['status']}: "
        f"{contracts(order['quantity'])} at ${order['limit'] / MICROS:.4f} or better, "
        f"filled {contracts(order['filled'])}"
    )
    if order["controls"] and not known:
        yield f"  passed {', '.join(order['controls'])}"
    for reason in order["reasons"]:
        yield f"  refused: {escape(reason)}"


@contextmanager
def opened(data_dir: Path | None) -> Iterator[History]:
    """History of the run in ``data_dir``, or of the newest; says on standard error how old it is."""
    kept = open_history(newest(data_dir), SystemClock())
    try:
        if kept.notice:
            errors.print(f"[yellow]{kept.notice}[/]")
        yield kept
    finally:
        kept.close()
