"""Which of the exchange's series are player props of our leagues, found in its own list of series.

A suffix in the mapper's table is known. One that is not is read from the series' title: a league of ours, a
statistic in words, nothing that speaks of a season, a team or an award. A wrong find costs one call; the
markets themselves are still read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.mapping.series import Series, classify
from shared.mapping.tables import KindRow, League, leagues
from shared.props import statistics
from shared.props.statistics import Statistic
from shared.terms import MarketKind

LEAGUES = ("NBA", "WNBA", "NFL", "MLB", "NHL")

_NOT_ONE_GAME = re.compile(
    r"\b(?:season|career|leader|leaders|team|teams|total|award|mvp|week|month|record|wins|series|half|quarter|"
    r"inning|innings|period|matchup|combined|longest|most|first to)\b"
)


@dataclass(frozen=True, slots=True)
class PropSeries:
    """A series of player props: its place in the mapper's terms, and what it counts."""

    series: Series
    statistic: Statistic

    @property
    def ticker(self) -> str:
        """Ticker of the series."""
        return self.series.ticker

    @property
    def league(self) -> League:
        """League of the games it is about."""
        return self.series.league


def prop_series(ticker: str, title: str = "") -> PropSeries | None:
    """The player props that a series is about; ``None`` when it is about something else."""
    found = classify(ticker)
    if isinstance(found, Series):
        statistic = statistics.by_name().get((found.league.sport, found.row.statistic))
        is_prop = found.row.kind is MarketKind.PLAYER_PROP and found.league.name in LEAGUES
        return PropSeries(found, statistic) if is_prop and statistic else None
    if found.code != "unknown_series":
        return None
    return _from_title(ticker, title)


def discover(listed: Iterable[tuple[str, str]], only: Collection[str] = ()) -> list[PropSeries]:
    """Every prop series in ``(ticker, title)`` pairs, of the leagues ``only`` (lower case; empty: all)."""
    found = [series for ticker, title in listed if (series := prop_series(ticker, title))]
    return [series for series in found if not only or series.league.name.lower() in only]


def _from_title(ticker: str, title: str) -> PropSeries | None:
    league = _league(ticker)
    if league is None or _NOT_ONE_GAME.search(title.lower()):
        return None
    statistic = statistics.in_words(league.sport, title)
    if statistic is None:
        return None
    row = KindRow(statistics.KIND, statistics.PERIOD, statistic.name, statistic.book_market, "included")
    return PropSeries(Series(ticker, league, row), statistic)


def _league(ticker: str) -> League | None:
    """Our league whose stem the ticker starts with; the longest stem wins."""
    body = ticker.removeprefix("KX")
    stems = [
        (len(stem), league)
        for league in leagues()
        for stem in league.stems
        if ticker.startswith("KX") and body.startswith(stem)
    ]
    league = max(stems, key=lambda hit: hit[0])[1] if stems else None
    return league if league is not None and league.name in LEAGUES else None
