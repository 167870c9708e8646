"""What is counted: every statistic a prop can be about, with the words for it, its market at the bookmakers,
the thresholds that make sense, and the model that carries one line to another.

Models and their shapes were measured on 53,588 recorded basketball quotes and 3,940 two-sided baseball ones
(``docs/props.md``): a Poisson mean is within 1.3c for assists and threes, points need a negative binomial of
size 10. A shape that could not be measured is wide on purpose: its error keeps it from being traded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from shared.terms import MarketKind, Period


class Model(StrEnum):
    """How a count is distributed around its mean."""

    POISSON = "poisson"
    NEGATIVE_BINOMIAL = "negative_binomial"
    NORMAL = "normal"
    NONE = "none"  # no line is carried anywhere


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic of one sport.

    ``shape``: size of the negative binomial, or the normal's deviation as a share of the line. ``slack`` is
    how much of it is not known, as a share: it becomes the model's error. ``book_market`` is empty when no
    bookmaker quotes the statistic.
    """

    sport: str
    name: str
    words: tuple[str, ...]
    book_market: str
    highest: int
    model: Model
    shape: float = 0.0
    slack: float = 0.0

    @property
    def prop_type(self) -> str:
        """The name as a key: ``points + assists`` is ``points_assists``."""
        return self.name.replace(" + ", "_").replace(" ", "_")


# sport | statistic | other words for it | bookmakers' market | highest | model, shape, share of it not known
_TABLE = """
basketball|points|pts|player_points|100|negative_binomial 10 0.3
basketball|rebounds||player_rebounds|45|negative_binomial 40 0.6
basketball|assists||player_assists|35|poisson
basketball|threes|three pointers,3-pointers,3pt|player_threes|20|poisson
basketball|steals||player_steals|15|poisson
basketball|blocks||player_blocks|18|poisson
basketball|turnovers||player_turnovers|18|poisson
basketball|points + assists||player_points_assists|120|negative_binomial 13 0.5
basketball|points + rebounds||player_points_rebounds|120|negative_binomial 13 0.5
basketball|rebounds + assists||player_rebounds_assists|60|negative_binomial 30 0.5
basketball|points + rebounds + assists||player_points_rebounds_assists|140|negative_binomial 15 0.5
basketball|blocks + steals|steals + blocks|player_blocks_steals|25|poisson
basketball|field goals||player_field_goals|45|negative_binomial 15 0.5
basketball|free throws||player_frees_made|40|negative_binomial 6 0.5
basketball|double double|double-double||1|none
basketball|triple double|triple-double||1|none
football|passing yards||player_pass_yds|600|normal 0.28 0.4
football|passing touchdowns|passing tds|player_pass_tds|8|poisson
football|passing attempts|pass attempts|player_pass_attempts|75|normal 0.2 0.4
football|completions||player_pass_completions|50|normal 0.22 0.4
football|interceptions||player_pass_interceptions|7|poisson
football|rushing yards||player_rush_yds|300|normal 0.5 0.4
football|rushing attempts|carries|player_rush_attempts|45|negative_binomial 20 0.5
football|receiving yards||player_reception_yds|350|normal 0.6 0.4
football|receptions||player_receptions|25|negative_binomial 15 0.5
football|touchdowns|anytime touchdown|player_tds_over|6|poisson
football|first touchdown|1st touchdown||1|none
football|sacks||player_sacks|8|poisson
football|tackles||player_tackles_assists|25|negative_binomial 15 0.5
football|kicking points||player_kicking_points|30|negative_binomial 10 0.5
football|field goals||player_field_goals|9|poisson
baseball|hits||batter_hits|7|poisson
baseball|home runs||batter_home_runs|5|poisson
baseball|total bases||batter_total_bases|20|negative_binomial 1.8 0.4
baseball|rbis|runs batted in|batter_rbis|12|negative_binomial 1.2 0.5
baseball|runs|runs scored|batter_runs_scored|7|poisson
baseball|stolen bases||batter_stolen_bases|6|poisson
baseball|walks||batter_walks|6|poisson
baseball|singles||batter_singles|6|poisson
baseball|doubles||batter_doubles|5|poisson
baseball|hits + runs + rbis||batter_hits_runs_rbis|20|negative_binomial 2.5 0.5
baseball|strikeouts||pitcher_strikeouts|22|poisson
baseball|outs|outs recorded|pitcher_outs|27|normal 0.25 0.4
baseball|hits allowed||pitcher_hits_allowed|18|poisson
baseball|earned runs||pitcher_earned_runs|14|poisson
hockey|goals||player_goals|6|poisson
hockey|assists||player_assists|7|poisson
hockey|points||player_points|9|poisson
hockey|shots|shots on goal|player_shots_on_goal|18|poisson
hockey|saves||player_total_saves|70|normal 0.22 0.4
hockey|blocked shots||player_blocked_shots|14|poisson
hockey|power play points||player_power_play_points|5|poisson
hockey|first goal|1st goal||1|none
"""


def _row(line: str) -> Statistic:
    sport, name, words, market, highest, law = line.split("|")
    model, *figures = law.split()
    shape, slack = (float(figure) for figure in figures) if figures else (0.0, 0.0)
    wordings = (name, *(word for word in words.split(",") if word))
    return Statistic(sport, name, wordings, market, int(highest), Model(model), shape, slack)


STATISTICS: tuple[Statistic, ...] = tuple(_row(line) for line in _TABLE.strip().splitlines())

# Where a line translated by these rules becomes a whole game of one kind of market.
KIND, PERIOD = MarketKind.PLAYER_PROP, Period.FULL_GAME


@lru_cache(maxsize=1)
def by_name() -> dict[tuple[str, str], Statistic]:
    """Every statistic by sport and name."""
    return {(one.sport, one.name): one for one in STATISTICS}


@lru_cache(maxsize=1)
def by_book_market() -> dict[tuple[str, str], Statistic]:
    """Every statistic by sport and the bookmakers' market key."""
    return {(one.sport, one.book_market): one for one in STATISTICS if one.book_market}


def in_words(sport: str, text: str) -> Statistic | None:
    """The statistic a title speaks of: the longest wording found in it; ``None`` when none is."""
    plain = f" {' '.join(text.lower().replace(':', ' ').replace('?', ' ').split())} "
    found = [
        (len(words), one)
        for one in STATISTICS
        if one.sport == sport
        for words in one.words
        if f" {words} " in plain
    ]
    return max(found, key=lambda hit: hit[0])[1] if found else None
