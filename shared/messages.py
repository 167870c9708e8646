"""What travels between functions, and what history keeps: the one source of every schema.

Each :class:`Message` subclass is one topic and one table of the same shape. Pub/Sub schemas, BigQuery and
DuckDB tables are generated from the annotations here (``arb schema``); nothing else describes a table.

Every message carries ``schema_version``, ``event_id`` (derived from content: duplicates share it),
``observed_at`` (our clock), ``source_at`` (theirs) and ``trace_id``. Seal a message before it is published.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Meta

from shared.clock import Instant
from shared.errors import FutureSchemaError, MalformedError
from shared.ids import digest
from shared.money import Price, Quantity, Usd
from shared.terms import (
    FeeType,
    MarketKind,
    MarketShape,
    MarketStatus,
    OrderStatus,
    Period,
    Profile,
    Result,
    Side,
    StrikeType,
)

SCHEMA_VERSION = 1

# Pub/Sub refuses more than 10 MB; nothing the system says comes near.
MAX_MESSAGE_BYTES = 10_000_000

PriceField = Annotated[Price, Meta(description="micro-dollars per contract", extra={"unit": "price"})]
QuantityField = Annotated[Quantity, Meta(description="hundredths of a contract", extra={"unit": "quantity"})]
UsdField = Annotated[Usd, Meta(description="micro-dollars", extra={"unit": "usd"})]
InstantField = Annotated[Instant, Meta(description="UTC, microseconds", extra={"unit": "instant"})]
DayField = Annotated[str, Meta(description="Eastern day of the game, YYYY-MM-DD", extra={"unit": "day"})]
Probability = Annotated[float, Meta(description="probability, 0 to 1")]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message: immutable, no identity of its own."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that travels on one topic and is kept in one table."""

    TOPIC: ClassVar[str] = ""
    TABLE: ClassVar[str] = ""
    CLUSTER: ClassVar[tuple[str, ...]] = ()
    PARTITION: ClassVar[str] = "observed_at"

    observed_at: Annotated[Instant, Meta(description="when we saw it, our clock", extra={"unit": "instant"})]
    source_at: InstantField | None = None
    schema_version: int = SCHEMA_VERSION
    event_id: Annotated[str, Meta(description="derived from content; duplicates share it")] = ""
    trace_id: str = ""


# --- what the exchange lists -----------------------------------------------------------------------------


class PriceRange(Record, frozen=True, kw_only=True):
    """A stretch of the price grid: valid prices are ``start + k * step`` up to ``end``."""

    start: PriceField
    end: PriceField
    step: PriceField


class MarketListed(Message, frozen=True, kw_only=True):
    """One market as the exchange lists it: text, strike, times, fee parameters, best quotes."""

    TOPIC = "kalshi-markets"
    TABLE = "kalshi_markets"
    CLUSTER = ("series_ticker", "event_ticker", "ticker")

    ticker: str
    event_ticker: str
    series_ticker: str
    venue: str = "kalshi"
    exchange_index: Annotated[int | None, Meta(description="matching engine that holds the market")] = None
    shape: MarketShape = MarketShape.UNKNOWN
    status: MarketStatus = MarketStatus.UNKNOWN
    is_combo: bool = False
    title: str = ""
    event_title: str = ""
    event_sub_title: str = ""
    yes_sub_title: str = ""
    no_sub_title: str = ""
    rules_primary: str = ""
    rules_secondary: str = ""
    strike_type: StrikeType = StrikeType.NONE
    floor_strike: float | None = None
    cap_strike: float | None = None
    custom_strike: Annotated[dict[str, str], Meta(description="stable ids of the team or player")] = {}
    mutually_exclusive: bool | None = None
    opens_at: InstantField | None = None
    closes_at: InstantField | None = None
    expected_expiration_at: InstantField | None = None
    occurs_at: Annotated[InstantField | None, Meta(description="the exchange's guess of the END")] = None
    starts_at: Annotated[InstantField | None, Meta(description="true start from a milestone")] = None
    yes_bid: PriceField | None = None
    yes_bid_size: QuantityField | None = None
    yes_ask: PriceField | None = None
    yes_ask_size: QuantityField | None = None
    last_price: PriceField | None = None
    volume: QuantityField | None = None
    open_interest: QuantityField | None = None
    price_ranges: tuple[PriceRange, ...] = ()
    fee_type: FeeType = FeeType.UNKNOWN
    fee_multiplier_micro: Annotated[int | None, Meta(description="fee multiplier in millionths")] = None
    fee_waived_until: InstantField | None = None
    result: Result = Result.PENDING
    settlement_value: PriceField | None = None
    settled_at: InstantField | None = None


