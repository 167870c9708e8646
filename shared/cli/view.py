"""The live view: what the system sees, believes, does and earns, on one screen."""

from __future__ import annotations

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shared.cli.output import colored, contracts, escape, usd
from shared.clock import format_instant
from shared.messages import FillRecorded, MarketSettled, SignalRaised
from shared.money import MICROS
from shared.runtime.local import Parts
from shared.runtime.stats import Stats

# A look starts when a watched book changes or a signal arrives.
_STAGES = ("book change to decision", "look to decided", "look to durable", "look to answered")


def screen(parts: Parts, title: str) -> Group:
    """Everything at this moment."""
    account = parts.executor.account
    head = Text.from_markup(
        f"[bold]{escape(title)}[/]  {format_instant(parts.clock.now())[:19]}Z  "
        + (
            f"[bold red]HALTED: {escape(account.halted)}[/]"
            if account.halted
            else "[green]trading on paper[/]"
        )
    )
    top = Table.grid(expand=True, padding=(0, 1))
    top.add_row(_seen(parts), _found(parts.stats), _money(parts))
    bottom = Table.grid(expand=True, padding=(0, 1))
    bottom.add_row(_reasons(parts.stats), _latencies(parts))
    return Group(head, top, bottom, _recent(parts.stats), _alerts(parts.stats))


def line(parts: Parts) -> str:
    """The same in one line."""
    stats, ledger = parts.stats, parts.executor.account.ledger
    return (
        f"{format_instant(parts.clock.now())[:19]}Z markets {len(stats.tickers)} mapped {len(stats.mapped)} "
        f"abstained {len(stats.abstained)} assessed {stats.assessed} signals {stats.signals} "
        f"fills {stats.fills} contracts {contracts(stats.contracts)} settled {stats.settled} "
        f"fees {usd(ledger.fees)} profit {usd(ledger.pnl)} open {usd(ledger.open_cost)}"
    )


def _grid(rows: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(justify="right")
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def _seen(parts: Parts) -> Panel:
    stats = parts.stats
    rows = [
        ("markets scanned", f"{len(stats.tickers):,}"),
        ("listings", f"{stats.listings:,}"),
        ("live books", f"{len(parts.floor.keeper.books):,}"),
        ("book changes", f"{parts.floor.book_changes:,}"),
        ("odds events", f"{len(stats.odds_events):,}"),
        ("odds credits left", "-" if stats.credits_remaining is None else f"{stats.credits_remaining:,}"),
    ]
    return Panel(_grid(rows), title="seen", title_align="left")


def _found(stats: Stats) -> Panel:
    rows = [
        ("mapped", f"{len(stats.mapped):,}"),
        ("abstained", f"{len(stats.abstained):,}"),
        ("opportunities", f"{stats.assessed:,}"),
        ("edges found", f"{stats.accepted:,}"),
        ("signals", f"{stats.signals:,}"),
        ("quarantined", f"{stats.quarantined:,}"),
    ]
    return Panel(_grid(rows), title="believed", title_align="left")


def _money(parts: Parts) -> Panel:
    stats, ledger = parts.stats, parts.executor.account.ledger
    orders = sum(stats.orders.values())
    rows = [
        ("paper orders", f"{orders:,}"),
        ("fills", f"{stats.fills:,} ({contracts(stats.contracts)} contracts)"),
        ("settled markets", f"{stats.settled:,}"),
        ("fees", usd(ledger.fees)),
        ("open at cost", usd(ledger.open_cost)),
        ("profit after fees", colored(ledger.pnl)),
    ]
    return Panel(_grid(rows), title="done", title_align="left")


def _reasons(stats: Stats) -> Panel:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_row(
        "[dim]not mapped because[/]", "", "[dim]edge refused because[/]", "", "[dim]order refused[/]", ""
    )
    columns = (stats.top_abstentions(4), stats.rejections.most_common(4), stats.refusals.most_common(4))
    for index in range(4):
        cells: list[str] = []
        for column in columns:
            name, count = column[index] if index < len(column) else ("", 0)
            cells += [escape(name), f"{count:,}" if count else ""]
        grid.add_row(*cells)
    return Panel(grid, title="refused", title_align="left")


def _latencies(parts: Parts) -> Panel:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("[dim]stage[/]", "[dim]p50[/]", "[dim]p99[/]")
    for stage in _STAGES:
        latency = parts.stats.latencies.get(stage)
        if latency is not None:
            found = latency.summary()
            grid.add_row(stage, _micros(found["p50_us"]), _micros(found["p99_us"]))
    return Panel(grid, title="latency", title_align="left")


def _micros(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f} us" if value < 1000 else f"{value / 1000:,.1f} ms"


def _recent(stats: Stats) -> Panel:
    grid = Table.grid(padding=(0, 2))
    shown = stats.recent()
    for message in shown:
        grid.add_row(*_told(message))
    if not shown:
        grid.add_row("[dim]no signal yet: the first odds and books are on their way[/]")
    return Panel(grid, title="latest", title_align="left")


def _told(message: SignalRaised | FillRecorded | MarketSettled) -> tuple[str, ...]:
    match message:
        case SignalRaised():
            belief = f"fair {message.fair_probability:.3f}, net {100 * message.net_edge:.1f}c"
            return (
                "[cyan]signal[/]",
                escape(message.ticker),
                f"{message.side} to ${message.limit / MICROS:.2f}",
                f"{belief}, confidence {message.confidence:.0f}",
            )
        case FillRecorded():
            return (
                "[green]fill[/]",
                escape(message.ticker),
                f"{contracts(message.quantity)} {message.side} at ${message.price / MICROS:.2f}",
                f"fee ${message.fee / MICROS:.4f}",
            )
        case MarketSettled():
            return ("[magenta]settled[/]", escape(message.ticker), message.result, colored(message.pnl))


def _alerts(stats: Stats) -> Text:
    told = [f"{name}: {text}" for name, text in sorted(stats.alerts.items())]
    if stats.note:
        told.append(stats.note)
    return Text("\n".join(told), style="yellow")
