"""Rows of the two prop tables, each with a hash over the fields whose change is a change.

Counters such as volume move all the time and are no reason for a new row. What is made anew at every
processing (its time) stays out of a row's identity, so the same raw page always gives the same ``event_id``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from shared.clock import Instant, eastern_day
from shared.edges.detector import start_of
from shared.errors import MalformedError
from shared.fees.protocol import Level
from shared.ids import digest
from shared.mapping.tables import league_of_sport_key
from shared.messages import MappingDecided, PropCompared, PropListed, PropQuoted, seal
from shared.money import Price, Quantity, complement, price_to_float
from shared.odds.convert import display_american
from shared.props.checks import Rung
from shared.props.compare import GameLines
from shared.props.names import lookup_key
from shared.props.pricing import liquidity_tier
from shared.props.quotes import round_trip_cost
from shared.props.series import LEAGUES
from shared.props.statistics import by_book_market

R = TypeVar("R", PropListed, PropQuoted)


def listed_row(
    rung: Rung,
    mapping: MappingDecided | None,
    compared: PropCompared | None,
    findings: Sequence[str],
    run_id: str,
) -> PropListed:
    """One rung as a row; ``compared`` adds what is executable at no loss by the books' value."""
    prop, market, depth = rung.prop, rung.prop.market, rung.depth
    away, home = prop.sides
    (bid, bid_size), (no_bid, no_size) = _best(depth.yes_bids), _best(depth.no_bids)
    ask, no_ask = _offered(no_bid), _offered(bid)
    row = PropListed(
        observed_at=market.observed_at,
        source_at=market.source_at,
        game_date=prop.day.isoformat(),
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        series_ticker=market.series_ticker,
        league=prop.kind.league.name,
        prop_type=prop.kind.statistic.prop_type,
        player_name=prop.player if prop.named else "",
        player_lookup=prop.lookup,
        player_team=prop.team.code,
        player_id=prop.player_id,
        home=home,
        away=away,
        odds_event_id=mapping.odds_event_id if mapping else "",
        starts_at=start_of(market, mapping) if mapping else market.starts_at,
        threshold=prop.threshold,
        line=prop.line,
        yes_bid=bid,
        yes_bid_size=bid_size,
        yes_ask=ask,
        yes_ask_size=no_size,
        no_bid=no_bid,
        no_bid_size=no_size,
        no_ask=no_ask,
        no_ask_size=bid_size,
        last_price=market.last_price,
        volume=market.volume,
        open_interest=market.open_interest,
        implied_low=price_to_float(bid) if bid is not None else None,
        implied_high=price_to_float(ask) if ask is not None else None,
        over_american=american(ask),
        under_american=american(no_ask),
        depth=depth.resting,
        liquidity=liquidity_tier(depth.resting),
        yes_executable=compared.yes_quantity if compared else None,
        no_executable=compared.no_quantity if compared else None,
        round_trip_cost=round_trip_cost(depth, rung.schedule),
        status=market.status,
        opens_at=market.opens_at,
        closes_at=market.closes_at,
        expected_expiration_at=market.expected_expiration_at,
        result=market.result,
        settlement_value=market.settlement_value,
        validated_team=prop.team.name,
        team_confidence=prop.team.confidence,
        team_method=prop.team.method,
        has_team_issues=bool(prop.team.issue),
        findings=tuple(findings),
        run_id=run_id,
    )
    return msgspec.structs.replace(row, content_hash=content_of(row))


def _best(bids: Sequence[Level]) -> tuple[Price | None, Quantity | None]:
    """Highest bid of one side with its size."""
    return bids[0] if bids else (None, None)


def _offered(bid: Price | None) -> Price | None:
    """What the other side is offered at: an ask has the size of the bid it comes from."""
    return None if bid is None else complement(bid)


def american(price: Price | None) -> int | None:
    """A price as American odds, rounded half away from zero; 50c is +100. ``None`` where there are none."""
    try:
        return None if price is None else display_american(price_to_float(price))
    except MalformedError:
        return None


def content_of(row: PropListed) -> str:
    """Hash of who, what and at which prices and sizes; equal hashes are the same row."""
    parts = (
        row.ticker, row.player_lookup, row.game_date, row.prop_type, row.line, row.yes_bid, row.yes_bid_size,
        row.yes_ask, row.yes_ask_size, row.no_bid, row.no_bid_size, row.no_ask, row.no_ask_size,
        row.status.value, row.result.value, row.settlement_value,
    )  # fmt: skip
    return digest("|".join(map(str, parts)))


def quoted_rows(lines: GameLines, names: Mapping[str, str], run_id: str) -> Iterator[PropQuoted]:
    """Every bookmaker line on players of one game; ``names`` are the exchange's keys by the feed's names."""
    odds = lines.odds
    found = [league for league in league_of_sport_key(odds.sport_key) if league.name in LEAGUES]
    if not found or odds.starts_at is None:
        return
    league, day = found[0], eastern_day(odds.starts_at)
    for market, players in sorted(lines.lines.items()):
        statistic = by_book_market().get((league.sport, market))
        if statistic is None:
            continue
        for player, quotes in sorted(players.items()):
            lookup = names.get(player) or lookup_key(player)
            for quote in quotes:
                fair = quote.fair
                row = PropQuoted(
                    observed_at=odds.observed_at,
                    source_at=quote.last_update,
                    game_date=day,
                    odds_event_id=odds.odds_event_id,
                    sport_key=odds.sport_key,
                    league=league.name,
                    home=odds.home,
                    away=odds.away,
                    starts_at=odds.starts_at,
                    bookmaker=quote.bookmaker,
                    market=market,
                    is_alternate=quote.is_alternate,
                    prop_type=statistic.prop_type,
                    player_name=player,
                    player_lookup=lookup,
                    line=quote.line,
                    over_price=quote.over_price,
                    under_price=quote.under_price,
                    over_fair=fair.power[0] if fair else None,
                    last_update=quote.last_update,
                    run_id=run_id,
                )
                yield msgspec.structs.replace(row, content_hash=_quote_content(row))


def _quote_content(row: PropQuoted) -> str:
    parts = (
        row.odds_event_id, row.bookmaker, row.market, row.is_alternate, row.player_name, row.line,
        row.over_price, row.under_price,
    )  # fmt: skip
    return digest("|".join(map(str, parts)))


def identified(row: R, processed_at: Instant) -> R:
    """A row just made with its identity, which does not depend on when it was processed."""
    return msgspec.structs.replace(seal(row), processed_at=processed_at)