class TickSeen(Message, frozen=True, kw_only=True):
    """Best quotes of a market at one moment (stream ``ticker`` or a changed listing)."""

    TOPIC = "kalshi-ticks"
    TABLE = "kalshi_ticks"
    CLUSTER = ("ticker",)

    ticker: str
    yes_bid: PriceField | None = None
    yes_bid_size: QuantityField | None = None
    yes_ask: PriceField | None = None
    yes_ask_size: QuantityField | None = None
    last_price: PriceField | None = None
    volume: QuantityField | None = None
    open_interest: QuantityField | None = None


class BookLevel(Record, frozen=True, kw_only=True):
    """One price level: a bid for its side."""

    price: PriceField
    size: QuantityField


class BookSeen(Message, frozen=True, kw_only=True):
    """Full depth of one market: bids for YES and bids for NO, best first."""

    TOPIC = "kalshi-orderbook"
    TABLE = "kalshi_orderbook"
    CLUSTER = ("ticker",)

    ticker: str
    seq: int | None = None
    yes_bids: tuple[BookLevel, ...] = ()
    no_bids: tuple[BookLevel, ...] = ()


class TradeSeen(Message, frozen=True, kw_only=True):
    """One public trade."""

    TOPIC = "kalshi-trades"
    TABLE = "kalshi_trades"
    CLUSTER = ("ticker",)

    ticker: str
    trade_id: str
    yes_price: PriceField
    size: QuantityField
    taker_side: Side | None = None
    is_block: bool = False


# --- what the bookmakers quote ---------------------------------------------------------------------------


class OddsOutcome(Record, frozen=True, kw_only=True):
    """One outcome of a bookmaker's market. ``price`` is decimal odds, greater than 1."""

    name: str
    price: float
    point: float | None = None
    description: Annotated[str, Meta(description="player name on props, else empty")] = ""


class BookmakerMarket(Record, frozen=True, kw_only=True):
    """All outcomes one bookmaker quotes in one market."""

    bookmaker: str
    market: Annotated[str, Meta(description="h2h, spreads, totals, player_points, …")]
    last_update: Annotated[InstantField | None, Meta(description="when the feed last saw it")] = None
    outcomes: tuple[OddsOutcome, ...] = ()


class OddsEvent(Record, frozen=True, kw_only=True):
    """A sportsbook event: who plays whom, when. The feed's id is its only identity."""

    id: str
    sport_key: str
    starts_at: InstantField | None
    home: str
    away: str
    sport_title: str = ""


class OddsSeen(Message, frozen=True, kw_only=True):
    """Every quote the feed returned for one event in one poll."""

    TOPIC = "sportsbook-odds"
    TABLE = "sportsbook_odds"
    CLUSTER = ("sport_key", "odds_event_id")

    odds_event_id: str
    sport_key: str
    home: str
    away: str
    starts_at: InstantField | None = None
    sport_title: str = ""
    quotes: tuple[BookmakerMarket, ...] = ()
    credits_used: int | None = None
    credits_remaining: int | None = None


# --- mapping ---------------------------------------------------------------------------------------------


class Selection(Record, frozen=True, kw_only=True):
    """The bookmaker outcome that wins exactly when YES wins, save for the stated differences."""

    market: Annotated[str, Meta(description="bookmaker market key, e.g. h2h, spreads, totals")]
    outcome: Annotated[str, Meta(description="outcome name: a team, Draw, Over or Under")]
    point: float | None = None
    description: str = ""


