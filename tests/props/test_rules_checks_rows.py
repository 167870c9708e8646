from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import Instant
from shared.messages import PropListed, decode, encode
from shared.money import Price, Quantity
from shared.props import changes
from shared.props.checks import findings_of
from shared.props.quotes import Depth, at_no_loss, round_trip_cost
from shared.props.rows import american, content_of, identified, listed_row
from shared.props.rules import differences, read_participation
from shared.terms import MarketStatus, Side
from tests.props.build import NOW, SECONDARY, rung

BATTER = (
    "Player Participation & Settlement Criteria\n"
    "If Andrew Benintendi is scratched or not included in the starting lineup, the market will resolve to "
    "the fair market price.\n"
    "If Andrew Benintendi starts the game but does not record a plate appearance, the market will resolve to "
    "the fair market price.\n"
    "If Andrew Benintendi is not in the starting lineup but later enters the game, the market will resolve "
    "to the fair market price, pinch hit at bats will not count towards the market.\n"
)


# --- rules -------------------------------------------------------------------------------------------------


def test_a_batter_who_does_not_start_is_a_fair_price_even_if_he_comes_in() -> None:
    found = read_participation(BATTER)
    assert (found.absent, found.substitute, found.minimum) == ("fair", True, True)
    states = {state.state: state.book_pays for state in differences("baseball", found)}
    assert states == {"player_out": "void", "postponed": "void", "substitute": "lose", "minimum_play": "void"}


def test_a_basketball_player_counts_once_he_enters() -> None:
    found = read_participation(SECONDARY)
    assert (found.absent, found.substitute, found.minimum) == ("fair", False, False)


def test_a_clause_that_pays_no_is_told_apart() -> None:
    found = read_participation("If the player is inactive, the market resolves to No.")
    assert found.absent == "no"
    assert differences("football", found)[0].exchange_pays == 0


def test_no_clause_is_a_problem_and_not_a_guess() -> None:
    assert read_participation("All trademarks are the property of their owners.").problem
    assert read_participation("").problem


# --- checks ------------------------------------------------------------------------------------------------


def test_a_sound_ladder_has_no_findings() -> None:
    assert findings_of([rung(20, 0.70, 0.72), rung(25, 0.48, 0.50), rung(30, 0.2, 0.22)]) == {}


def test_a_higher_threshold_bid_over_a_lower_ones_ask_is_an_arbitrage() -> None:
    found = findings_of([rung(20, 0.40, 0.42), rung(25, 0.48, 0.50)])
    assert [text.split(":")[0] for texts in found.values() for text in texts] == ["ladder_arbitrage"]


def test_a_ladder_that_rises_without_being_executable_is_inverted() -> None:
    found = findings_of([rung(20, 0.46, 0.52), rung(25, 0.48, 0.54)])
    assert [text.split(":")[0] for texts in found.values() for text in texts] == ["ladder_inverted"]


def test_ladders_of_two_players_are_not_compared() -> None:
    other = rung(25, 0.48, 0.50, player="Jaylen Brown", code="BOSJBROWN7")
    assert findings_of([rung(20, 0.40, 0.42), other]) == {}


def test_the_same_threshold_twice_is_a_finding() -> None:
    again = rung(25, ticker="KXNBAPTS-26NOV21MIABOS-BOSJTATUM0-25A")
    texts = [text for found in findings_of([rung(25), again]).values() for text in found]
    assert any(text.startswith("duplicate") for text in texts)


def test_a_crossed_book_a_reach_too_far_and_an_empty_level_are_findings() -> None:
    crossed = rung(25, 0.52, 0.50)
    assert any("crossed" in text for text in findings_of([crossed])[crossed.prop.market.ticker])
    far = rung(150)
    assert any("range" in text for text in findings_of([far])[far.prop.market.ticker])
    bare = rung(25)
    empty = msgspec.structs.replace(bare.prop.market)
    assert empty.ticker == bare.prop.market.ticker
    hollow = type(bare)(bare.prop, Depth(((Price(480_000), Quantity(0)),), ()), bare.schedule)
    assert any("level" in text for text in findings_of([hollow])[bare.prop.market.ticker])


# --- books and costs ---------------------------------------------------------------------------------------


def test_a_round_trip_costs_the_spread_and_both_fees() -> None:
    one = rung(25, 0.48, 0.50)
    deep = Depth(((Price(480_000), Quantity(20_000)),), ((Price(500_000), Quantity(20_000)),))
    cost = round_trip_cost(deep, one.schedule)
    # 2c of spread, 1.75c to buy at 50c and 1.7472c to sell at 48c.
    assert cost == pytest.approx(0.02 + 0.0175 + 0.017472, abs=1e-6)


