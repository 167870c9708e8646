"""Our mapper beside a plain token-set-ratio matcher: false matches and coverage on traps and labels.

Run: ``python -m benchmarks.matchers [--suite DIR]``. The plain matcher compares the first text of the market
that names two sides (without one, the teams its ticker's codes stand for, so that it is not punished for a
missing text) with "away vs home" of each odds event and takes the best at or above a threshold. It may look
at every event of the market's league, or only at those of the ticker's day and one day around it.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rapidfuzz import fuzz, utils

from shared.clock import eastern_day
from shared.mapping.mapper import map_markets
from shared.mapping.parse import ParsedMarket, parse
from shared.mapping.series import Series, classify
from shared.mapping.tables import league_of_sport_key
from shared.mapping.ticker import parse_event, split_series
from shared.mapping_files import read_files
from shared.messages import MarketListed, OddsEvent
from tests.mapping import test_trap_table as trap_table

THRESHOLDS = (60, 70, 80, 90)
_REPOSITORY = Path(__file__).resolve().parents[1]

Matcher = Callable[[Sequence[MarketListed], Sequence[OddsEvent]], list[str]]


@dataclass(frozen=True, slots=True)
class Score:
    """One matcher on one set. ``wanted`` is how many markets have a right event."""

    matcher: str
    false: int
    right: int
    wanted: int
    total: int

    def cells(self) -> tuple[str, ...]:
        """Matcher, false matches of all, share of the wanted that was found."""
        share = f"{100 * self.right / self.wanted:.1f} %" if self.wanted else "-"
        return (self.matcher, f"{self.false:,} of {self.total:,}", share)


def ours(markets: Sequence[MarketListed], events: Sequence[OddsEvent]) -> list[str]:
    """Our mapper: the odds event of each market, empty where it refuses."""
    return [decision.odds_event_id for decision in map_markets(markets, events)]


def token_set(threshold: float, by_day: bool) -> Matcher:
    """The plain matcher at a threshold, with or without a filter by day."""

    def match(markets: Sequence[MarketListed], events: Sequence[OddsEvent]) -> list[str]:
        pools: dict[str, list[OddsEvent]] = {}
        for event in events:
            for league in league_of_sport_key(event.sport_key):
                pools.setdefault(league.name, []).append(event)
        return [_best(market, pools, threshold, by_day) for market in markets]

    return match


def _best(market: MarketListed, pools: dict[str, list[OddsEvent]], threshold: float, by_day: bool) -> str:
    name, rest = split_series(market.event_ticker, market.series_ticker)
    series, game = classify(name), parse_event(rest)
    if not isinstance(series, Series) or game is None:
        return ""
    pool = pools.get(series.league.name, [])
    if by_day:
        pool = [event for event in pool if _days_apart(event, game.day) <= 1]
    text = utils.default_process(_text(market))
    scored = [(fuzz.token_set_ratio(text, _named(event)), event.id) for event in pool]
    score, best = max(scored, default=(0.0, ""))
    return best if score >= threshold else ""


def _text(market: MarketListed) -> str:
    texts = (market.event_title, market.title, market.rules_primary)
    named = next((text for text in texts if " vs " in text or " at " in text), "")
    if named:
        return named
    parsed = parse(market)
    return (
        " vs ".join(parsed.teams[0]) if isinstance(parsed, ParsedMarket) and parsed.teams else market.ticker
    )


def _named(event: OddsEvent) -> str:
    return utils.default_process(f"{event.away} vs {event.home}")


def _days_apart(event: OddsEvent, day: date) -> int:
    if event.starts_at is None:
        return 99
    return abs((date.fromisoformat(eastern_day(event.starts_at)) - day).days)


# --- the two sets ------------------------------------------------------------------------------------------


def on_traps(name: str, matcher: Matcher) -> Score:
    """Every trap alone with its market, and every honest neighbour alone with its."""
    false = right = 0
    for row in trap_table.ROWS:
        market = trap_table.market_of(row)
        false += bool(matcher([market], [trap_table.trap_of(row)])[0])
        honest = trap_table.honest_of(row)
        right += honest is not None and bool(matcher([market], [honest])[0])
    return Score(name, false, right, len(trap_table.HONEST), len(trap_table.ROWS))


def on_suite(name: str, matcher: Matcher, folder: Path) -> Score:
    """The labelled suite: a match that is not the expected event is false."""
    markets, events = read_files([folder / "markets.jsonl.gz"], [folder / "odds_events.jsonl.gz"])
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["kalshi_ticker"]: row["odds_event_id"] for row in csv.DictReader(file)}
    found = dict(zip((market.ticker for market in markets), matcher(markets, events), strict=True))
    right = sum(bool(want) and found.get(ticker) == want for ticker, want in expected.items())
    false = sum(bool(have) and have != expected.get(ticker, "") for ticker, have in found.items())
    return Score(name, false, right, sum(map(bool, expected.values())), len(expected))


def matchers() -> list[tuple[str, Matcher]]:
    """Ours first, then the plain one without and with a filter by day."""
    plain = [
        (f"token set ≥ {threshold}" + (", same day ± 1" if by_day else ""), token_set(threshold, by_day))
        for by_day in (False, True)
        for threshold in THRESHOLDS
    ]
    return [("this mapper", ours), *plain]


def default_suite() -> Path:
    """``CORPUS_DIR/mapping``, by default beside the repository."""
    return Path(os.environ.get("CORPUS_DIR") or _REPOSITORY.parent / "shared" / "data") / "mapping"


def main(argv: Sequence[str] | None = None) -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matchers", description=__doc__)
    parser.add_argument("--suite", type=Path, default=default_suite(), help="folder of a labelled suite")
    options = parser.parse_args(argv)
    print(f"{'matcher':<30} | traps accepted | honest neighbours found")
    for name, matcher in matchers():
        print(_line(on_traps(name, matcher)))
    if not options.suite.exists():
        print(f"no labelled suite in {options.suite}; name one with --suite")
        return
    print(f"\n{'matcher':<30} | false matches  | coverage")
    for name, matcher in matchers():
        print(_line(on_suite(name, matcher, options.suite)))


def _line(score: Score) -> str:
    name, false, share = score.cells()
    return f"{name:<30} | {false:<14} | {share}"


if __name__ == "__main__":
    main()
