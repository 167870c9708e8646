"""``arb replay``: recorded payloads through the live engine, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.cli.output import colored, console, contracts, errors, escape, print_json, table, usd
from shared.clock import SECOND, SystemClock, format_instant
from shared.config import load
from shared.desks import risk_limits
from shared.edges.detector import DetectorSettings
from shared.messages import Message, OpportunityAssessed, SignalRaised
from shared.money import LOTS, MICROS
from shared.replay.engine import Replay, ReplayResult
from shared.replay.tape import Tape
from shared.replay.tape import load as load_tape
from shared.terms import Profile


def replay_command(
    paths: Sequence[Path],
    profile: Profile,
    latency_ms: int,
    odds_age_s: float | None,
    quote_age_s: float | None,
    data_dir: Path | None,
    show: int,
    json: bool,
) -> None:
    """Load, play, report; with ``data_dir`` history is kept as in a run."""
    started = time.monotonic()
    with nullcontext() if json else errors.status(f"reading {len(paths)} path(s)"):
        tape = load_tape(paths)
    settings = DetectorSettings(profile=profile, max_odds_age_s=odds_age_s)
    if quote_age_s is not None:
        settings = replace(settings, max_quote_age=int(quote_age_s * SECOND))
    kept: list[Message] = []
    config = load()
    replay = Replay(
        settings,
        risk_limits(config),
        config.paper_bankroll_usd,
        latency_ms / 1000,
        kept.append if data_dir is not None else lambda message: None,
    )
    result = asyncio.run(_play(replay, tape, quiet=json))
    if data_dir is not None:
        asyncio.run(_keep(data_dir, kept))
    seconds = time.monotonic() - started
    if json:
        print_json(_as_data(tape, result))
    else:
        _report(tape, result, show, seconds)


async def _play(replay: Replay, tape: Tape, quiet: bool) -> ReplayResult:
    if quiet:
        return await replay.play(tape)
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("", total=len(tape.events))

        def progress(played: int) -> None:
            bar.update(task, completed=played)

        return await replay.play(tape, progress)


async def _keep(folder: Path, messages: list[Message]) -> None:
    from shared.backends.local.warehouse import DuckWarehouse

    warehouse = DuckWarehouse(folder, SystemClock())
    try:
        await warehouse.append(messages)
        await warehouse.flush()
    finally:
        await warehouse.close()


def _report(tape: Tape, result: ReplayResult, show: int, seconds: float) -> None:
    first, last = tape.events[0][0], tape.events[-1][0]
    console.print(
        f"[bold]{len(tape.events):,} events[/] from {tape.files} file(s), "
        f"{format_instant(first)} to {format_instant(last)}, played in {seconds:.1f} s"
    )
    console.print(
        f"{result.listings:,} listings, {result.odds:,} odds, {result.book_events:,} book changes; "
        f"{len(result.mapped):,} markets mapped, {sum(result.unmapped.values()):,} refused"
    )
    _counts("Markets not mapped", result.unmapped)
    _counts("Opportunities refused, by reason (one may have several)", result.rejected)
    if result.assumed_fees:
        names = escape(", ".join(sorted(result.assumed_fees)[:5]))
        console.print(f"[yellow]fees are not recorded for {names}: the usual taker fee is assumed[/]")
    if result.quarantined:
        _counts("Input that could not be used", Counter(r.reason for r in result.quarantined))
    _signals(result)
    _nearest(list(result.best.values()), show)
    account = result.account
    console.print(
        f"[bold]filled[/] {contracts(sum(f.quantity for f in result.fills))} contracts, "
        f"fees {usd(account.fees)}, open at cost {usd(account.open_cost)}, "
        f"settled {len(result.settled)}, profit {colored(account.pnl)}"
    )
    console.print(f"journal {result.digest}", highlight=False)


def _counts(title: str, counts: Counter[str]) -> None:
    if counts:
        console.print(table(title, ("reason", ">times"), counts.most_common(12)))


def _signals(result: ReplayResult) -> None:
    if not result.signals:
        console.print("[bold]no signals[/]: no price was worth it after fees; the nearest are below")
        return
    filled: Counter[str] = Counter()
    for fill in result.fills:
        filled[fill.signal_id] += fill.quantity
    columns = ("at", "market", "side", ">ask to", ">fair", ">net edge", ">conf", ">asked", ">would fill")
    rows = [_signal_row(signal, filled[signal.signal_id]) for signal in result.signals]
    console.print(table(f"{len(rows)} signals", columns, rows))


def _signal_row(signal: SignalRaised, filled: int) -> tuple[object, ...]:
    return (
        format_instant(signal.observed_at)[:19],
        signal.ticker,
        signal.side,
        f"{signal.limit / MICROS:.4f}",
        f"{signal.fair_probability:.4f}",
        f"{100 * signal.net_edge:+.2f}c",
        f"{signal.confidence:.0f}",
        contracts(signal.quantity),
        contracts(filled),
    )


def _nearest(best: list[OpportunityAssessed], show: int) -> None:
    refused = sorted((o for o in best if not o.accepted), key=lambda o: -(o.net_edge or -1.0))[:show]
    if not refused:
        return
    columns = ("market", "side", ">ask", ">fair", ">net edge", ">books", "refused because")
    rows = [
        (
            o.ticker,
            o.side,
            "-" if o.ask is None else f"{o.ask / MICROS:.2f}",
            "-" if o.fair is None else f"{o.fair.probability:.4f}",
            f"{100 * (o.net_edge or 0.0):+.2f}c",
            0 if o.fair is None else o.fair.books,
            "; ".join(o.reasons),
        )
        for o in refused
    ]
    console.print(table("Best refused opportunities", columns, rows))


def _as_data(tape: Tape, result: ReplayResult) -> dict[str, Any]:
    return {
        "events": len(tape.events),
        "files": tape.files,
        "listings": result.listings,
        "odds": result.odds,
        "book_events": result.book_events,
        "assessed": result.assessed,
        "mapped": sorted(result.mapped),
        "unmapped": dict(result.unmapped),
        "rejected": dict(result.rejected),
        "assumed_fees": sorted(result.assumed_fees),
        "quarantined": [record.reason for record in result.quarantined],
        "signals": [msgspec.to_builtins(signal) for signal in result.signals],
        "fills": [msgspec.to_builtins(fill) for fill in result.fills],
        "settlements": [msgspec.to_builtins(paid) for paid in result.settled],
        "best": [msgspec.to_builtins(o) for _, o in sorted(result.best.items())],
        "pnl": {
            "realized": result.account.realized,
            "fees": result.account.fees,
            "profit": result.account.pnl,
            "open_cost": result.account.open_cost,
            "cash": result.account.cash,
        },
        "units": {"money": MICROS, "contract": LOTS, "second": SECOND},
        "digest": result.digest,
    }