class PayoffDifference(Record, frozen=True, kw_only=True):
    """A state of the world in which the two contracts pay differently."""

    state: Annotated[str, Meta(description="tie, push, void, postponed, player_out, …")]
    exchange_pays: Annotated[PriceField | None, Meta(description="YES payout; null is a fair price")] = None
    book_pays: Annotated[str, Meta(description="push, void, win, lose")] = "void"
    probability: Annotated[Probability, Meta(description="upper estimate used when pricing the state")] = 0.0
    note: str = ""


class Certificate(Record, frozen=True, kw_only=True):
    """Field-by-field proof that a market and a bookmaker outcome are about the same fact."""

    verdict: Annotated[str, Meta(description="identical, different or refused")]
    odds_event_id: str
    league: str
    kind: MarketKind
    period: Period
    subject: Annotated[str, Meta(description="team, player or empty for a game total")]
    line: Annotated[float | None, Meta(description="YES wins when the value is over this")] = None
    overtime: Annotated[str, Meta(description="included, excluded or not_applicable")] = "not_applicable"
    sides: Annotated[tuple[str, ...], Meta(description="both competitors, canonical names")] = ()
    day: Annotated[str, Meta(description="Eastern day of the game")] = ""
    differences: tuple[PayoffDifference, ...] = ()
    evidence: Annotated[tuple[str, ...], Meta(description="what was compared, and with what result")] = ()
    rules_digest: Annotated[str, Meta(description="digest of the contract text this was made from")] = ""


class MappingDecided(Message, frozen=True, kw_only=True):
    """A market mapped to a sportsbook event with proof, or refused with a reason."""

    TOPIC = "mapped-events"
    TABLE = "mappings"
    CLUSTER = ("league", "event_ticker", "ticker")

    ticker: str
    event_ticker: str
    league: str = ""
    kind: MarketKind = MarketKind.OTHER
    sport_key: str = ""
    odds_event_id: Annotated[str, Meta(description="empty when refused")] = ""
    starts_at: InstantField | None = None
    confidence: Annotated[float, Meta(description="0 to 1")] = 0.0
    selection: Selection | None = None
    certificate: Certificate | None = None
    reason: Annotated[str, Meta(description="always says why")] = ""


class CoverageSeen(Message, frozen=True, kw_only=True):
    """What the exchange lists of one league, Eastern day and kind, and how much of it is mapped."""

    TOPIC = "mapping-coverage"
    TABLE = "mapping_coverage"
    CLUSTER = ("league", "game_day")

    league: Annotated[str, Meta(description="empty for series of no game")]
    game_day: Annotated[str, Meta(description="Eastern day of the ticker, empty when it has none")]
    kind: MarketKind
    markets: int
    mapped: Annotated[int, Meta(description="markets with an odds event")]
    certified: Annotated[int, Meta(description="mapped markets whose certificate allows trading")]
    refused: Annotated[dict[str, int], Meta(description="markets without an odds event, by reason")] = {}
    abstention: Annotated[float, Meta(description="share of markets without an odds event")] = 0.0
    hit_rate: Annotated[float, Meta(description="listings answered from memory, of all since start")] = 0.0


class AlertRaised(Message, frozen=True, kw_only=True):
    """Something a person should look at; nothing stops because of it."""

    TOPIC = "alerts"
    TABLE = "alerts"
    CLUSTER = ("source", "code")

    source: Annotated[str, Meta(description="the part that noticed, e.g. mapping")]
    code: Annotated[str, Meta(description="short stable word, e.g. unknown_series")]
    subject: Annotated[str, Meta(description="what it is about; one alert per code and subject")]
    text: str
    example: Annotated[str, Meta(description="where it was seen")] = ""
    count: int = 1


# --- edges -----------------------------------------------------------------------------------------------


class FairValue(Record, frozen=True, kw_only=True):
    """What the bookmakers imply for the side bought, after the margin is removed."""

    probability: Annotated[Probability, Meta(description="least favourable method for this side")]
    multiplicative: Probability
    power: Probability
    odds_ratio: Probability
    shin: Probability
    standard_error: float
    books: int
    effective_books: float
    age_s: Annotated[float, Meta(description="age of the freshest book used, seconds")]
    names: Annotated[tuple[str, ...], Meta(description="bookmakers used")] = ()


