"""One line for one player's prop: whose it is, how old it is, and where the exchange stands beside it.

Bookmakers go first, in order of preference; the exchange's own ladder serves when none has a fresh line. A
stale line is served too, and says so: a prediction that waits is worth less than one that knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared.clock import MINUTE, SECOND, Instant
from shared.money import MICROS, Price
from shared.props.checks import Rung
from shared.props.compare import GameLines
from shared.props.pricing import liquidity_tier
from shared.terms import MarketStatus

KALSHI = "kalshi"
PRIORITY = (
    "draftkings", "fanduel", "betmgm", "williamhill_us", "espnbet", "betrivers", "fanatics", "pinnacle",
    "betonlineag", "bovada", "lowvig", "mybookieag",
)  # fmt: skip
# The feed was measured up to 15 hours behind on props: older than this a line is called stale.
MAX_AGE = 30 * MINUTE


class LineSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A bookmaker's main line as it is kept for serving; prices are decimal odds."""

    line: float
    over_price: float | None = None
    under_price: float | None = None
    at: Instant = Instant(0)


class LadderSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The rung of a ladder that is nearest to even, as it is kept for serving."""

    line: float
    yes_price: Price | None = None
    no_price: Price | None = None
    liquidity: str = ""
    ticker: str = ""
    at: Instant = Instant(0)


class PropLines(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one player's prop on one day."""

    player_name: str = ""
    league: str = ""
    books: dict[str, LineSeen] = {}
    kalshi: LadderSeen | None = None


@dataclass(frozen=True, slots=True)
class BettingLine:
    """The line to use, and the exchange's beside it; ``source`` is empty when nobody has one."""

    player_lookup: str
    game_date: str
    prop_type: str
    player_name: str = ""
    league: str = ""
    line: float | None = None
    over_price: float | None = None
    under_price: float | None = None
    source: str = ""
    age_s: float | None = None
    is_stale: bool = False
    kalshi_available: bool = False
    kalshi_line: float | None = None
    kalshi_yes_price: Price | None = None
    kalshi_no_price: Price | None = None
    kalshi_liquidity: str = ""
    kalshi_market_ticker: str = ""
    line_discrepancy: float | None = None


def choose(
    player_lookup: str,
    game_date: str,
    prop_type: str,
    known: PropLines | None,
    now: Instant,
    priority: Sequence[str] = PRIORITY,
    max_age: int = MAX_AGE,
) -> BettingLine:
    """The line to use. Fresh bookmakers first, then a fresh ladder, then whatever is least old."""
    made = BettingLine(player_lookup, game_date, prop_type)
    if known is None:
        return made
    ladder = known.kalshi
    fresh_ladder = ladder is not None and now - ladder.at <= max_age
    source = _source(known, now, priority, max_age)
    if source == KALSHI and ladder is not None:
        line, over, under, at = ladder.line, _odds(ladder.yes_price), _odds(ladder.no_price), ladder.at
    elif source:
        seen = known.books[source]
        line, over, under, at = seen.line, seen.over_price, seen.under_price, seen.at
    else:
        return made
    return BettingLine(
        player_lookup,
        game_date,
        prop_type,
        player_name=known.player_name,
        league=known.league,
        line=line,
        over_price=over,
        under_price=under,
        source=source,
        age_s=max(0, now - at) / SECOND,
        is_stale=now - at > max_age,
        kalshi_available=fresh_ladder,
        kalshi_line=ladder.line if ladder and fresh_ladder else None,
        kalshi_yes_price=ladder.yes_price if ladder and fresh_ladder else None,
        kalshi_no_price=ladder.no_price if ladder and fresh_ladder else None,
        kalshi_liquidity=ladder.liquidity if ladder and fresh_ladder else "",
        kalshi_market_ticker=ladder.ticker if ladder and fresh_ladder else "",
        line_discrepancy=ladder.line - line if ladder and fresh_ladder else None,
    )


def _source(known: PropLines, now: Instant, priority: Sequence[str], max_age: int) -> str:
    """Whose line to use; empty if nobody has one."""
    ranks = {book: rank for rank, book in enumerate(priority)}
    fresh = [book for book, seen in known.books.items() if now - seen.at <= max_age]
    if fresh:
        return min(fresh, key=lambda book: (ranks.get(book, len(ranks)), book))
    if known.kalshi is not None and now - known.kalshi.at <= max_age:
        return KALSHI
    ages = {book: seen.at for book, seen in known.books.items()}
    if known.kalshi is not None:
        ages[KALSHI] = known.kalshi.at
    return max(sorted(ages), key=lambda source: ages[source], default="")


def _odds(price: Price | None) -> float | None:
    """Decimal odds of a contract's price, fees apart."""
    return MICROS / price if price else None


# --- what is kept ------------------------------------------------------------------------------------------


def main_lines(lines: GameLines, market: str, player: str) -> dict[str, LineSeen]:
    """Each bookmaker's main line: not an alternate if there is another, then the one nearest to even."""
    best: dict[str, tuple[tuple[bool, float], LineSeen]] = {}
    for quote in lines.of_player(market, player):
        over, under = quote.over_price, quote.under_price
        lean = abs(1 / over - 1 / under) if over and under else 1.0
        rank = (quote.is_alternate, lean)
        if quote.bookmaker not in best or rank < best[quote.bookmaker][0]:
            at = quote.last_update if quote.last_update is not None else Instant(0)
            seen = LineSeen(line=quote.line, over_price=over, under_price=under, at=at)
            best[quote.bookmaker] = rank, seen
    return {book: seen for book, (_, seen) in best.items()}


def nearest_to_even(rungs: Iterable[Rung]) -> LadderSeen | None:
    """The rung whose bracket is nearest to one half; ``None`` when no rung trades and is quoted."""
    quoted = [
        (abs((bid + ask) - MICROS), rung.prop.threshold, rung)
        for rung in rungs
        if rung.prop.market.status is MarketStatus.ACTIVE
        and (bid := rung.depth.best_bid) is not None
        and (ask := rung.depth.best_ask) is not None
    ]
    if not quoted:
        return None
    rung = min(quoted, key=lambda one: one[:2])[2]
    bid = rung.depth.best_bid
    return LadderSeen(
        line=rung.prop.line,
        yes_price=rung.depth.best_ask,
        no_price=Price(MICROS - bid) if bid is not None else None,
        liquidity=liquidity_tier(rung.depth.resting),
        ticker=rung.prop.market.ticker,
        at=rung.prop.market.observed_at,
    )


def merged(held: PropLines | None, news: PropLines) -> PropLines:
    """What was known with what is new; of two sightings of one source the later counts."""
    if held is None:
        return news
    books = dict(held.books)
    for book, seen in news.books.items():
        if book not in books or seen.at >= books[book].at:
            books[book] = seen
    ladders = [ladder for ladder in (held.kalshi, news.kalshi) if ladder is not None]
    return PropLines(
        player_name=news.player_name or held.player_name,
        league=news.league or held.league,
        books=books,
        kalshi=max(ladders, key=lambda ladder: ladder.at, default=None),
    )


Known = Mapping[str, PropLines]
