"""``arb cost``: a month on Google Cloud, from what was measured and the prices of one day."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from shared.analytics.cost import (
    GOAL_USD,
    PRICES_OF,
    Bill,
    Cycle,
    Deployment,
    Model,
    Saving,
    savings,
    scaled,
)
from shared.cli.output import console, print_json, table
from shared.errors import ConfigError


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What ``python -m benchmarks.cloud_cycle`` writes."""

    command: str
    season: str
    markets: int
    framework_ms: float
    deployment: Deployment
    one_minute: Cycle
    ten_seconds: Cycle
    streaming: Cycle


def cost_command(markets: int | None, measured: Path | None, json: bool) -> None:
    """Print the bills of every way to operate."""
    found = load_measured(measured)
    count = markets or found.markets
    bills, ways = bills_of(found, count), savings_of(found, count)
    if json:
        print_json(_data(found, count, bills, ways))
    else:
        _show(found, count, bills)
        for way in ways:
            console.print(f"one minute, {way.change}: {_usd(way.usd)}", highlight=False)


def load_measured(path: Path | None = None) -> Measured:
    """The measurement that comes with the package, or another; raises :class:`ConfigError`."""
    place = path if path is not None else files("shared.analytics") / "measured.json"
    try:
        return msgspec.json.decode(place.read_bytes(), type=Measured)
    except (OSError, msgspec.DecodeError) as exc:
        raise ConfigError(
            f"{place}: no measurement ({exc}); python -m benchmarks.cloud_cycle writes one"
        ) from exc


def bills_of(found: Measured, markets: int) -> list[Bill]:
    """Functions by the minute, a worker by ten seconds and by stream, and all in the executor's process."""
    model = Model(found.deployment, found.framework_ms)
    factor = markets / found.markets
    return [
        model.functions("one minute", scaled(found.one_minute, factor)),
        model.one_worker("ten seconds", scaled(found.ten_seconds, factor)),
        model.one_worker("streaming", scaled(found.streaming, factor)),
        model.one_worker("streaming, one process", scaled(found.streaming, factor), beside=False),
    ]


def savings_of(found: Measured, markets: int) -> tuple[Saving, ...]:
    """What would bring one-minute operation down."""
    model = Model(found.deployment, found.framework_ms)
    return savings(model, scaled(found.one_minute, markets / found.markets))


def _show(found: Measured, markets: int, bills: list[Bill]) -> None:
    names = list(dict.fromkeys(item.name for bill in bills for item in bill.items))
    by_name = [{item.name: item for item in bill.items} for bill in bills]
    rows = [
        (name, *(_usd(items[name].usd) if name in items else "" for items in by_name), by_name[0][name].basis)
        for name in names
    ]
    rows.append(("total", *(_usd(bill.usd) for bill in bills), _verdict(bills[0])))
    title = f"dollars a month, {markets:,} markets, prices of {PRICES_OF}, odds feed not included"
    columns = ("", *(f">{bill.mode}" for bill in bills), "one minute is made of")
    console.print(table(title, columns, rows))
    console.print(f"measured on {found.season}, {found.markets:,} markets; again: {found.command}")


def _verdict(bill: Bill) -> str:
    word = "within" if bill.usd <= GOAL_USD else "above"
    return f"{word} the goal of ${GOAL_USD:,.0f}"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"


def _data(found: Measured, markets: int, bills: list[Bill], ways: tuple[Saving, ...]) -> dict[str, Any]:
    modes = {
        bill.mode: {
            "usd": round(bill.usd, 2),
            "items": [{"name": i.name, "usd": round(i.usd, 2), "basis": i.basis} for i in bill.items],
        }
        for bill in bills
    }
    return {
        "prices_of": PRICES_OF,
        "goal_usd": GOAL_USD,
        "markets": markets,
        "measured": found.command,
        "modes": modes,
        "not_done": [{"change": way.change, "usd": round(way.usd, 2)} for way in ways],
    }