class ConfidenceScore(Record, frozen=True, kw_only=True):
    """Confidence 0-100 and its four parts."""

    total: float
    edge: float
    consensus: float
    liquidity: float
    timing: float


class OpportunityAssessed(Message, frozen=True, kw_only=True):
    """One side of one market, weighed: accepted or rejected, always with every reason."""

    TOPIC = "opportunities"
    TABLE = "opportunities"
    CLUSTER = ("profile", "ticker")

    opportunity_id: str
    ticker: str
    event_ticker: str
    side: Side
    profile: Profile
    accepted: bool
    reasons: Annotated[tuple[str, ...], Meta(description="every check that refused; empty if accepted")] = ()
    league: str = ""
    kind: MarketKind = MarketKind.OTHER
    odds_event_id: str = ""
    starts_at: InstantField | None = None
    ask: PriceField | None = None
    fee: Annotated[UsdField | None, Meta(description="fee on the executable quantity")] = None
    all_in: Annotated[float | None, Meta(description="dollars per contract, price plus fee")] = None
    quantity: Annotated[QuantityField | None, Meta(description="executable at a positive net edge")] = None
    fair: FairValue | None = None
    gross_edge: Annotated[float | None, Meta(description="dollars per contract")] = None
    net_edge: Annotated[float | None, Meta(description="dollars per contract, after fees and states")] = None
    expected_value: Annotated[UsdField | None, Meta(description="of the whole executable quantity")] = None
    confidence: ConfidenceScore | None = None
    quote_age_s: float | None = None


class SignalRaised(Message, frozen=True, kw_only=True):
    """An accepted opportunity: permission to look at the live book, not yet to trade."""

    TOPIC = "signals"
    TABLE = "signals"
    CLUSTER = ("profile", "ticker")

    signal_id: Annotated[str, Meta(description="stable: the same opportunity never signals twice")]
    opportunity_id: str
    ticker: str
    event_ticker: str
    side: Side
    profile: Profile
    limit: Annotated[PriceField, Meta(description="highest price that keeps the required net edge")]
    quantity: QuantityField
    fair_probability: Probability
    required_edge: Annotated[float, Meta(description="dollars per contract, net")]
    net_edge: float
    confidence: float
    league: str
    kind: MarketKind
    odds_event_id: str
    certificate: Certificate
    exchange_index: int | None = None
    price_ranges: tuple[PriceRange, ...] = ()
    fee_type: FeeType = FeeType.UNKNOWN
    fee_multiplier_micro: int | None = None
    starts_at: InstantField | None = None
    expires_at: InstantField | None = None


# --- orders and money ------------------------------------------------------------------------------------


class OrderUpdated(Message, frozen=True, kw_only=True):
    """State of one order after one change."""

    TOPIC = "orders"
    TABLE = "orders"
    CLUSTER = ("ticker", "order_id")

    order_id: Annotated[str, Meta(description="ours: the client order id")]
    venue_order_id: str = ""
    signal_id: str
    ticker: str
    event_ticker: str
    side: Side
    status: OrderStatus
    limit: PriceField
    quantity: QuantityField
    filled: QuantityField = Quantity(0)
    mode: Annotated[str, Meta(description="paper or live")] = "paper"
    profile: Profile = Profile.STANDARD
    league: str = ""
    kind: MarketKind = MarketKind.OTHER
    controls: Annotated[tuple[str, ...], Meta(description="every control the gate passed")] = ()
    reasons: Annotated[tuple[str, ...], Meta(description="why refused, canceled or unknown")] = ()
    fair_probability: Probability | None = None
    expected_edge: Annotated[float | None, Meta(description="dollars per contract when sent")] = None
    latency_ns: Annotated[dict[str, int], Meta(description="nanoseconds from the look, by stage")] = {}


class FillRecorded(Message, frozen=True, kw_only=True):
    """One confirmed fill. ``price`` is for the side bought."""

    TOPIC = "fills"
    TABLE = "fills"
    CLUSTER = ("ticker", "order_id")

    fill_id: str
    order_id: str
    signal_id: str
    ticker: str
    event_ticker: str
    side: Side
    price: PriceField
    quantity: QuantityField
    fee: UsdField
    is_taker: bool = True
    mode: str = "paper"
    profile: Profile = Profile.STANDARD
    league: str = ""


