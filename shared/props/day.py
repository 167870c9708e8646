"""One run's pages turned into everything that is said about its day: rows, comparisons, lines, predictions.

Pure: what was read goes in, messages come out, and what could not be read comes out as records with reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from shared.clock import Instant
from shared.mapping.mapper import map_parsed
from shared.mapping.parse import Refusal
from shared.messages import (
    BookSeen,
    MappingDecided,
    MarketListed,
    OddsEvent,
    OddsSeen,
    PropCompared,
    PropListed,
    PropPredicted,
    PropQuoted,
    Quarantined,
    seal,
)
from shared.money import MICROS
from shared.props.checks import Rung, findings_of
from shared.props.compare import Bench, GameLines, by_game, compare, namesakes
from shared.props.curve import estimate
from shared.props.market import PropMarket, read_prop
from shared.props.names import lookup_key
from shared.props.predict import Predictor, PropQuestion
from shared.props.rows import listed_row, quoted_rows
from shared.props.series import PropSeries
from shared.props.serving import PRIORITY, PropLines, choose, main_lines, nearest_to_even
from shared.props.statistics import by_book_market


@dataclass(frozen=True, slots=True)
class Scraped:
    """What one run read of one day. ``kinds`` are the prop series, ``odds`` the games' prop lines."""

    day: str
    run_id: str
    at: Instant
    kinds: Mapping[str, PropSeries]
    markets: Sequence[MarketListed]
    books: Mapping[str, BookSeen] = field(default_factory=dict)
    slate: Sequence[OddsEvent] = ()
    odds: Sequence[OddsSeen] = ()
    kalshi_available: bool = True


@dataclass(slots=True)
class PropDay:
    """Everything said about the day. ``lines`` are by player's key, then by prop."""

    listed: list[PropListed] = field(default_factory=list)
    quoted: list[PropQuoted] = field(default_factory=list)
    compared: list[PropCompared] = field(default_factory=list)
    predicted: list[PropPredicted] = field(default_factory=list)
    lines: dict[str, dict[str, PropLines]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)


class DayReader:
    """Reads runs; holds what is the same for all of them. ``max_age_s`` ``None`` is the rule of games."""

    def __init__(
        self,
        predictor: Predictor,
        max_age_s: float | None = None,
        priority: Sequence[str] = PRIORITY,
    ) -> None:
        self._predictor, self._max_age_s, self._priority = predictor, max_age_s, tuple(priority)

    def read(self, run: Scraped) -> PropDay:
        """Everything one run says. Bad rows become records; none costs another."""
        made = PropDay()
        props = _read_markets(run, made)
        decided = _decide(props, run)
        rungs = [Rung.of(prop, run.books.get(prop.market.ticker), run.at) for prop in props]
        findings = findings_of(rungs)
        benches = self._benches(props, decided, run)
        for rung in rungs:
            ticker = rung.prop.market.ticker
            mapping, found = decided.get(ticker), findings.get(ticker, ())
            bench = benches.get(mapping.odds_event_id) if mapping else None
            compared = compare(rung, mapping, bench, found, run.at, run.run_id)
            made.compared.append(seal(compared))
            made.listed.append(listed_row(rung, mapping, compared, found, run.run_id))
        names = _shared_names(props, decided, benches)
        for event, bench in benches.items():
            made.quoted += quoted_rows(bench.lines, names.get(event, {}), run.run_id)
            _keep_lines(bench.lines, names.get(event, {}), made)
        if run.kalshi_available:
            _keep_ladders(rungs, made)
        made.predicted += self._predictions(made, benches, names, run)
        return made

    def _benches(
        self, props: Sequence[PropMarket], decided: Mapping[str, MappingDecided], run: Scraped
    ) -> dict[str, Bench]:
        games = by_game(props, decided)
        return {
            odds.odds_event_id: Bench(
                GameLines.of(odds), run.at, self._max_age_s, namesakes(games.get(odds.odds_event_id, ()))
            )
            for odds in run.odds
        }

    def _predictions(
        self,
        made: PropDay,
        benches: Mapping[str, Bench],
        names: Mapping[str, Mapping[str, str]],
        run: Scraped,
    ) -> Iterable[PropPredicted]:
        """One prediction a player and prop that has a line, by whoever's line it is."""
        owners = _owners(benches, names)
        for lookup, props in sorted(made.lines.items()):
            for prop_type, known in sorted(props.items()):
                line = choose(lookup, run.day, prop_type, known, run.at, self._priority)
                if line.line is None or not line.source:
                    continue
                question = PropQuestion(
                    line, _books_over(owners, lookup, prop_type, line.line), _bracket(known)
                )
                over = self._predictor.predict(question)
                if over is None or not 0.0 <= over <= 1.0:
                    continue
                yield seal(_prediction(question, over, self._predictor, run))


