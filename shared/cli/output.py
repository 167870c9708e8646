"""How commands speak: tables for people, JSON for programs, one clear line for an error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.markup import escape as markup_escape
from rich.table import Table

from shared.errors import ArbError, OperatorError
from shared.money import LOTS, Usd, format_usd

# Redirected output has no width of its own; 80 columns would fold every ticker.
_WIDTH = None if sys.stdout.isatty() else 150

# A file option with this value means standard output.
STDOUT = Path("-")

console = Console(width=_WIDTH)
errors = Console(stderr=True)


def spread(arguments: Sequence[str], many: Sequence[str]) -> list[str]:
    """Repeat each option of ``many`` before every value that follows it, up to the next option."""
    result: list[str] = []
    current = ""
    fresh = False
    for argument in arguments:
        if argument.startswith("-") and argument != "-":
            current, fresh = (argument, True) if argument in many else ("", False)
            result.append(argument)
            continue
        if current and not fresh:
            result.append(current)
        fresh = False
        result.append(argument)
    return result


def fail(error: ArbError) -> NoReturn:
    """Print what is wrong and leave: 2 when a person must act, else 1."""
    errors.print(f"[bold red]error[/]: {escape(str(error))}", highlight=False, soft_wrap=True)
    sys.exit(2 if isinstance(error, OperatorError) else 1)


def escape(text: str) -> str:
    """Text from outside, harmless to the terminal's markup and control codes."""
    return markup_escape(printable(text))


def printable(text: str) -> str:
    """Text without control codes, which could move the cursor or rename the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    encoded = msgspec.json.encode(value, enc_hook=_plain, order="deterministic")
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table whose cells are escaped text; numbers and money are aligned right."""
    # A table narrower than its title would fold the title.
    made = Table(title=title, title_justify="left", header_style="bold", min_width=len(title))
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Styled) else escape(str(cell)) for cell in row))
    return made


def usd(micros: int) -> str:
    """Dollars and cents, sign first: ``-$1.23``."""
    cents = f"{abs(micros) / 1_000_000:,.2f}"
    return f"{'-' if micros < 0 else ''}${cents}"


def exact_usd(micros: int) -> str:
    """Dollars to the micro-dollar where there are any."""
    return f"${format_usd(Usd(micros))}"


def contracts(lots: int) -> str:
    """Contracts from hundredths, without idle decimals."""
    return f"{lots / LOTS:,.2f}".rstrip("0").rstrip(".")


class Styled(str):
    """Markup of our own, to be shown as it is."""

    __slots__ = ()


def colored(micros: int) -> Styled:
    """Dollars in green or red."""
    style = "green" if micros > 0 else "red" if micros < 0 else "dim"
    return Styled(f"[{style}]{usd(micros)}[/]")


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