class PositionChanged(Message, frozen=True, kw_only=True):
    """Holding in one market after a change; YES positive, NO negative."""

    TOPIC = "positions"
    TABLE = "positions"
    CLUSTER = ("ticker",)

    ticker: str
    event_ticker: str
    quantity: QuantityField
    cost: UsdField
    fees: UsdField
    realized: UsdField


class MarketSettled(Message, frozen=True, kw_only=True):
    """A market's result and what it paid on what we held."""

    TOPIC = "settlements"
    TABLE = "settlements"
    CLUSTER = ("ticker",)

    ticker: str
    event_ticker: str
    result: Result
    payout_yes: Annotated[PriceField, Meta(description="paid per YES contract; NO gets the rest")]
    yes_quantity: QuantityField = Quantity(0)
    no_quantity: QuantityField = Quantity(0)
    revenue: UsdField = Usd(0)
    cost: UsdField = Usd(0)
    fees: UsdField = Usd(0)
    pnl: Annotated[UsdField, Meta(description="revenue less cost less fees")] = Usd(0)


class MarketResolved(Message, frozen=True, kw_only=True):
    """How a market ended, whether or not we held it: what every refused price would have been worth."""

    TOPIC = "results"
    TABLE = "results"
    CLUSTER = ("ticker",)

    ticker: str
    event_ticker: str
    series_ticker: str = ""
    result: Result
    payout_yes: Annotated[PriceField, Meta(description="paid per YES contract; NO gets the rest")]
    settled_at: Annotated[InstantField | None, Meta(description="when the exchange paid")] = None


class AccountSeen(Message, frozen=True, kw_only=True):
    """Cash and portfolio value at one moment, per shard."""

    TOPIC = "account-snapshots"
    TABLE = "account_snapshots"

    mode: str
    cash: UsdField
    reserved: UsdField = Usd(0)
    portfolio_value: UsdField = Usd(0)
    realized: UsdField = Usd(0)
    fees: UsdField = Usd(0)
    shard_cash: Annotated[dict[str, int], Meta(description="micro-dollars by shard")] = {}


# --- what went wrong, what it cost -----------------------------------------------------------------------


class BreakerMoved(Message, frozen=True, kw_only=True):
    """One change of one breaker: who moved it, from what to what, and why."""

    TOPIC = "breaker"
    TABLE = "breaker_moves"
    CLUSTER = ("breaker",)

    breaker: Annotated[str, Meta(description="a venue endpoint, or the one for everything")]
    before: Annotated[str, Meta(description="closed, open or half_open")]
    after: Annotated[str, Meta(description="closed, open or half_open")]
    cause: Annotated[str, Meta(description="newest cause, e.g. failures; empty on a first closing")] = ""
    causes: Annotated[tuple[str, ...], Meta(description="all causes since it was closed, oldest first")] = ()
    reason: str
    actor: Annotated[str, Meta(description="the part or the person that moved it")]
    at: Annotated[InstantField, Meta(description="when it moved, by the mover's clock")]


class ReconciliationDifference(Message, frozen=True, kw_only=True):
    """Something the venue says otherwise than we do; told again, with the same id, once it is resolved."""

    TOPIC = "reconciliation"
    TABLE = "reconciliation"
    CLUSTER = ("what", "ticker")

    difference_id: Annotated[str, Meta(description="the same difference, open and resolved, shares it")]
    what: Annotated[str, Meta(description="order, fill, position or cash")]
    subject: Annotated[str, Meta(description="order id, fill id, ticker, or shard of the cash")]
    ticker: Annotated[str, Meta(description="empty for cash")] = ""
    ours: Annotated[str, Meta(description="what we held to be true; empty: unknown to us")] = ""
    theirs: Annotated[str, Meta(description="what the venue says; empty: unknown to it")] = ""
    gap: Annotated[
        int | None, Meta(description="theirs less ours: hundredths of a contract; micro-dollars for cash")
    ] = None
    resolved: bool = False
    resolution: Annotated[str, Meta(description="what was done about it")] = ""
    mode: Annotated[str, Meta(description="paper or live")] = "live"
    actor: Annotated[str, Meta(description="the part or the person that found or resolved it")] = ""


