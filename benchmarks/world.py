"""A made-up board: any number of mapped markets, quoted around what eight bookmakers say."""

from __future__ import annotations

import random

from shared.clock import HOUR, SECOND, Instant
from shared.edges.board import Board
from shared.edges.detector import DetectorSettings, Quotes
from shared.fees.protocol import Level
from shared.messages import (
    BookmakerMarket,
    Certificate,
    MappingDecided,
    MarketListed,
    OddsOutcome,
    OddsSeen,
    Selection,
)
from shared.money import Price, Quantity
from shared.terms import FeeType, MarketKind, MarketShape, MarketStatus, Period, Profile, Side

NOW = Instant(1_790_000_000 * SECOND)
START = Instant(NOW + 3 * HOUR)
LINES = 5  # markets of one game: a winner and four totals
BOOKMAKERS = (
    "pinnacle",
    "draftkings",
    "fanduel",
    "betmgm",
    "betrivers",
    "caesars",
    "fanatics",
    "circasports",
)
SETTINGS = DetectorSettings(profile=Profile.ANY_EDGE)
MARGIN = 1.045


def ticker(number: int) -> str:
    """Ticker of a market."""
    return f"KXMLBTOTAL-26SEP28{number // LINES:05d}-{number % LINES}"


def fair(number: int) -> float:
    """The bookmakers' probability of YES."""
    return 0.2 + 0.6 * ((number * 7919) % 1_000) / 1_000


def _selection(number: int) -> Selection:
    line = number % LINES
    if not line:
        return Selection(market="h2h", outcome="Home")
    return Selection(market="totals", outcome="Over", point=line + 5.5)


def listing(number: int, rng: random.Random) -> MarketListed:
    """A market quoted a cent or two on either side of the fair price."""
    middle = round(fair(number) * 100)
    gap = rng.choice((1, 1, 2, 3))
    return MarketListed(
        observed_at=NOW,
        ticker=ticker(number),
        event_ticker=ticker(number).rpartition("-")[0],
        series_ticker="KXMLBTOTAL",
        shape=MarketShape.BINARY,
        status=MarketStatus.ACTIVE,
        yes_bid=Price((middle - gap) * 10_000),
        yes_bid_size=Quantity(20_000),
        yes_ask=Price((middle + gap) * 10_000),
        yes_ask_size=Quantity(20_000),
        fee_type=FeeType.QUADRATIC,
        fee_multiplier_micro=1_000_000,
    )


def mapping(number: int) -> MappingDecided:
    """Mapped with an identical certificate."""
    event = f"{number // LINES:032x}"
    certificate = Certificate(
        verdict="identical",
        odds_event_id=event,
        league="MLB",
        kind=MarketKind.TOTAL,
        period=Period.FULL_GAME,
        subject="",
    )
    return MappingDecided(
        observed_at=NOW,
        ticker=ticker(number),
        event_ticker=ticker(number).rpartition("-")[0],
        league="MLB",
        kind=MarketKind.TOTAL,
        sport_key="baseball_mlb",
        odds_event_id=event,
        starts_at=START,
        confidence=1.0,
        selection=_selection(number),
        certificate=certificate,
        reason="certified",
    )


def odds(event: int, at: Instant = NOW) -> OddsSeen:
    """Eight bookmakers on all lines of a game, the further ones as alternates, seen ten seconds ago."""
    first = event * LINES
    lines = {"h2h": (first,), "totals": (first + 1,), "alternate_totals": range(first + 2, first + LINES)}
    quotes = [
        BookmakerMarket(
            bookmaker=name,
            market=market,
            last_update=Instant(at - 10 * SECOND),
            outcomes=tuple(o for number in numbers for o in _outcomes(number, 0.002 * (place % 3 - 1))),
        )
        for place, name in enumerate(BOOKMAKERS)
        for market, numbers in lines.items()
    ]
    return OddsSeen(
        observed_at=at,
        odds_event_id=f"{event:032x}",
        sport_key="baseball_mlb",
        home="Home",
        away="Away",
        starts_at=START,
        quotes=tuple(quotes),
    )


def _outcomes(number: int, lean: float) -> tuple[OddsOutcome, OddsOutcome]:
    selection = _selection(number)
    other = "Under" if selection.market == "totals" else "Away"
    yes = fair(number) + lean
    return (
        OddsOutcome(name=selection.outcome, price=round(1 / (yes * MARGIN), 3), point=selection.point),
        OddsOutcome(name=other, price=round(1 / ((1 - yes) * MARGIN), 3), point=selection.point),
    )


def board(markets: int, settings: DetectorSettings = SETTINGS) -> Board:
    """A board that has heard everything, and said it."""
    rng = random.Random(7)  # noqa: S311 - figures, not secrets
    made = Board(settings)
    for number in range(markets):
        made.market(listing(number, rng), NOW)
        made.mapping(mapping(number), NOW)
    for event in range(-(-markets // LINES)):
        made.new_odds(odds(event), NOW)
    return made


def book_at(middle: int, at: Instant, gap: int = 1, lots: int = 20_000) -> Quotes:
    """One level a side, ``gap`` cents from the middle."""
    size = Quantity(lots)
    asks: dict[Side, tuple[Level, ...]] = {
        Side.YES: ((Price((middle + gap) * 10_000), size),),
        Side.NO: ((Price((100 - middle + gap) * 10_000), size),),
    }
    return Quotes(asks, at)
