"""``arb``: every command, its options and its exit codes.

0 done, 1 the answer is no (a drift, a red check), 2 a person must act (the message says how), 3 it could not
be found out (kill), 130 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.deadletters import deadletters
from shared.cli.mapping_app import aliases, mapping
from shared.cli.output import fail, spread
from shared.errors import ArbError
from shared.terms import Profile

app = typer.Typer(
    help="Kalshi-first sports arbitrage: certified mapping, fee-true edges, book-true fills, exact history.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(mapping, name="mapping")
app.add_typer(aliases, name="aliases")
app.add_typer(deadletters, name="deadletters")

# Click gives an option one value; these take any number, as in ``--markets a.json b.json``.
_MANY = ("--markets", "--odds")

Json = Annotated[bool, typer.Option("--json", help="Print data as JSON instead of tables.")]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where state and history are; default: the newest run.")
]


@app.command()
def run(
    demo: Annotated[
        bool, typer.Option("--demo", help="Against the built-in simulator, even with keys.")
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Real orders; asks for a typed confirmation.")] = False,
    profile: Annotated[Profile | None, typer.Option(help="How much net edge to ask for.")] = None,
    seed: Annotated[int, typer.Option(help="Demo: the simulated season.")] = 1,
    speed: Annotated[float, typer.Option(help="Demo: simulated seconds per second.")] = 60.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after this long; default: until Ctrl-C.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="One line every few seconds, no live view.")] = False,
    json: Json = False,
    api: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Serve the HTTP API on this loopback port; 0 picks one."),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="JSON log lines, also on standard error without a view.")
    ] = False,
) -> None:
    """The whole system in one process: scan, map, price, detect, gate, fill, settle, keep.

    Without keys it trades on paper against the built-in simulator; with keys, on paper against the real
    market.
    """
    from shared.cli.run import run_command

    run_command(demo, live, profile, seed, speed, seconds, plain, json, api, log_json)


@app.command()
def replay(
    paths: Annotated[
        list[Path], typer.Argument(help="Recorded files or folders: markets, odds, book frames.")
    ],
    profile: Annotated[Profile, typer.Option(help="How much net edge to ask for.")] = Profile.ANY_EDGE,
    latency_ms: Annotated[int, typer.Option(min=0, help="Time an order takes to reach the book.")] = 50,
    odds_age_s: Annotated[
        float | None, typer.Option(help="Oldest usable bookmaker quote; default: the live rule.")
    ] = None,
    quote_age_s: Annotated[
        float | None, typer.Option(help="Oldest usable exchange quote; default: the live rule.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Also keep history here, for pnl, signals, why.")
    ] = None,
    show: Annotated[
        int, typer.Option(min=0, help="How many of the best refused opportunities to list.")
    ] = 10,
    json: Json = False,
) -> None:
    """Play recorded payloads through the same engine.

    Signals with reasons, what they would have filled, P&L.
    """
    from shared.cli.replay import replay_command

    replay_command(paths, profile, latency_ms, odds_age_s, quote_age_s, data_dir, show, json)


@app.command(name="map")
def map_(
    markets: Annotated[list[Path], typer.Option("--markets", help="Recorded Kalshi pages, one or more.")],
    odds: Annotated[list[Path], typer.Option("--odds", help="Recorded odds events, one or more.")],
    out: Annotated[Path, typer.Option("--out", help="CSV to write; - for standard output.")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="Moment of the mapping, RFC 3339.")] = None,
) -> None:
    """Map recorded Kalshi markets to recorded odds events: one row per market, always with the reason."""
    from shared.cli.mapping import map_command

    map_command(markets, odds, out, as_of)


@app.command()
def sim(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on the loopback address; 0 picks a free one.")
    ] = 8700,
    seed: Annotated[int, typer.Option(help="The same seed gives the same season.")] = 1,
    speed: Annotated[float, typer.Option(help="Simulated seconds per second.")] = 1.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after this long; default: until Ctrl-C.")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option("--scenario", help="What goes wrong, as JSON; see docs/simulator.md.")
    ] = None,
) -> None:
    """The simulated venues as a real server: point any Kalshi or Odds API client at it."""
    from shared.cli.sim import sim_command

    sim_command(port, seed, speed, seconds, scenario)


@app.command()
def doctor(json: Json = False) -> None:
    """Keys, clock skew, addresses, quotas and storage: green or red, with the fix."""
    from shared.cli.doctor import doctor_command

    raise typer.Exit(doctor_command(json))


@app.command()
def status(data_dir: DataDir = None, json: Json = False) -> None:
    """State of the newest run: halted or not, cash, open orders."""
    from shared.cli.control import status_command

    status_command(data_dir, json)


@app.command()
def halt(
    reason: Annotated[str, typer.Argument(help="Why; shown wherever an order is refused.")],
    data_dir: DataDir = None,
) -> None:
    """Stop all trading, also in a running process, until someone resumes."""
    from shared.cli.control import halt_command

    halt_command(reason, data_dir)


@app.command()
def kill(
    seconds: Annotated[float, typer.Option(min=1, help="Give up after this long.")] = 120.0,
    settle: Annotated[float, typer.Option(min=0, help="How long nothing must rest, seconds.")] = 12.0,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Cancel every order at the exchange, now, without the trading process; and halt it if it can be told.

    Uses KALSHI_KILL_KEY_ID and its key, else the trading key. Works when no document can be read. Exit codes:
    0 nothing rests, 1 orders still rest, 2 a person must act, 3 not known what rests.
    """
    from shared.cli.kill import kill_command

    raise typer.Exit(kill_command(seconds, settle, data_dir, json))


