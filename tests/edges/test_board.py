"""The board: late and repeated messages change nothing, and only what changed is said."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest
from msgspec.structs import replace

from shared.clock import HOUR, MINUTE, SECOND, Instant
from shared.edges.board import Board
from shared.messages import Message
from tests.edges.floor import BOOKS, NOW, SETTINGS, TICKER, mapping, market, moneyline, odds, price


def fed(board: Board, message: Message, now: Instant = NOW) -> tuple[int, int]:
    """Numbers of assessments and of signals that one message brings."""
    from shared.messages import MappingDecided, MarketListed, OddsSeen

    match message:
        case MarketListed():
            found = board.market(message, now)
        case MappingDecided():
            found = board.mapping(message, now)
        case OddsSeen():
            found = board.new_odds(message, now)
        case _:
            raise AssertionError(message)
    return len(found.opportunities), len(found.signals)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    board = Board(SETTINGS)
    messages: list[Message] = [market(), mapping(), odds()]
    signals = sum(fed(board, messages[index])[1] for index in order)
    assert signals == 1


def test_the_same_message_twice_says_nothing_new() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    assert [fed(board, message) for message in (market(), mapping(), odds())] == [(0, 0)] * 3


def test_a_late_listing_changes_nothing_but_a_count() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    late = market(observed_at=Instant(NOW - SECOND), yes_ask=price(20))
    assert fed(board, late) == (0, 0)
    assert board.markets[TICKER].yes_ask == price(46)
    assert board.stale == 1


def test_a_changed_price_is_assessed_again() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    later = market(observed_at=Instant(NOW + SECOND), yes_ask=price(45))
    assert fed(board, later, Instant(NOW + SECOND)) == (1, 1)


def test_new_odds_reach_every_market_of_their_event() -> None:
    board = Board(SETTINGS)
    for index in range(3):
        ticker = f"T{index}"
        fed(board, market(ticker=ticker))
        fed(board, mapping(ticker=ticker))
    assert fed(board, odds())[0] == 6


def test_the_same_opportunity_signals_once_while_it_stands() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    moved = replace(odds(*(moneyline(book, 1.951, 1.949) for book in BOOKS)), observed_at=Instant(NOW + 1))
    assert fed(board, moved, Instant(NOW + 1))[1] == 0


def test_ended_games_are_forgotten() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    assert board.forget_ended(Instant(NOW + 3 * HOUR), 30 * MINUTE) == [TICKER]
    held = (board.markets, board.quotes, board.odds, board._fair, board._said, board._triggers)
    assert not any(held)


def test_a_market_that_never_starts_can_be_forgotten_by_name() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(starts_at=None), odds()):
        fed(board, message)
    board.forget([TICKER, "NEVER-SEEN"])
    assert not any((board.markets, board.mappings, board.quotes))


def test_what_is_said_can_travel() -> None:
    board = Board(SETTINGS)
    fed(board, market())
    fed(board, mapping())
    found = board.new_odds(odds(), NOW)
    for message in (*found.opportunities, *found.signals):
        assert message.event_id
        assert message.trace_id == "trace"
        assert msgspec.json.encode(message)


def test_after_the_clock_was_set_back_new_listings_count_again() -> None:
    board = Board(SETTINGS)
    ahead = market(observed_at=Instant(NOW + HOUR))
    fed(board, ahead, Instant(NOW + HOUR))
    fed(board, market(yes_ask=price(45)), NOW)
    assert board.markets[TICKER].yes_ask == price(45)


def test_a_fair_value_that_fell_is_news_though_the_price_is_still_worth_it() -> None:
    board = Board(SETTINGS)
    for message in (market(), mapping(), odds()):
        fed(board, message)
    lower = replace(odds(*(moneyline(book, 1.97, 1.93) for book in BOOKS)), observed_at=Instant(NOW + 1))
    found = board.new_odds(lower, Instant(NOW + 1))
    assert [opportunity.accepted for opportunity in found.opportunities if opportunity.side == "yes"] == [
        True
    ]
    assert [signal.limit for signal in found.signals] == [price(46)]


def test_a_quote_from_the_future_is_stale_and_gives_way_to_the_next_listing() -> None:
    board = Board(SETTINGS)
    ahead = Instant(NOW + HOUR)
    fed(board, market(observed_at=ahead), ahead)
    fed(board, mapping())
    (yes, _) = board.new_odds(odds(), NOW).opportunities
    assert [reason.partition(":")[0] for reason in yes.reasons] == ["stale_quote"]
    assert fed(board, market())[1] == 1
