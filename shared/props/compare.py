"""One rung beside the bookmakers' curve: fair value both ways, net edge both ways, and every reason against.

The fair value is the curve's, least favourable to the buyer and less its errors; the states in which the two
venues pay differently are priced in as for games; fees are the series' own. A comparison is for looking at:
``tradable`` only says that nothing speaks against the value itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.clock import SECOND, Instant
from shared.edges.detector import start_of
from shared.edges.expected_value import contract_value
from shared.edges.profiles import TOO_GOOD
from shared.edges.states import contract_worth
from shared.mapping.certificate import REFUSED
from shared.messages import MappingDecided, OddsSeen, PayoffDifference, PropCompared
from shared.money import Price, Quantity
from shared.odds.consensus import staleness_limit
from shared.props import rules
from shared.props.checks import Rung
from shared.props.curve import EXTRAPOLATED, NONE, BookLine, Curve, Estimate, curve_of, estimate
from shared.props.market import PropMarket
from shared.props.names import Found, resolve
from shared.props.quotes import at_no_loss
from shared.props.statistics import Statistic
from shared.terms import MarketShape, MarketStatus, Side

_ALTERNATE = "_alternate"


@dataclass(slots=True)
class GameLines:
    """Every bookmaker line on players of one game: by market, by the name the feed gives."""

    odds: OddsSeen
    lines: dict[str, dict[str, list[BookLine]]] = field(default_factory=dict)

    @classmethod
    def of(cls, odds: OddsSeen) -> GameLines:
        """The lines in one event's quotes; alternates stand with the main lines of their market."""
        made = cls(odds)
        for quote in odds.quotes:
            market = quote.market.removesuffix(_ALTERNATE)
            sides: dict[tuple[str, float], dict[str, float]] = {}
            for outcome in quote.outcomes:
                if outcome.description and outcome.point is not None:
                    sides.setdefault((outcome.description, outcome.point), {})[outcome.name] = outcome.price
            for (player, point), prices in sides.items():
                line = BookLine(
                    quote.bookmaker,
                    point,
                    prices.get("Over"),
                    prices.get("Under"),
                    quote.last_update,
                    market != quote.market,
                )
                made.lines.setdefault(market, {}).setdefault(player, []).append(line)
        return made

    @property
    def players(self) -> list[str]:
        """Every name the feed gives, in any market."""
        return sorted({player for players in self.lines.values() for player in players})

    def of_player(self, market: str, name: str) -> Sequence[BookLine]:
        """Lines of one market on one name."""
        return self.lines.get(market, {}).get(name, ())


@dataclass(slots=True)
class Bench:
    """What the rungs of one game are compared with; names and curves are worked out once.

    ``namesakes`` are keys that two players of the game share: the feed could mean either.
    """

    lines: GameLines
    now: Instant
    max_age_s: float | None = None
    namesakes: frozenset[str] = frozenset()
    _found: dict[str, Found] = field(default_factory=dict)
    _curves: dict[tuple[str, str], Curve] = field(default_factory=dict)

    def player(self, prop: PropMarket) -> Found:
        """The feed's name of a rung's player."""
        if not prop.named:
            return Found("", "no_name: only the ticker names the player")
        if prop.lookup in self.namesakes:
            return Found("", f"namesakes: two players of this game are called {prop.player}")
        if prop.player not in self._found:
            self._found[prop.player] = resolve(prop.player, self.lines.players)
        return self._found[prop.player]

    def curve(self, name: str, statistic: Statistic) -> Curve:
        """The books' curve of one name's count."""
        key = (name, statistic.book_market)
        if key not in self._curves:
            quotes = self.lines.of_player(statistic.book_market, name) if statistic.book_market else ()
            self._curves[key] = curve_of(quotes, self.now, self.limit)
        return self._curves[key]

    @property
    def limit(self) -> float:
        """Oldest usable quote, seconds: the rule of games unless told otherwise."""
        if self.max_age_s is not None:
            return self.max_age_s
        start = self.lines.odds.starts_at
        return staleness_limit((start - self.now) / SECOND if start is not None else 0.0)


def namesakes(props: Iterable[PropMarket]) -> frozenset[str]:
    """Keys that mean two people of one game: another stable id, or another team."""
    people: dict[str, set[tuple[str, str]]] = {}
    for prop in props:
        if prop.named:
            people.setdefault(prop.lookup, set()).add((prop.player_id, prop.team.code))
    return frozenset(key for key, who in people.items() if len(who) > 1)


