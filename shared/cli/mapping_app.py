"""The command groups ``arb mapping`` and ``arb aliases``: their options, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

mapping = typer.Typer(help="What maps, what does not, and why.", no_args_is_help=True)
aliases = typer.Typer(help="The team tables: proposals for review, and a check.", no_args_is_help=True)

Markets = Annotated[list[Path], typer.Option("--markets", help="Recorded Kalshi pages, one or more.")]
Odds = Annotated[list[Path], typer.Option("--odds", help="Recorded odds events, one or more.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of a run, used without files; default: the newest.")
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON instead of tables.")]


@mapping.command()
def report(
    markets: Markets = [],  # noqa: B006 - typer copies it
    odds: Odds = [],  # noqa: B006
    data_dir: DataDir = None,
    league: Annotated[str, typer.Option(help="Only this league, e.g. MLB.")] = "",
    rows: Annotated[int, typer.Option(help="How many rows of the large table.")] = 40,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page with charts.")] = None,
    json: Json = False,
) -> None:
    """By league, day and kind: what exists, what mapped, what was refused and why, what is unknown."""
    from shared.cli.mapping import report_command

    report_command(markets, odds, data_dir, league, rows, html, json)


@mapping.command()
def explain(
    ticker: Annotated[str, typer.Argument(help="A market's ticker.")],
    markets: Markets = [],  # noqa: B006
    odds: Odds = [],  # noqa: B006
    data_dir: DataDir = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment of the mapping, RFC 3339.")] = None,
    json: Json = False,
) -> None:
    """One market step by step: what was read, which events were looked at, the certificate."""
    from shared.cli.mapping import explain_command

    explain_command(ticker, markets, odds, data_dir, as_of, json)


@aliases.command()
def propose(
    markets: Markets = [],  # noqa: B006
    odds: Odds = [],  # noqa: B006
    data_dir: DataDir = None,
    out: Annotated[Path, typer.Option("--out", help="CSV to write; - for standard output.")] = Path("-"),
    json: Json = False,
) -> None:
    """Names and codes no table knows, with the teams they may mean and where seen; decides nothing."""
    from shared.cli.aliases import propose_command

    propose_command(markets, odds, data_dir, out, json)


@aliases.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Edited team tables, checked in place of those of their name.")
    ] = None,
    json: Json = False,
) -> None:
    """Whether any alias, code or id leads to two teams of one league and gender."""
    from shared.cli.aliases import check_command

    raise typer.Exit(check_command(files or (), json))