class CreditsSpent(Message, frozen=True, kw_only=True):
    """One paid call to the odds feed: what it cost, what is left, and what it brought."""

    TOPIC = "odds-credits"
    TABLE = "odds_credits"
    CLUSTER = ("sport_key", "call")

    sport_key: str
    call: Annotated[str, Meta(description="odds, event_odds, scores, …")]
    odds_event_id: Annotated[str, Meta(description="empty when the call is for a whole sport")] = ""
    markets: Annotated[tuple[str, ...], Meta(description="bookmaker market keys asked for")] = ()
    planned: Annotated[int, Meta(description="credits set aside before the call")]
    used: Annotated[int | None, Meta(description="credits the feed charged; null when it did not say")] = None
    remaining: Annotated[int | None, Meta(description="credits left by the feed's own word")] = None
    events: Annotated[int, Meta(description="events in the answer")] = 0
    published: Annotated[int, Meta(description="events that were wanted and went on")] = 0
    failure: Annotated[str, Meta(description="why nothing came back; empty when it did")] = ""


class Quarantined(Message, frozen=True, kw_only=True):
    """Input that could not be used: where it came from, why, and enough of it to look at."""

    TOPIC = "quarantine"
    TABLE = "quarantine"

    source: Annotated[str, Meta(description="topic, endpoint or file")]
    reason: str
    sample: Annotated[str, Meta(description="first characters of the input, secrets removed")] = ""
    count: int = 1


# --- player props ----------------------------------------------------------------------------------------


class PropsScraped(Message, frozen=True, kw_only=True):
    """One scrape of one day's player props: where its raw pages are, and what could not be read."""

    TOPIC = "player-props-scraped"
    TABLE = "player_props_runs"
    CLUSTER = ("game_date",)
    PARTITION = "game_date"

    run_id: str
    game_date: DayField
    prefix: Annotated[str, Meta(description="raw pages in the blob store begin with this")]
    series: int = 0
    markets: int = 0
    books: Annotated[int, Meta(description="order books read")] = 0
    games: Annotated[int, Meta(description="games asked for at the bookmakers")] = 0
    calls: Annotated[int, Meta(description="calls of the exchange")] = 0
    credits_used: int = 0
    kalshi_available: bool = True
    failed: Annotated[dict[str, str], Meta(description="what could not be read, with the reason")] = {}


