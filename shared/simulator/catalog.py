"""The exchange's listing of a game: series, events and contracts with the very words real ones carry.

Only texts and static fields are made here; quotes and life are the exchange's. Sentences follow rows
recorded in August to October 2026 with their unevenness: places or clubs in the rules, "more 5.5 runs",
labels of NO.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from shared.clock import DAY, EASTERN, HOUR, MINUTE, Instant, format_instant, to_datetime
from shared.ids import as_uuid, digest
from shared.simulator.contracts import GRIDS, Asks, Contract, Event, Json, Question, Series
from shared.simulator.league import Scoring, Team
from shared.simulator.model import State
from shared.simulator.schedule import Game

_DISCLAIMER = (
    "Kalshi is not affiliated, associated, authorized, endorsed by, or in any way officially "
    "connected with the Governing League. All trademarks, logos, and brand names are the property of their "
    "respective owners."
)
_LATE = (
    "If the game is postponed but begins within 48 hours from its originally scheduled start time, the "
    "market will remain open and resolve based on the official final result. If the game is not started "
    "within 48 hours, the market will resolve to a fair price."
)
_LATE_BASEBALL = (
    "If this game is postponed or delayed, the market will remain open and close after the rescheduled "
    "game has finished (within two days). If the game is cancelled or rescheduled to over two days away, the "
    "market will resolve to a fair price in accordance with the rules."
)
_REGULATION = " after 90 minutes plus stoppage time (does not include extra time or penalties)"
_TIE_TEAM = as_uuid(digest("team", "EPL", "TIE"))


def english_day(instant: Instant) -> str:
    """Eastern date as contract texts write it: ``Sep 28, 2026``."""
    local = to_datetime(instant).astimezone(EASTERN)
    return f"{local:%b} {local.day}, {local.year}"


def _english_time(instant: Instant) -> str:
    local = to_datetime(instant).astimezone(EASTERN)
    return f"{local.hour % 12 or 12}:{local:%M %p} {local.tzname()}"


@dataclass
class Listing:
    """Writes the three events of one game. ``opening`` decides where the ladders lie."""

    game: Game
    opening: State
    series: dict[str, Series]
    created: Instant
    opens: Instant
    _phrase: str = field(init=False)

    def __post_init__(self) -> None:
        game, league = self.game, self.game.league
        names = (
            (game.first.club, game.second.club) if game.club_rules else (game.first.place, game.second.place)
        )
        timed = league.timed_ticker and not game.untimed_rules
        clock = f" at {_english_time(game.start)}" if timed else ""
        tail = _REGULATION if league.three_way else ""
        day = english_day(game.start)
        self._phrase = (
            f"{names[0]} vs {names[1]} {league.contest} originally scheduled for {day}{clock}{tail}"
        )

    def events(self) -> tuple[Event, ...]:
        """Winner, spread and total events, in that order."""
        return self._winner(), self._spread(), self._total()

    # --- events ------------------------------------------------------------------------------------------

    def _winner(self) -> Event:
        teams: list[Team | None] = [self.game.first, self.game.second]
        if self.game.league.three_way:
            teams.append(None)
        return self._event("GAME", "", [self._winner_contract(team) for team in teams])

    def _spread(self) -> Event:
        contracts = [
            self._spread_contract(home, points) for home in (True, False) for points in self._margins(home)
        ]
        return self._event("SPREAD", ": Spread", contracts)

    def _total(self) -> Event:
        unit = self.game.league.unit.capitalize()
        return self._event("TOTAL", f": Total {unit}", [self._total_contract(n) for n in self._totals()])

    def _event(self, kind: str, suffix: str, contracts: list[Contract]) -> Event:
        game, league = self.game, self.game.league
        series = self.series[f"KX{league.key}{kind}"]
        ticker = f"{series.ticker}-{game.event_code}"
        override = 1.0 if kind == "GAME" and game.fee_override else None
        day = english_day(game.listed_start).split(",")[0]
        fields: Json = {
            "category": "Sports",
            "collateral_return_type": "MECNET" if kind == "GAME" else "",
            "event_ticker": ticker,
            "exchange_index": league.shard,
            "last_updated_ts": format_instant(self.created),
            "mutually_exclusive": kind == "GAME",
            "product_metadata": {"competition": league.competition, "competition_scope": kind.capitalize()},
            "series_ticker": series.ticker,
            "settlement_sources": [{"name": "the Governing League", "url": league.source}],
            "strike_period": "",
            "sub_title": f"{game.first.code} vs {game.second.code} ({day})",
            "title": f"{game.first.place} vs {game.second.place}{suffix}",
        }
        if override is not None:
            fields |= {"fee_type_override": series.fee_type.value, "fee_multiplier_override": override}
        own = tuple(
            replace(c, event_ticker=ticker, fields=c.fields | {"event_ticker": ticker}) for c in contracts
        )
        return Event(ticker, series, game, own, fields, override)

    # --- contracts ---------------------------------------------------------------------------------------

    def _winner_contract(self, team: Team | None) -> Contract:
        game = self.game
        if team is None:
            rules = f"If Tie is the result of the {self._phrase}, then the market resolves to Yes."
            return self._contract(
                "GAME", "TIE", Question(Asks.TIE), "Tie", rules, strike={game.league.strike_key: _TIE_TEAM}
            )
        other = game.second if team is game.first else game.first
        title = f"{team.place} wins"
        if game.old_title:
            title = f"{game.first.place} vs {game.second.place} Winner?"
        return self._contract(
            "GAME",
            team.code,
            Question(Asks.WIN, team is game.home),
            team.place,
            f"If {team.place} wins the {self._phrase}, then the market resolves to Yes.",
            title=title,
            no_label=other.place if game.opponent_as_no else team.place,
            strike={game.league.strike_key: team.id},
        )

    def _spread_contract(self, home: bool, points: int) -> Contract:
        game, unit = self.game, self.game.league.unit
        team = game.home if home else game.away
        line = points - 0.5
        label = f"{team.place} wins by over {line} {unit}"
        if game.league.three_way:
            label = f"{team.place} wins by more than {line} {unit}"
        rules = f"If {team.place} wins by more than {line} {unit} in the {self._phrase}"
        return self._contract(
            "SPREAD",
            f"{team.code}{points}",
            Question(Asks.MARGIN, home, points),
            label,
            f"{rules}, then the market resolves to Yes.",
            title=f"{label}?",
            floor=line,
            strike={game.league.strike_key: team.id},
        )

    def _total_contract(self, points: int) -> Contract:
        line, unit = points - 0.5, self.game.league.unit
        label = f"Over {line} {unit} scored"
        prefix = "Full Game: " if self.game.league.key in ("NFL", "NBA") else ""
        return self._contract(
            "TOTAL",
            str(points),
            Question(Asks.TOTAL, points=points),
            label,
            f"{self._total_rule(line, unit)}, then the market resolves to Yes.",
            title=f"{prefix}{label}",
            floor=line,
        )

    def _total_rule(self, line: float, unit: str) -> str:
        game, key = self.game, self.game.league.key
        if game.league.three_way:
            return f"If over {line} {unit} are scored in the {self._phrase}"
        if key in ("NFL", "MLB"):
            # Real baseball totals read "score more 5.5 runs", without "than".
            than = "" if key == "MLB" else " than"
            both = f"{game.first.place} and {game.second.place}"
            return f"If {both} collectively score more{than} {line} {unit} in the {self._phrase}"
        return f"If the teams collectively score more than {line} {unit} in the {self._phrase}"

    def _contract(
        self,
        kind: str,
        suffix: str,
        question: Question,
        label: str,
        rules: str,
        *,
        title: str = "",
        no_label: str = "",
        floor: float | None = None,
        strike: dict[str, str] | None = None,
    ) -> Contract:
        game, league = self.game, self.game.league
        series = f"KX{league.key}{kind}"
        structure = "tapered_deci_cent" if series == "KXEPLTOTAL" else "linear_cent"
        closes = Instant(game.start + league.closes_after)
        ends = format_instant(Instant(game.start + 3 * HOUR))
        fields: Json = {
            "ticker": f"{series}-{game.market_code}-{suffix}",
            "event_ticker": "",
            "market_type": "binary",
            "title": title or f"{label} wins",
            "yes_sub_title": label,
            "no_sub_title": no_label or label,
            "exchange_index": league.shard,
            "created_time": format_instant(self.created),
            "open_time": format_instant(self.opens),
            "expected_expiration_time": format_instant(Instant(game.start + league.expires_after)),
            "occurrence_datetime": ends,
            "can_close_early": True,
            "early_close_condition": "This market will close and expire after a winner is declared.",
            "settlement_timer_seconds": league.timer_s,
            "settlement_bounds_type": "default",
            "expiration_value": "",
            "notional_value_dollars": "1.0000",
            "price_level_structure": structure,
            "price_ranges": list(GRIDS[structure]),
            "rules_primary": rules,
            "rules_secondary": self._secondary(kind),
            "strike_type": "structured" if floor is None else "greater",
        }
        if floor is not None:
            fields["floor_strike"] = floor
        if strike:
            fields["custom_strike"] = strike
        return Contract(
            fields["ticker"],
            "",
            series,
            league.shard,
            question,
            league.timer_s,
            self.opens,
            closes,
            structure,
            fields,
        )

    def _secondary(self, kind: str) -> str:
        league = self.game.league
        late = _LATE_BASEBALL if league.key == "MLB" else _LATE
        if kind != "GAME":
            return f"{late}\n\n{_DISCLAIMER}"
        about = f"The following market refers to the {self._phrase}."
        if league.key == "NFL":
            about = f"The following market refers to the team who wins the {self._phrase}."
            late = f"If the game ends in a tie, the market will resolve to $0.50 for each team. {late}"
        if league.three_way:
            late = f'If the game ends in a tie, the market called "Tie" resolves to Yes. {late}'
        return f"{about} {late}\n\n{_DISCLAIMER}"

    # --- ladders -----------------------------------------------------------------------------------------

    def _margins(self, home: bool) -> list[int]:
        """Smallest winning margins listed for a side: many around the favourite's line, few for the other."""
        if self.game.league.scoring is Scoring.POISSON:
            return [2, 3]
        expected = self.opening.a if home else -self.opening.a
        centre = math.floor(expected) + 1
        steps = (-3, -1, 0, 1, 4) if expected > 0 else (0, 1, 2)
        lines = {max(2, centre + step) if expected > 0 else 2 + step for step in steps}
        return sorted(lines)

    def _totals(self) -> list[int]:
        if self.game.league.scoring is Scoring.POISSON:
            centre = round(self.opening.a + self.opening.b)
            return [n for n in range(centre - 2, centre + 3) if n > 0]
        centre, wide = round(self.opening.b), max(3, round(self.game.league.scale[1] / 3))
        return [centre + step for step in (-wide, -2, -1, 0, 1, 2, wide)]