def _read_markets(run: Scraped, made: PropDay) -> list[PropMarket]:
    props: list[PropMarket] = []
    for market in run.markets:
        kind = run.kinds.get(market.series_ticker)
        if kind is None:
            continue
        found = read_prop(market, kind)
        if isinstance(found, Refusal):
            reason = f"{market.ticker}: {found.code}: {found.reason}"
            record = Quarantined(observed_at=market.observed_at, source="props", reason=reason[:300])
            made.quarantined.append(seal(record))
        elif found.day.isoformat() == run.day:
            props.append(found)
    return props


def _decide(props: Sequence[PropMarket], run: Scraped) -> dict[str, MappingDecided]:
    decided = map_parsed([prop.market for prop in props], [prop.parsed for prop in props], run.slate, run.at)
    return {decision.ticker: decision for decision in decided}


def _shared_names(
    props: Sequence[PropMarket], decided: Mapping[str, MappingDecided], benches: Mapping[str, Bench]
) -> dict[str, dict[str, str]]:
    """By game: the exchange's key of each name of the feed that was proven to be the same player."""
    found: dict[str, dict[str, str]] = {}
    for prop in props:
        mapping = decided.get(prop.market.ticker)
        bench = benches.get(mapping.odds_event_id) if mapping else None
        if bench is not None and mapping is not None and (who := bench.player(prop)).name:
            found.setdefault(mapping.odds_event_id, {})[who.name] = prop.lookup
    return found


def _keep_lines(lines: GameLines, names: Mapping[str, str], made: PropDay) -> None:
    quoted = {(row.market, row.player_name): row for row in made.quoted}
    for market, players in lines.lines.items():
        for player in players:
            row = quoted.get((market, player))
            if row is not None:
                lookup = names.get(player) or lookup_key(player)
                books = main_lines(lines, market, player)
                known = PropLines(player_name=player, league=row.league, books=books)
                made.lines.setdefault(lookup, {})[row.prop_type] = known


def _keep_ladders(rungs: Sequence[Rung], made: PropDay) -> None:
    ladders: dict[tuple[str, str, str], list[Rung]] = {}
    for rung in rungs:
        prop = rung.prop
        if prop.named:
            key = (prop.lookup, prop.kind.statistic.prop_type, prop.kind.league.name)
            ladders.setdefault(key, []).append(rung)
    for (lookup, prop_type, league), members in ladders.items():
        people = {(rung.prop.player_id, rung.prop.team.code) for rung in members}
        seen = nearest_to_even(members) if len(people) == 1 else None
        if seen is None:
            continue
        held = made.lines.setdefault(lookup, {}).get(prop_type, PropLines())
        name = held.player_name or members[0].prop.player
        made.lines[lookup][prop_type] = msgspec.structs.replace(
            held, kalshi=seen, league=league, player_name=name
        )


_Owners = dict[tuple[str, str], tuple[Bench, str, str]]


def _owners(benches: Mapping[str, Bench], names: Mapping[str, Mapping[str, str]]) -> _Owners:
    """Where a player's lines are: by key and market, the bench and the feed's name."""
    found: _Owners = {}
    for event, bench in benches.items():
        shared = names.get(event, {})
        for market, players in bench.lines.lines.items():
            for player in players:
                found[shared.get(player) or lookup_key(player), market] = (bench, player, market)
    return found


def _books_over(owners: _Owners, lookup: str, prop_type: str, line: float) -> float | None:
    """The books' curve at ``line``; ``None`` where they say nothing about it."""
    for (sport, market), statistic in by_book_market().items():
        if statistic.prop_type != prop_type or (lookup, market) not in owners:
            continue
        bench, player, _ = owners[lookup, market]
        if not bench.lines.odds.sport_key.startswith(_SPORTS[sport]) or line % 1 != 0.5:
            continue
        return estimate(bench.curve(player, statistic), statistic, int(line + 0.5)).centre
    return None


_SPORTS = {
    "basketball": "basketball", "football": "americanfootball", "baseball": "baseball", "hockey": "icehockey",
}  # fmt: skip


def _bracket(known: PropLines) -> float | None:
    """Middle of the exchange's bracket at its own line."""
    ladder = known.kalshi
    if ladder is None or ladder.yes_price is None or ladder.no_price is None:
        return None
    return (ladder.yes_price + MICROS - ladder.no_price) / 2 / MICROS


def _prediction(question: PropQuestion, over: float, predictor: Predictor, run: Scraped) -> PropPredicted:
    line = question.line
    available = line.kalshi_available and run.kalshi_available
    return PropPredicted(
        observed_at=run.at,
        game_date=run.day,
        league=line.league,
        player_name=line.player_name,
        player_lookup=line.player_lookup,
        prop_type=line.prop_type,
        line=line.line or 0.0,
        line_source=line.source,
        line_age_s=line.age_s,
        is_stale=line.is_stale,
        over_probability=over,
        model=predictor.name,
        model_version=predictor.version,
        kalshi_available=available,
        kalshi_line=line.kalshi_line,
        kalshi_yes_price=line.kalshi_yes_price,
        kalshi_no_price=line.kalshi_no_price,
        kalshi_liquidity=line.kalshi_liquidity,
        kalshi_market_ticker=line.kalshi_market_ticker,
        line_discrepancy=line.line_discrepancy,
        run_id=run.run_id,
    )