class PropListed(Message, frozen=True, kw_only=True):
    """One rung of a player's ladder on the exchange as it stood after a change."""

    TOPIC = "kalshi-player-props"
    TABLE = "kalshi_player_props"
    CLUSTER = ("player_lookup", "prop_type", "status")
    PARTITION = "game_date"

    game_date: DayField
    ticker: str
    event_ticker: str
    series_ticker: str
    league: str
    prop_type: Annotated[str, Meta(description="points, rebounds_assists, passing_yards, …")]
    player_name: Annotated[str, Meta(description="as the exchange shows it")]
    player_lookup: Annotated[str, Meta(description="comparable form of the name")]
    player_team: Annotated[str, Meta(description="team code of the ticker")] = ""
    player_id: Annotated[str, Meta(description="the exchange's stable id")] = ""
    home: str = ""
    away: str = ""
    odds_event_id: Annotated[str, Meta(description="the mapped game, empty when unmatched")] = ""
    starts_at: InstantField | None = None
    threshold: Annotated[int, Meta(description="YES pays at this count or more")]
    line: Annotated[float, Meta(description="YES pays over this: threshold less one half")]
    yes_bid: PriceField | None = None
    yes_bid_size: QuantityField | None = None
    yes_ask: PriceField | None = None
    yes_ask_size: QuantityField | None = None
    no_bid: PriceField | None = None
    no_bid_size: QuantityField | None = None
    no_ask: PriceField | None = None
    no_ask_size: QuantityField | None = None
    last_price: PriceField | None = None
    volume: QuantityField | None = None
    open_interest: QuantityField | None = None
    implied_low: Annotated[Probability | None, Meta(description="best YES bid: at least this")] = None
    implied_high: Annotated[Probability | None, Meta(description="best YES ask: at most this")] = None
    over_american: Annotated[int | None, Meta(description="American odds of the YES ask")] = None
    under_american: Annotated[int | None, Meta(description="American odds of the NO ask")] = None
    depth: Annotated[QuantityField | None, Meta(description="contracts resting on both sides")] = None
    liquidity: Annotated[str, Meta(description="HIGH over 1,000 contracts resting, MEDIUM, LOW")] = "LOW"
    yes_executable: Annotated[QuantityField | None, Meta(description="YES at no loss, books' value")] = None
    no_executable: Annotated[QuantityField | None, Meta(description="NO at no loss, books' value")] = None
    round_trip_cost: Annotated[
        float | None, Meta(description="dollars per contract, in and out at once, fees included")
    ] = None
    status: MarketStatus = MarketStatus.UNKNOWN
    opens_at: InstantField | None = None
    closes_at: InstantField | None = None
    expected_expiration_at: InstantField | None = None
    result: Result = Result.PENDING
    settlement_value: PriceField | None = None
    validated_team: str = ""
    team_confidence: Annotated[float, Meta(description="0 to 1")] = 0.0
    team_method: Annotated[str, Meta(description="id+ticker, id, ticker or none")] = "none"
    has_team_issues: bool = False
    findings: Annotated[tuple[str, ...], Meta(description="checks this rung or its ladder failed")] = ()
    content_hash: Annotated[str, Meta(description="of player, date, prop, line, prices, sizes, status")] = ""
    run_id: str = ""
    processed_at: InstantField | None = None


class PropQuoted(Message, frozen=True, kw_only=True):
    """One bookmaker's line on one player as it stood after a change. Prices are decimal odds."""

    TOPIC = "sportsbook-player-props"
    TABLE = "sportsbook_player_props"
    CLUSTER = ("player_lookup", "prop_type", "bookmaker")
    PARTITION = "game_date"

    game_date: DayField
    odds_event_id: str
    sport_key: str
    league: str = ""
    home: str = ""
    away: str = ""
    starts_at: InstantField | None = None
    bookmaker: str
    market: Annotated[str, Meta(description="the feed's market key")]
    is_alternate: bool = False
    prop_type: str
    player_name: str
    player_lookup: str
    line: float
    over_price: float | None = None
    under_price: float | None = None
    over_fair: Annotated[Probability | None, Meta(description="margin removed, power method")] = None
    last_update: Annotated[InstantField | None, Meta(description="when the feed last saw it")] = None
    content_hash: Annotated[str, Meta(description="of book, player, prop, line and prices")] = ""
    run_id: str = ""
    processed_at: InstantField | None = None


class PropCompared(Message, frozen=True, kw_only=True):
    """One rung beside the bookmakers' opinion of the same count, and how that opinion was reached."""

    TOPIC = "prop-comparisons"
    TABLE = "prop_comparisons"
    CLUSTER = ("player_lookup", "prop_type", "method")
    PARTITION = "game_date"

    game_date: DayField
    ticker: str
    event_ticker: str
    league: str
    prop_type: str
    player_name: str
    player_lookup: str
    odds_event_id: str = ""
    starts_at: InstantField | None = None
    line: float
    method: Annotated[str, Meta(description="direct, interpolated, modelled, extrapolated or none")]
    model: Annotated[str, Meta(description="poisson, negative_binomial, normal or empty")] = ""
    tradable: bool = False
    reasons: Annotated[tuple[str, ...], Meta(description="every reason not to trade")] = ()
    fair: Annotated[Probability | None, Meta(description="P(over line) by the books")] = None
    yes_fair: Annotated[Probability | None, Meta(description="least favourable to a buyer of YES")] = None
    no_fair: Annotated[Probability | None, Meta(description="least favourable to a buyer of NO")] = None
    model_error: Annotated[float, Meta(description="of the line's translation, probability")] = 0.0
    standard_error: float | None = None
    books: int = 0
    quote_age_s: Annotated[float | None, Meta(description="of the freshest book used, seconds")] = None
    book_lines: Annotated[tuple[float, ...], Meta(description="the book lines used")] = ()
    yes_ask: PriceField | None = None
    no_ask: PriceField | None = None
    yes_net_edge: Annotated[float | None, Meta(description="dollars per contract after fees, states")] = None
    no_net_edge: Annotated[float | None, Meta(description="dollars per contract after fees, states")] = None
    yes_quantity: Annotated[QuantityField | None, Meta(description="executable at no loss")] = None
    no_quantity: Annotated[QuantityField | None, Meta(description="executable at no loss")] = None
    differences: tuple[PayoffDifference, ...] = ()
    evidence: tuple[str, ...] = ()
    run_id: str = ""