@app.command()
def resume(data_dir: DataDir = None) -> None:
    """Let trading go on after a halt; asks first."""
    from shared.cli.control import resume_command

    resume_command(data_dir)


@app.command()
def pnl(data_dir: DataDir = None, json: Json = False) -> None:
    """Profit after fees by day and league, and what is open."""
    from shared.cli.history import pnl_command

    pnl_command(data_dir, json)


@app.command()
def signals(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Signals with what they filled, and why the rest was refused."""
    from shared.cli.history import signals_command

    signals_command(limit, data_dir, json)


@app.command()
def props(
    date: Annotated[str, typer.Option(help="YYYY-MM-DD, TODAY or YESTERDAY (Eastern).")] = "TODAY",
    player: Annotated[str, typer.Option(help="Only players whose name holds this.")] = "",
    prop: Annotated[str, typer.Option(help="Only this prop, e.g. points or total_bases.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="How many rungs; 0 for all.")] = 30,
    chart: Annotated[
        Path | None, typer.Option(help="Write one ladder against the books' curve as an HTML page.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Player-prop ladders beside the bookmakers' lines: fair value, way, net edge both ways, every reason."""
    from shared.cli.props import props_command

    props_command(date, player, prop, limit, chart, data_dir, json)


@app.command()
def why(
    order_id: Annotated[str, typer.Argument(help="An order or signal id, or its first characters.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Why an order was sent: signal, edge, books, mapping certificate, controls, fills, result."""
    from shared.cli.history import why_command

    why_command(order_id, data_dir, json)


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="A view; without one, all are listed.")] = "",
    since: Annotated[
        str, typer.Option(help="Only rows since this day or moment (UTC unless it says otherwise).")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many rows, newest first.")] = 50,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Ask history: P&L cut any way, exposure, fill quality, closing lines, coverage, refusals, credits.

    The views are those that BigQuery has; without a name they are listed with the question each answers.
    """
    from shared.cli.query import query_command

    query_command(name, since, limit, data_dir, json)


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when files have drifted.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the schemas are.")] = Path("infra/schemas"),
    views: Annotated[Path, typer.Option(help="Where the views are.")] = Path("infra/bigquery"),
) -> None:
    """Write the Pub/Sub, BigQuery and DuckDB schemas and the staging views, generated from the messages."""
    from shared.cli.schema import schema_command

    raise typer.Exit(schema_command(folder, views, check))


@app.command()
def probe(
    lines: Annotated[int, typer.Option(min=1, max=50, help="How many lines to open to each venue.")] = 5,
    questions: Annotated[int, typer.Option(min=1, max=200, help="How often to ask on each.")] = 20,
    json: Json = False,
) -> None:
    """How far the venues are from here: run it from every region that is in question."""
    from shared.cli.probe import probe_command

    raise typer.Exit(probe_command(lines, questions, json))


@app.command()
def cost(
    markets: Annotated[
        int | None, typer.Option(min=1, help="Listed markets to reckon with; default: as measured.")
    ] = None,
    measured: Annotated[
        Path | None, typer.Option(help="Another measurement, from python -m benchmarks.cloud_cycle.")
    ] = None,
    json: Json = False,
) -> None:
    """What a month on Google Cloud costs at one-minute, ten-second and streaming operation."""
    from shared.cli.cost import cost_command

    cost_command(markets, measured, json)


def main() -> None:
    """Entry point: runs a command, turns the system's errors into one line that says what to do."""
    try:
        app(args=spread(sys.argv[1:], _MANY), prog_name="arb")
    except ArbError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