def compare(
    rung: Rung,
    mapping: MappingDecided | None,
    bench: Bench | None,
    findings: Sequence[str],
    now: Instant,
    run_id: str = "",
) -> PropCompared:
    """One rung weighed; always a message, with every reason not to trade."""
    prop = rung.prop
    reasons = [*_market_reasons(rung), *_mapping_reasons(prop, mapping, now)]
    participation = rules.read_participation(prop.market.rules_secondary)
    states = rules.differences(prop.kind.league.sport, participation) if not participation.problem else ()
    if participation.problem:
        reasons.append(f"participation: {participation.problem}")
    found, who = _estimate(prop, bench)
    reasons += [f"check: {finding}" for finding in findings]
    if found.problem:
        reasons.append(found.problem)
    if found.method == EXTRAPOLATED:
        reasons.append("extrapolated: one line says nothing about another threshold")
    yes, no = (_edge(rung, side, worth, states) for side, worth in _views(found))
    reasons += _edge_reasons(yes.net, no.net)
    return PropCompared(
        observed_at=now,
        game_date=prop.day.isoformat(),
        ticker=prop.market.ticker,
        event_ticker=prop.market.event_ticker,
        league=prop.kind.league.name,
        prop_type=prop.kind.statistic.prop_type,
        player_name=prop.player,
        player_lookup=prop.lookup,
        odds_event_id=mapping.odds_event_id if mapping else "",
        starts_at=_start(prop, mapping),
        line=prop.line,
        method=found.method,
        model=found.model,
        tradable=not reasons,
        reasons=tuple(dict.fromkeys(reasons)),
        fair=found.centre,
        yes_fair=found.yes,
        no_fair=found.no,
        model_error=found.model_error,
        standard_error=found.standard_error,
        books=found.books,
        quote_age_s=found.age_s,
        book_lines=found.lines,
        yes_ask=yes.ask,
        no_ask=no.ask,
        yes_net_edge=yes.net,
        no_net_edge=no.net,
        yes_quantity=yes.quantity,
        no_quantity=no.quantity,
        differences=states,
        evidence=_evidence(mapping, who),
        run_id=run_id,
    )


def _estimate(prop: PropMarket, bench: Bench | None) -> tuple[Estimate, str]:
    """The curve's answer, and whom the feed's name was found by."""
    if bench is None:
        return Estimate(NONE, problem="no_books: the game's prop lines were not read"), ""
    who = bench.player(prop)
    if not who.name:
        return Estimate(NONE, problem=who.how), ""
    if not prop.kind.statistic.book_market:
        return Estimate(NONE, problem=f"no_books: nobody quotes {prop.kind.statistic.name}"), ""
    curve = bench.curve(who.name, prop.kind.statistic)
    return estimate(curve, prop.kind.statistic, prop.threshold), f"{who.name!r} by {who.how}"


def _views(found: Estimate) -> tuple[tuple[Side, float | None], tuple[Side, float | None]]:
    return (Side.YES, found.yes), (Side.NO, found.no)


@dataclass(frozen=True, slots=True)
class _Edge:
    ask: Price | None = None
    net: float | None = None
    quantity: Quantity | None = None


def _edge(rung: Rung, side: Side, fair: float | None, states: Sequence[PayoffDifference]) -> _Edge:
    """What buying ``side`` at its best offer is worth after fees and differing states."""
    asks = rung.depth.asks(side)
    ask, schedule = (asks[0][0] if asks else None), rung.schedule
    if ask is None or fair is None or schedule is None:
        return _Edge(ask)
    worth = contract_worth(fair, states, side, ask)
    return _Edge(ask, contract_value(worth, ask, schedule).net_edge, at_no_loss(worth, asks, schedule))


def _edge_reasons(*edges: float | None) -> list[str]:
    best = max((edge for edge in edges if edge is not None), default=0.0)
    return [f"too_good: net {100 * best:.2f}c, more than {100 * TOO_GOOD:.0f}c"] if best > TOO_GOOD else []


def _market_reasons(rung: Rung) -> list[str]:
    market = rung.prop.market
    reasons = []
    if market.status is not MarketStatus.ACTIVE:
        reasons.append(f"status: the market is {market.status.value}")
    if market.shape is not MarketShape.BINARY:
        reasons.append(f"shape: a {market.shape.value} market does not pay $1 or $0")
    if rung.schedule is None:
        reasons.append("fees: the series' fee is not known")
    return reasons


def _mapping_reasons(prop: PropMarket, mapping: MappingDecided | None, now: Instant) -> list[str]:
    """Reasons from the game's mapping and its certificate."""
    if mapping is None or not mapping.odds_event_id or mapping.certificate is None:
        return [f"unmapped: {mapping.reason if mapping else 'no decision about the game'}"]
    if mapping.certificate.verdict == REFUSED:
        return [f"certificate: {mapping.reason}"]
    start = start_of(prop.market, mapping)
    if start is None:
        return ["no_start: the true start is not known"]
    return ["started: a pre-game line is no longer a fair price"] if now >= start else []


def _start(prop: PropMarket, mapping: MappingDecided | None) -> Instant | None:
    return start_of(prop.market, mapping) if mapping else prop.market.starts_at


def _evidence(mapping: MappingDecided | None, who: str) -> tuple[str, ...]:
    certified = mapping.certificate.evidence if mapping and mapping.certificate else ()
    return (*certified, who) if who else certified


def by_game(
    props: Iterable[PropMarket], decided: Mapping[str, MappingDecided]
) -> dict[str, list[PropMarket]]:
    """Rungs by the odds event their market is mapped to."""
    games: dict[str, list[PropMarket]] = {}
    for prop in props:
        mapping = decided.get(prop.market.ticker)
        if mapping is not None and mapping.odds_event_id:
            games.setdefault(mapping.odds_event_id, []).append(prop)
    return games