class PropPredicted(Message, frozen=True, kw_only=True):
    """A model's probability that one player goes over one line, and the lines it was made beside."""

    TOPIC = "player-prop-predictions"
    TABLE = "player_prop_predictions"
    CLUSTER = ("player_lookup", "prop_type", "model")
    PARTITION = "game_date"

    game_date: DayField
    league: str = ""
    player_name: str = ""
    player_lookup: str
    prop_type: str
    line: float
    line_source: Annotated[str, Meta(description="a bookmaker's key, or kalshi")]
    line_age_s: float | None = None
    is_stale: bool = False
    over_probability: Probability
    model: str
    model_version: str = ""
    kalshi_available: bool = False
    kalshi_line: float | None = None
    kalshi_yes_price: PriceField | None = None
    kalshi_no_price: PriceField | None = None
    kalshi_liquidity: str = ""
    kalshi_market_ticker: str = ""
    line_discrepancy: Annotated[float | None, Meta(description="exchange line less the line used")] = None
    run_id: str = ""


MESSAGES: tuple[type[Message], ...] = (
    MarketListed,
    TickSeen,
    BookSeen,
    TradeSeen,
    OddsSeen,
    MappingDecided,
    CoverageSeen,
    OpportunityAssessed,
    SignalRaised,
    OrderUpdated,
    FillRecorded,
    PositionChanged,
    MarketSettled,
    MarketResolved,
    AccountSeen,
    AlertRaised,
    BreakerMoved,
    ReconciliationDifference,
    CreditsSpent,
    Quarantined,
    PropsScraped,
    PropListed,
    PropQuoted,
    PropCompared,
    PropPredicted,
)

BY_TOPIC: dict[str, type[Message]] = {message.TOPIC: message for message in MESSAGES}
BY_TABLE: dict[str, type[Message]] = {message.TABLE: message for message in MESSAGES}

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[type[Message], msgspec.json.Decoder[Message]] = {
    kind: msgspec.json.Decoder(kind) for kind in MESSAGES
}

M = TypeVar("M", bound=Message)


def seal(message: M, trace_id: str = "") -> M:
    """The same message with ``event_id`` derived from its content (and ``trace_id`` set, if given)."""
    bare = msgspec.structs.replace(message, event_id="", trace_id="")
    identity = digest(message.TOPIC, _encoder.encode(bare))
    return msgspec.structs.replace(message, event_id=identity, trace_id=trace_id or message.trace_id)


def encode(message: Message) -> bytes:
    """Wire form: JSON, keys in a fixed order."""
    return _encoder.encode(message)


class _Version(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def decode(topic: str, data: bytes) -> Message:
    """Message of ``topic`` from its wire form.

    Raises :class:`FutureSchemaError` for a newer version, :class:`MalformedError` for anything else unusable.
    """
    kind = BY_TOPIC.get(topic)
    if kind is None:
        raise MalformedError(f"unknown topic {topic!r}")
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedError(f"{topic}: {len(data)} bytes is over the {MAX_MESSAGE_BYTES} limit")
    try:
        version = msgspec.json.decode(data, type=_Version).schema_version
        if version > SCHEMA_VERSION:
            raise FutureSchemaError(f"{topic}: schema {version} is newer than {SCHEMA_VERSION}; upgrade")
        return _decoders[kind].decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MalformedError(f"{topic}: {exc}") from exc