def combo(number: int, legs: list[Contract], created: Instant) -> Contract:
    """A multi-leg contract as it floods unfiltered pages: listed, hardly ever quoted, never mapped."""
    series = "KXMVESPORTSMULTIGAMEEXTENDED"
    identity = digest("combo", str(number), *(leg.ticker for leg in legs))[:12].upper()
    event = f"{series}-S{to_datetime(created).year}{identity[:8]}"
    label = ",".join(f"yes {leg.fields['yes_sub_title']}" for leg in legs)
    closes = Instant(created + 14 * DAY)
    fields: Json = {
        "ticker": f"{event}-{identity[8:]}{number}",
        "event_ticker": event,
        "market_type": "binary",
        "title": label,
        "yes_sub_title": label,
        "no_sub_title": label,
        "exchange_index": 1,
        "created_time": format_instant(created),
        "open_time": format_instant(Instant(created + MINUTE)),
        "expected_expiration_time": format_instant(closes),
        "can_close_early": True,
        "early_close_condition": "This market will close after the legs are determined.",
        "settlement_timer_seconds": 300,
        "settlement_bounds_type": "default",
        "expiration_value": "",
        "notional_value_dollars": "1.0000",
        "price_level_structure": "center_deci_edge_centi_cent",
        "price_ranges": list(GRIDS["center_deci_edge_centi_cent"]),
        "rules_primary": f"If all of these happen: {label}, then the market resolves to Yes.",
        "rules_secondary": "",
        "strike_type": "custom",
        "mve_collection_ticker": f"{series}-R",
        "mve_selected_legs": [
            {"event_ticker": leg.event_ticker, "market_ticker": leg.ticker, "side": "yes"} for leg in legs
        ],
    }
    return Contract(
        fields["ticker"], event, series, 1, Question(Asks.NOTHING), 300, created, closes,
        "center_deci_edge_centi_cent", fields,
    )  # fmt: skip
