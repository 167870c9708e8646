"""What a column means where its field does not say so itself: names that mean the same in every message.

A field that needs its own words has them in ``shared.messages``; a record is described by its own docstring.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    # who and what
    "ticker": "the market, by the exchange's own name",
    "event_ticker": "the exchange's event the market belongs to",
    "series_ticker": "the exchange's series the event belongs to",
    "venue": "where the market is listed",
    "exchange_index": "matching engine that holds the market",
    "league": "our league, e.g. NBA; empty when it is not about a game",
    "sport_key": "the odds feed's key of the sport",
    "sport_title": "the odds feed's name of the sport",
    "odds_event_id": "the odds feed's event, empty when there is none",
    "home": "home side, as the feed names it",
    "away": "away side, as the feed names it",
    "bookmaker": "the odds feed's key of the bookmaker",
    "mode": "paper or live",
    # times
    "source_at": "when it happened by the source's own clock, if it says",
    "starts_at": "when the game starts",
    "opens_at": "when trading opens",
    "closes_at": "when trading closes at the latest",
    "expected_expiration_at": "when the exchange expects to settle",
    "expires_at": "when the signal is no longer worked",
    "fee_waived_until": "no fee is charged before this",
    "settled_at": "when the exchange paid",
    # identities
    "schema_version": "version of the message's schema",
    "trace_id": "follows one decision through every message about it",
    "opportunity_id": "one assessment of one side of one market",
    "signal_id": "the signal it came from; the same opportunity never signals twice",
    "order_id": "ours: the client order id",
    "venue_order_id": "the exchange's order id, empty until it has one",
    "fill_id": "one confirmed fill; a fill told twice shares it",
    "trade_id": "the exchange's id of the trade",
    "seq": "the stream's sequence number of the last change",
    # texts of the listing
    "title": "title of the market",
    "event_title": "title of the event",
    "event_sub_title": "subtitle of the event",
    "yes_sub_title": "what YES stands for",
    "no_sub_title": "what NO stands for",
    "rules_primary": "contract text",
    "rules_secondary": "contract text, continued",
    # the contract
    "is_combo": "true for a combination of several legs",
    "floor_strike": "lower strike in the statistic's own unit",
    "cap_strike": "upper strike in the statistic's own unit",
    "mutually_exclusive": "true when at most one market of the event pays",
    "fee_multiplier_micro": "fee multiplier in millionths",
    "point": "handicap or total, in points of the sport",
    # books and trades
    "is_block": "true for a block trade, which never stood on the book",
    "is_taker": "true when we took what stood on the book",
    "name": "outcome as the feed names it: a team, Draw, Over or Under",
    "price": "decimal odds, stake included, greater than 1",
    "credits_used": "credits the whole call cost, repeated on every event of its answer",
    "credits_remaining": "credits left after the call, by the feed's word",
    # judgement
    "accepted": "true when no check refused it",
    "net_edge": "dollars per contract, after fees and differing states",
    "standard_error": "of the pooled probability, as a probability",
    "books": "number of bookmakers used",
    "effective_books": "bookmakers used, counted by weight",
    "quote_age_s": "age of the exchange's quote, seconds",
    "confidence": "confidence, 0 to 100",
    "total": "confidence, 0 to 100",
    "edge": "part of the confidence from the net edge, 0 to 30",
    "consensus": "part of the confidence from the bookmakers' agreement, 0 to 30",
    "liquidity": "part of the confidence from the depth, 0 to 20",
    "timing": "part of the confidence from the time to the start, 0 to 20",
    "markets": "number of markets listed",
    "reason": "why, in words",
    "note": "remark for people",
    "text": "what to look at, in words",
    "count": "how often",
    "resolved": "true once ours and theirs agree again",
    "description": "player name on props, else empty",
    # objects with free keys
    "key": "name",
    "value": "value under that name",
}
