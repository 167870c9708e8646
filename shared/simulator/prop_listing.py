"""The exchange's listing of a game's players: one event a statistic, one rung a threshold, real ones' words.

The integer at the end of a ticker is the threshold, ``floor_strike`` one half less. Sentences follow rows
recorded in August 2026; who does not take part settles at a fair price.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.clock import EASTERN, HOUR, Instant, format_instant, to_datetime
from shared.money import MICROS
from shared.simulator.contracts import GRIDS, Contract, Event, Json, Series
from shared.simulator.league import BY_KEY
from shared.simulator.players import PROPS, Athlete, Prop, Squad, question
from shared.simulator.schedule import Game
from shared.terms import FeeType

_DISCLAIMER = (
    "Kalshi is not affiliated, associated, authorized, endorsed by, or in any way officially connected with "
    "the Governing League. All trademarks, logos, and brand names are the property of their respective "
    "owners."
)


def prop_series() -> dict[str, Series]:
    """The series of player props by ticker."""
    table = {}
    for prop in PROPS:
        ticker, league = f"KX{prop.league}{prop.suffix}", BY_KEY[prop.league]
        multiplier = MICROS // 2 if prop.league == "MLB" else MICROS
        table[ticker] = Series(ticker, prop.title, league, FeeType.QUADRATIC, multiplier, league.shard)
    return table


def prop_events(
    squad: Squad, series: dict[str, Series], created: Instant, opens: Instant
) -> tuple[Event, ...]:
    """One event of each statistic."""
    props = list(dict.fromkeys(athlete.prop for athlete in squad.athletes))
    return tuple(
        _event(squad, prop, series[f"KX{prop.league}{prop.suffix}"], created, opens) for prop in props
    )


def _event(squad: Squad, prop: Prop, series: Series, created: Instant, opens: Instant) -> Event:
    game = squad.game
    ticker = f"{series.ticker}-{game.event_code}"
    local = to_datetime(game.listed_start).astimezone(EASTERN)
    fields: Json = {
        "category": "Sports",
        "collateral_return_type": "",
        "event_ticker": ticker,
        "exchange_index": series.shard,
        "last_updated_ts": format_instant(created),
        "mutually_exclusive": False,
        "product_metadata": {"competition": game.league.competition, "competition_scope": prop.words.title()},
        "series_ticker": series.ticker,
        "settlement_sources": [{"name": "the Governing League", "url": game.league.source}],
        "strike_period": "",
        "sub_title": f"{game.first.code} vs {game.second.code} ({local:%b} {local.day})",
        "title": f"{game.first.place} vs {game.second.place}: {prop.words.title()}",
    }
    contracts = tuple(
        _contract(game, athlete, threshold, ticker, series, created, opens)
        for athlete in squad.athletes
        if athlete.prop is prop
        for threshold in athlete.rungs
    )
    return Event(ticker, series, game, contracts, fields)


def _contract(
    game: Game,
    athlete: Athlete,
    threshold: int,
    event_ticker: str,
    series: Series,
    created: Instant,
    opens: Instant,
) -> Contract:
    prop, league = athlete.prop, game.league
    # A moved game's markets carry the new time, their event the old one.
    ticker = f"{series.ticker}-{game.market_code}-{athlete.code}-{threshold}"
    closes = Instant(game.start + league.closes_after)
    player_key = league.strike_key.replace("_team", "_player")
    fields: Json = {
        "ticker": ticker,
        "event_ticker": event_ticker,
        "market_type": "binary",
        "title": f"{athlete.name}: {threshold}+ {prop.words}",
        "yes_sub_title": f"{athlete.name}: {threshold}+",
        "no_sub_title": f"{athlete.name}: {threshold}+",
        "exchange_index": league.shard,
        "created_time": format_instant(created),
        "open_time": format_instant(opens),
        "expected_expiration_time": format_instant(Instant(game.start + league.expires_after)),
        "occurrence_datetime": format_instant(Instant(game.start + 3 * HOUR)),
        "can_close_early": True,
        "early_close_condition": "This market will close and expire after the event occurs.",
        "settlement_timer_seconds": league.timer_s,
        "settlement_bounds_type": "default",
        "expiration_value": "",
        "notional_value_dollars": "1.0000",
        "price_level_structure": "linear_cent",
        "price_ranges": list(GRIDS["linear_cent"]),
        "primary_participant_key": player_key,
        "rules_primary": f"If {athlete.name} records {threshold}+ {prop.words} in the {_phrase(game)}, "
        "then the market resolves to Yes.",
        "rules_secondary": "\n\n".join((_participation(athlete, game), _DISCLAIMER)),
        # Both are seen with the same meaning.
        "strike_type": "structured" if prop.role == 0 else "greater",
        "floor_strike": threshold - 0.5,
        "custom_strike": {player_key: athlete.id, league.strike_key: athlete.team.id},
    }
    return Contract(
        ticker, event_ticker, series.ticker, league.shard, question(athlete, threshold), league.timer_s,
        opens, closes, "linear_cent", fields,
    )  # fmt: skip


def _phrase(game: Game) -> str:
    local = to_datetime(game.start).astimezone(EASTERN)
    clock = f" at {local.hour % 12 or 12}:{local:%M %p} {local.tzname()}" if game.league.timed_ticker else ""
    names = f"{game.first.place} vs {game.second.place}"
    return (
        f"{names} {game.league.contest} originally scheduled for {local:%b} {local.day}, {local.year}{clock}"
    )


def _participation(athlete: Athlete, game: Game) -> str:
    """What happens when the player does not take part, in the words of his sport."""
    name, words = athlete.name, athlete.prop.words
    fair = "the market will resolve to the fair market price"
    if game.league.key != "MLB":
        where = {"NBA": "takes the court", "NFL": "takes the field", "NHL": "takes the ice"}[game.league.key]
        return (
            f"The following market refers to a player in the {_phrase(game)}. If a player is active but "
            f"never {where}, the market settles to a fair price. Once a player enters the game the market "
            f"settles based on the player's {words} recorded. If this game is postponed or delayed, the "
            "market will remain open and close after the rescheduled game has finished (within 2 days). If "
            "the cancelled game is not played or is rescheduled further than 2 days out, all markets will "
            "resolve to a fair price in accordance with the rules."
        )
    if athlete.prop.role == 0:
        lines: Iterable[str] = (
            f"If {name} is scratched or is not a starting pitcher, {fair}.",
            f"If {name} is not a starting pitcher but later enters the game, {fair}.",
        )
    else:
        lines = (
            f"If {name} is scratched or not included in the starting lineup, {fair}.",
            f"If {name} starts the game but does not record a plate appearance, {fair}.",
            f"If {name} is not in the starting lineup but later enters the game, {fair}.",
        )
    return "\n".join(("Player Participation & Settlement Criteria", *lines))
