"""The live view: what the system sees, believes, does and earns, on one screen of 80 by 24 or more."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import ConsoleDimensions, Group, JustifyMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shared.cli.output import colored, contracts, escape, printable, usd
from shared.clock import format_instant
from shared.messages import FillRecorded, MarketSettled, SignalRaised
from shared.money import MICROS
from shared.runtime.local import Parts
from shared.runtime.stats import Stats

# Stages and their short names. A look starts when a watched book changes or a signal arrives.
_STAGES = {
    "book change to decision": "book",
    "look to decided": "decided",
    "look to durable": "durable",
    "look to answered": "answered",
}
_TOP = 8  # reasons of a kind
_WIDE = 120  # columns from which the latencies have a panel of their own
_TITLES, _LATENCY = 19, 46  # columns: reasons' titles and frame, the panel of latencies
_FIXED = 20  # lines of everything but the latest events and the alerts


def screen(parts: Parts, title: str, size: ConsoleDimensions) -> Group:
    """Everything at this moment, in as many of the latest events as there is room for."""
    top = Table.grid(expand=True, padding=(0, 1, 0, 0))
    top.add_row(_seen(parts), _found(parts.stats), _money(parts))
    middle = (_wide if size.width >= _WIDE else _narrow)(parts.stats, size.width)
    alerts = _alerts(parts.stats)
    room = max(1, size.height - _FIXED - len(alerts.plain.splitlines()))
    return Group(_head(parts, title), top, middle, _recent(parts.stats, room), alerts)


def _head(parts: Parts, title: str) -> Text:
    state = _state(parts)
    at = format_instant(parts.clock.now())[:19]
    head = Text.from_markup(f"{state}  [bold]{escape(title)}[/]  {at}Z")
    head.no_wrap, head.overflow = True, "ellipsis"
    return head


def line(parts: Parts) -> str:
    """The same in one line of plain text."""
    stats, account = parts.stats, parts.executor.account
    return (
        f"{format_instant(parts.clock.now())[:19]}Z markets {len(stats.tickers)} mapped {len(stats.mapped)} "
        f"abstained {len(stats.abstained)} assessed {stats.assessed} props {len(stats.props_compared)} "
        f"signals {stats.signals} "
        f"fills {stats.fills} contracts {contracts(stats.contracts)} settled {stats.settled} "
        f"fees {usd(account.fees)} profit {usd(account.pnl)} open {usd(account.open_cost)}"
        + (f" HALTED: {account.halted}" if account.halted else "")
        + (f" waiting: {account.waiting}" if account.waiting else "")
    )


def _state(parts: Parts) -> str:
    account = parts.executor.account
    if account.halted:
        return f"[bold red]HALTED: {escape(account.halted)}[/]"
    if account.waiting:
        return f"[yellow]waiting: {escape(account.waiting)}[/]"
    return "[bold green]trading live[/]" if parts.executor.mode == "live" else "[green]trading on paper[/]"


def _panel(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left")


def _grid(rows: Sequence[tuple[str, str]], justify: JustifyMethod = "left") -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(justify=justify, no_wrap=True)
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def _seen(parts: Parts) -> Panel:
    stats = parts.stats
    rows = [
        ("markets", f"{len(stats.tickers):,}"),
        ("listings", f"{stats.listings:,}"),
        ("live books", f"{len(parts.floor.keeper.books):,}"),
        ("book changes", f"{parts.floor.book_changes:,}"),
        ("odds events", f"{len(stats.odds_events):,}"),
        ("odds credits", "-" if stats.credits_remaining is None else f"{stats.credits_remaining:,}"),
    ]
    return _panel("seen", _grid(rows, "right"))


def _found(stats: Stats) -> Panel:
    rows = [
        ("mapped", f"{len(stats.mapped):,}"),
        ("abstained", f"{len(stats.abstained):,}"),
        ("assessed", f"{stats.assessed:,}"),
        ("edges found", f"{stats.accepted:,}"),
        ("signals", f"{stats.signals:,}"),
        ("quarantined", f"{stats.quarantined:,}"),
        ("props priced", f"{len(stats.props_compared):,} of {len(stats.props):,}"),
    ]
    return _panel("believed", _grid(rows, "right"))


def _money(parts: Parts) -> Panel:
    stats, account = parts.stats, parts.executor.account
    orders = sum(stats.orders.values())
    rows = [
        ("orders", f"{orders:,}"),
        ("fills", f"{stats.fills:,}"),
        ("contracts", contracts(stats.contracts)),
        ("settled", f"{stats.settled:,}"),
        ("fees", usd(account.fees)),
        ("open cost", usd(account.open_cost)),
        ("net profit", colored(account.pnl)),
    ]
    return _panel("done on paper", _grid(rows, "right"))


def _wide(stats: Stats, width: int) -> Table:
    """Refusals, and beside them the latencies."""
    row = Table.grid(expand=True, padding=(0, 1, 0, 0))
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    latency = Table.grid(padding=(0, 2))
    latency.add_row("[dim]stage[/]", "[dim]p50[/]", "[dim]p99[/]")
    for stage, p50, p99 in _latencies(stats):
        latency.add_row(stage, p50, p99)
    refused = _grid(_refusals(stats, width - _LATENCY - _TITLES))
    row.add_row(_panel("refused", refused), _panel("latency", latency))
    return row


def _narrow(stats: Stats, width: int) -> Panel:
    """The same in one panel, a line each."""
    found = _latencies(stats)
    p50 = [f"{_STAGES[stage]} {value}" for stage, value, _ in found]
    p99 = [f"{_STAGES[stage]} {value}" for stage, _, value in found]
    rows = [("latency p50", "  ".join(p50)), ("latency p99", "  ".join(p99))]
    return _panel("refused", _grid(_refusals(stats, width - _TITLES) + rows))


def _refusals(stats: Stats, width: int) -> list[tuple[str, str]]:
    return [
        ("not mapped", _fitting(stats.top_abstentions(_TOP), width)),
        ("edge refused", _fitting(stats.rejections.most_common(_TOP), width)),
        ("order refused", _fitting(stats.refusals.most_common(_TOP), width)),
    ]


def _fitting(reasons: list[tuple[str, int]], width: int) -> str:
    """The most frequent reasons, whole, as far as the line goes."""
    told = ""
    for name, count in reasons:
        longer = f"{told}  {name} {count:,}".lstrip()
        if len(longer) > width:
            break
        told = longer
    return escape(told)


def _latencies(stats: Stats) -> list[tuple[str, str, str]]:
    """Stage, median, 99th percentile."""
    summaries = [(stage, stats.latencies[stage].summary()) for stage in _STAGES if stage in stats.latencies]
    return [(stage, _micros(found["p50_us"]), _micros(found["p99_us"])) for stage, found in summaries]


def _micros(value: float | int | None) -> str:
    if value is None:
        return "-"
    if value < 1000:
        return f"{value:.0f} us"
    return f"{value / 1000:.1f} ms" if value < 10_000 else f"{value / 1000:,.0f} ms"


def _recent(stats: Stats, room: int) -> Panel:
    grid = Table.grid(padding=(0, 2), expand=True)
    for _ in range(3):
        grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, ratio=1)  # the rest of the line, cut where the line ends
    shown = stats.recent()[:room]
    for message in shown:
        grid.add_row(*_told(message))
    waiting = "[dim]no signal yet: the first odds and books are on their way[/]"
    return _panel("latest", grid if shown else waiting)


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
    told = [printable(f"{name}: {text}") for name, text in sorted(stats.alerts.items())]
    if stats.note:
        told.append(printable(stats.note))
    return Text("\n".join(told), style="yellow")