def test_a_round_trip_larger_than_the_book_has_no_cost() -> None:
    one = rung(25, 0.48, 0.50)
    assert round_trip_cost(one.depth, one.schedule) is None
    assert round_trip_cost(one.depth, None) is None


def test_contracts_at_no_loss_stop_at_the_first_dear_level() -> None:
    one = rung(25)
    asks = ((Price(400_000), Quantity(100)), (Price(500_000), Quantity(200)), (Price(600_000), Quantity(300)))
    assert at_no_loss(0.52, asks, one.schedule) == 300
    assert at_no_loss(0.30, asks, one.schedule) == 0
    assert at_no_loss(None, asks, one.schedule) is None


# --- rows --------------------------------------------------------------------------------------------------


def row(**changes_: object) -> PropListed:
    return listed_row(rung(25, **changes_), None, None, (), "run")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cents", "odds"), [(50, 100), (57, -133), (40, 150), (60, -150), (1, 9900), (99, -9900), (33, 203)]
)
def test_american_odds_are_rounded_and_even_money_is_plus_100(cents: int, odds: int) -> None:
    assert american(Price(cents * 10_000)) == odds


def test_no_price_has_no_odds() -> None:
    assert (american(None), american(Price(0)), american(Price(1_000_000))) == (None, None, None)


def test_the_implied_probability_is_the_bracket_of_bid_and_ask() -> None:
    found = row()
    assert (found.implied_low, found.implied_high) == (0.48, 0.50)
    assert (found.yes_ask, found.no_bid, found.no_ask) == (500_000, 500_000, 520_000)
    assert (found.yes_ask_size, found.no_ask_size) == (9_000, 15_000)
    assert (found.over_american, found.under_american) == (100, -108)


def test_liquidity_counts_what_rests_on_both_sides() -> None:
    found = row()
    assert (found.depth, found.liquidity) == (24_000, "MEDIUM")


def test_the_hash_covers_prices_sizes_and_status_and_nothing_that_always_moves() -> None:
    base = row()
    assert content_of(base) == base.content_hash
    for moved in (
        {"yes_bid": Price(470_000)},
        {"yes_bid_size": Quantity(1)},
        {"status": MarketStatus.CLOSED},
    ):
        assert content_of(msgspec.structs.replace(base, **moved)) != base.content_hash
    for same in ({"volume": Quantity(7)}, {"run_id": "x"}, {"observed_at": Instant(1)}):
        assert content_of(msgspec.structs.replace(base, **same)) == base.content_hash


def test_the_identity_does_not_depend_on_when_a_row_was_processed() -> None:
    one, other = identified(row(), NOW), identified(row(), Instant(NOW + 5))
    assert one.event_id == other.event_id
    assert one.processed_at != other.processed_at
    assert decode(PropListed.TOPIC, encode(one)) == one


def test_both_asks_come_from_the_other_sides_bids() -> None:
    one = rung(25, 0.48, 0.50)
    assert one.depth.asks(Side.YES) == ((Price(500_000), Quantity(9_000)),)
    assert one.depth.asks(Side.NO) == ((Price(520_000), Quantity(15_000)),)


# --- memory ------------------------------------------------------------------------------------------------


def written(scrapes: list[tuple[int, str]], memory: changes.Memory = ()) -> tuple[list[int], changes.Memory]:
    news = []
    for when, content in scrapes:
        if changes.is_news(memory, Instant(when), content):
            news.append(when)
            memory = changes.remembered(memory, Instant(when), content)
    return news, memory


def test_unchanged_rows_are_not_news_and_a_return_is() -> None:
    assert written([(1, "a"), (2, "a"), (3, "b"), (4, "a")])[0] == [1, 3, 4]


def test_a_missed_scrape_finds_its_place() -> None:
    _, memory = written([(1, "a"), (5, "a")])
    assert written([(3, "b")], memory)[0] == [3]


scrapes = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from("abc")), unique_by=lambda one: one[0], max_size=20
)


@given(scrapes, st.randoms(use_true_random=False))
def test_running_a_day_again_in_any_order_writes_nothing(found: list[tuple[int, str]], rng: object) -> None:
    ordered = sorted(found)
    _, memory = written(ordered)
    rng.shuffle(found)  # type: ignore[attr-defined]
    assert written(found, memory) == ([], memory)


@given(scrapes)
def test_every_change_is_written(found: list[tuple[int, str]]) -> None:
    ordered = sorted(found)
    expected = [ordered[0][0]] if ordered else []
    expected += [after[0] for before, after in pairwise(ordered) if before[1] != after[1]]
    assert written(ordered)[0] == expected


def test_a_full_memory_forgets_the_oldest_and_takes_nothing_older() -> None:
    _, memory = written([(when, "ab"[when % 2]) for when in range(10, 10 + changes.KEPT + 5)])
    assert len(memory) == changes.KEPT
    assert not changes.is_news(memory, Instant(1), "z")
