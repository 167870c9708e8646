"""Scraping and processing a day of props: raw first, every change once, and input that is no good."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.clock import DAY as A_DAY
from shared.clock import HOUR, MINUTE, Instant, ManualClock
from shared.errors import ConfigError, MalformedError, RateLimitedError, VenueDownError
from shared.messages import (
    AlertRaised,
    PropCompared,
    PropListed,
    PropPredicted,
    PropQuoted,
    PropsScraped,
    Quarantined,
)
from shared.pipeline.props_books import known_games
from shared.pipeline.props_days import day_of, is_due
from shared.pipeline.props_lines import BettingLines
from shared.pipeline.props_scrape import BUDGET
from shared.props.predict import PropQuestion
from shared.venues.http import Response
from tests.props.build import (
    DAY,
    EVENT,
    GAME,
    NOW,
    START,
    event_row,
    odds_row,
    row,
    series_row,
    slate_row,
)
from tests.support.props import PropDesk, VenueDay

LOW, HIGH = row(20, bid="0.7000", ask="0.7200"), row(30, bid="0.2000", ask="0.2300")
TATUM = {"Jayson Tatum": {24.5: (1.91, 1.91), 29.5: (3.4, 1.33)}}


def day(*markets: dict[str, Any], lines: dict[str, Any] | None = None) -> VenueDay:
    rows = markets or (LOW, row(25), HIGH)
    return VenueDay(
        series=[series_row(), series_row("KXNBAGAME", "Pro Basketball Game")],
        events={"KXNBAPTS": [event_row(*rows)]},
        slates={"basketball_nba": [slate_row()]},
        odds={EVENT: odds_row(TATUM if lines is None else lines)},
    )


def desk(venues: VenueDay | None = None, **changes: Any) -> PropDesk:
    return PropDesk(venues or day(), ManualClock(NOW), **changes)


# --- the whole path ----------------------------------------------------------------------------------------


async def test_a_day_goes_from_the_venues_to_rows_comparisons_and_predictions() -> None:
    made = desk()
    scraped, report = await made.run("TODAY")
    assert (scraped.game_date, scraped.series, scraped.markets, scraped.games) == (DAY, 1, 3, 1)
    assert report.rows_written == {
        "kalshi_player_props": 3,
        "sportsbook_player_props": 8,
        "prop_comparisons": 3,
        "player_prop_predictions": 1,
    }
    assert {one.method for one in made.said(PropCompared)} == {"direct", "modelled", "interpolated"} - {
        "interpolated"
    }
    quoted: list[PropQuoted] = made.said(PropQuoted)
    assert {(one.player_lookup, one.line) for one in quoted} == {("jaysontatum", 24.5), ("jaysontatum", 29.5)}
    (prediction,) = made.said(PropPredicted)
    assert (prediction.line, prediction.line_source, prediction.kalshi_line) == (24.5, "draftkings", 24.5)
    assert prediction.over_probability == pytest.approx(0.5)


async def test_raw_pages_are_stored_before_anything_is_made_of_them() -> None:
    made = desk()
    scraped = await made.scraper.scrape()
    assert len(made.blobs.held) == made.transport.calls.__len__()
    assert all(path.startswith(f"raw/props/{DAY}/{scraped.run_id}/") for path in made.blobs.held)
    assert not made.said(PropListed)
    assert all(b'"k"' not in page for page in made.blobs.held.values())


async def test_a_run_can_be_repeated_from_its_pages_by_another_process() -> None:
    made = desk()
    await made.run()
    rows = {one.event_id for one in made.said(PropListed)}
    elsewhere = PropDesk(VenueDay(), ManualClock(Instant(NOW + HOUR)), blobs=made.blobs)
    await elsewhere.processor.process(made.said(PropsScraped)[0])
    assert {one.event_id for one in elsewhere.said(PropListed)} == rows


async def test_only_what_changed_is_written_again() -> None:
    made = desk()
    await made.run()
    made.clock.set(Instant(NOW + 5 * MINUTE))
    made.venues.events["KXNBAPTS"] = [
        event_row(
            row(20, bid="0.7000", ask="0.7200"), row(25, bid="0.4900"), row(30, bid="0.2000", ask="0.2300")
        )
    ]
    _, report = await made.run()
    assert report.rows_written["kalshi_player_props"] == 1
    assert [one.yes_bid for one in made.said(PropListed) if one.threshold == 25] == [480_000, 490_000]
    again = [await made.new_processor().process(run) for run in made.said(PropsScraped)]
    assert [set(one.rows_written.values()) for one in again] == [{0}, {0}]


async def test_a_crash_between_publishing_and_remembering_repeats_the_same_ids() -> None:
    made = desk()
    scraped = await made.scraper.scrape()
    assert scraped.failed == {}
    run = made.said(PropsScraped)[0]
    await made.processor.process(run)
    for path in [path for path in made.documents._held if path.startswith("prop_changes/")]:
        await made.documents.delete_if(path, made.documents._held[path].version)
    made.clock.set(Instant(NOW + HOUR))
    await made.new_processor().process(run)
    rows = made.said(PropListed)
    assert (len(rows), len({one.event_id for one in rows})) == (6, 3)


async def test_depth_comes_from_the_order_book_where_it_was_read() -> None:
    venues = day(row(25))
    ticker = f"KXNBAPTS-{GAME}-BOSJTATUM0-25"
    venues.books[ticker] = {
        "yes_dollars": [["0.4600", "500.00"], ["0.4700", "300.00"]], "no_dollars": [["0.5100", "900.00"]],
    }  # fmt: skip
    made = desk(venues)
    scraped, _ = await made.run()
    assert scraped.books == 1
    (found,) = made.said(PropListed)
    assert (found.yes_bid, found.yes_ask, found.depth, found.liquidity) == (470_000, 490_000, 170_000, "HIGH")
    assert found.round_trip_cost is not None


async def test_yesterdays_results_are_read_on_the_next_day() -> None:
    venues = day(row(25, status="finalized", result="yes", settlement_value_dollars="1.0000"))
    made = PropDesk(venues, ManualClock(Instant(NOW + A_DAY)))
    scraped, _ = await made.run("YESTERDAY")
    asked = [call.params.get("status") for call in made.transport.calls if call.url.endswith("/events")]
    assert scraped.game_date == DAY
    assert {"open", "closed", "settled"} <= set(asked)
    (found,) = made.said(PropListed)
    assert (found.result, found.settlement_value) == ("yes", 1_000_000)


# --- budgets -----------------------------------------------------------------------------------------------


async def test_lines_are_asked_for_only_games_with_props_and_inside_the_credits() -> None:
    venues = day()
    other = slate_row() | {"id": "f" * 32, "home_team": "Utah Jazz", "away_team": "Denver Nuggets"}
    venues.slates["basketball_nba"].append(other)
    made = desk(venues, credits=2)
    scraped = await made.scraper.scrape()
    odds_calls = [call for call in made.transport.calls if call.url.endswith("/odds")]
    assert [EVENT in call.url for call in odds_calls] == [True]
    assert scraped.spent == 1
    held = await made.documents.get(BUDGET)
    assert held is not None
    assert held.value["spent"] == 1


async def test_without_credits_the_ladders_are_read_all_the_same() -> None:
    made = desk(credits=1)
    scraped, _ = await made.run()
    assert (scraped.games, scraped.skipped) == (0, "1 games wait: 1 credits are left for today")
    assert len(made.said(PropListed)) == 3


async def test_the_runs_tokens_bound_the_depth_that_is_read() -> None:
    made = desk(tokens=20)
    scraped = await made.scraper.scrape()
    assert scraped.failed["depth"] == "3 books not read: the run's tokens are used up"


async def test_alternate_lines_that_the_feed_does_not_know_are_left_out_of_a_second_call() -> None:
    made = desk()
    refused = Response(422, {}, b'{"message":"Invalid markets: x","error_code":"INVALID_MARKET"}')
    answers = made.venues.answer

    def decide(call: Any) -> Any:
        return refused if "_alternate" in call.params.get("markets", "") else answers(call)

    made.transport.decide = decide
    scraped = await made.scraper.scrape()
    assert (scraped.games, scraped.failed) == (1, {})


# --- bad input ---------------------------------------------------------------------------------------------


async def test_a_page_cut_off_costs_that_series_alone() -> None:
    venues = day()
    venues.series.append(series_row("KXNBAREB", "Pro Basketball Rebounds"))
    venues.broken["/events?KXNBAREB"] = Response(200, {}, b'{"events":[{"event_ticker":"KXNBAREB-26N')
    made = desk(venues)
    scraped, report = await made.run()
    assert list(scraped.failed) == ["KXNBAREB"]
    assert report.rows_written["kalshi_player_props"] == 3
    (record,) = made.said(Quarantined)
    assert record.reason.startswith("page: ")
    again = await made.new_processor().process(made.said(PropsScraped)[0])
    assert set(again.rows_written.values()) == {0}
    assert len(made.said(Quarantined)) == 1


async def test_a_player_the_books_do_not_know_has_a_row_and_a_reason() -> None:
    made = desk(day(lines={"Jaylen Brown": {24.5: (1.9, 1.9)}}))
    await made.run()
    assert len(made.said(PropListed)) == 3
    assert all(any("unknown_player" in why for why in one.reasons) for one in made.said(PropCompared))


async def test_a_threshold_that_is_not_a_number_is_recorded_and_the_rest_goes_on() -> None:
    bad = row("many") | {"floor_strike": None, "title": "", "yes_sub_title": "", "rules_primary": ""}
    made = desk(day(row(25), bad))
    _, report = await made.run()
    assert report.rows_written["kalshi_player_props"] == 1
    (record,) = made.said(Quarantined)
    assert "threshold" in record.reason
    assert "'many' is not a number" in record.reason


async def test_a_market_without_quotes_is_a_row_without_prices() -> None:
    made = desk(day(row(25, bid="0.0000", ask="1.0000")))
    await made.run()
    (found,) = made.said(PropListed)
    assert (found.yes_bid, found.yes_ask, found.implied_low, found.implied_high) == (None, None, None, None)
    assert (found.over_american, found.liquidity, found.round_trip_cost) == (None, "LOW", None)
    assert made.said(PropCompared)[0].yes_net_edge is None


async def test_a_date_without_games_is_an_empty_run() -> None:
    made = desk()
    scraped, report = await made.run("2026-12-25")
    assert (scraped.markets, scraped.games, scraped.failed) == (0, 0, {})
    assert report.rows_written == {}
    assert not [call for call in made.transport.calls if call.url.endswith("/odds")]


async def test_a_429_in_the_middle_costs_that_part_alone() -> None:
    venues = day()
    venues.series.append(series_row("KXNBAAST", "Pro Basketball Assists"))
    venues.broken["/events?KXNBAAST"] = RateLimitedError("GET /events: 429")
    made = desk(venues)
    scraped, report = await made.run()
    assert scraped.failed == {"KXNBAAST": "GET /events: 429"}
    assert report.rows_written["kalshi_player_props"] == 3


@pytest.mark.parametrize("text", ["21.11.2026", "2026-13-01", "soon", "9" * 99])
async def test_what_is_no_date_is_refused_with_a_word(text: str) -> None:
    with pytest.raises(ConfigError, match="TODAY"):
        await desk().scraper.scrape(text)


async def test_a_run_without_pages_is_refused() -> None:
    lost = PropsScraped(observed_at=NOW, run_id="x", game_date=DAY, prefix="raw/props/none")
    with pytest.raises(MalformedError, match="no raw pages"):
        await desk().processor.process(lost)


async def test_a_row_of_the_feed_that_makes_no_sense_costs_itself() -> None:
    venues = day()
    venues.slates["basketball_nba"].append({"id": "", "commence_time": "never"})
    made = desk(venues)
    scraped, report = await made.run()
    assert (scraped.games, report.rows_written["sportsbook_player_props"]) == (1, 8)
    assert report.quarantined == 1


# --- the exchange is down ----------------------------------------------------------------------------------


async def test_predictions_go_on_while_the_exchange_is_down() -> None:
    made = desk()
    await made.run()
    made.clock.set(Instant(NOW + HOUR))
    made.venues.broken["/series"] = VenueDownError("503")
    made.venues.odds[EVENT] = odds_row({"Jayson Tatum": {25.5: (1.91, 1.91)}}, Instant(NOW + HOUR))
    scraped, report = await made.run()
    assert (scraped.kalshi_available, scraped.games) == (False, 1)
    assert report.rows_written["player_prop_predictions"] == 1
    last = made.said(PropPredicted)[-1]
    assert (last.line, last.kalshi_available, last.kalshi_line) == (25.5, False, None)
    assert {alert.code for alert in made.said(AlertRaised)} == {"kalshi_down", "kalshi_unavailable"}


async def test_a_line_is_served_without_the_exchange_and_with_an_alert_once() -> None:
    made = desk()
    await made.run()
    serve = BettingLines(made.processor.lines, made.bus, made.clock)
    with_ladder = await serve.get_betting_line("Jayson Tatum", DAY, "points")
    assert (with_ladder.line, with_ladder.source, with_ladder.kalshi_line) == (24.5, "draftkings", 24.5)
    made.clock.set(Instant(NOW + HOUR))
    for _ in range(2):
        without = await serve.get_betting_line("Jayson Tatum", DAY, "points")
        assert (without.line, without.is_stale, without.kalshi_available) == (24.5, True, False)
    assert [alert.code for alert in made.said(AlertRaised)] == ["kalshi_lines_missing"]
    nobody = await serve.get_betting_line("Nobody Known", DAY, "points")
    assert (nobody.line, nobody.source) == (None, "")


async def test_a_model_of_ones_own_takes_the_baselines_place() -> None:
    class Coin:
        name, version = "coin", "7"

        def predict(self, question: PropQuestion) -> float | None:
            return 0.5 if question.line.prop_type == "points" else None

    made = desk(predictor=Coin())
    await made.run()
    (prediction,) = made.said(PropPredicted)
    assert (prediction.model, prediction.model_version, prediction.over_probability) == ("coin", "7", 0.5)


# --- when --------------------------------------------------------------------------------------------------


def test_a_day_is_eastern() -> None:
    assert day_of("TODAY", Instant(START + 3 * HOUR)) == "2026-11-21"
    assert day_of("YESTERDAY", NOW) == "2026-11-20"
    assert day_of("2026-11-21", NOW) == day_of("", NOW) == "2026-11-21"


@pytest.mark.parametrize(
    ("waited", "left", "due"),
    [(30, 24 * 60, False), (61, 8 * 60, True), (59, 8 * 60, False), (16, 120, True), (14, 120, False),
     (6, 30, True), (4, 30, False), (30, -10, False)],
)  # fmt: skip
def test_turns_come_closer_as_a_start_nears(waited: int, left: int, due: bool) -> None:
    last = Instant(NOW - waited * MINUTE)
    assert is_due(last, NOW, [Instant(NOW + left * MINUTE)]) is due


def test_the_daily_turn_is_at_two_in_the_morning_eastern() -> None:
    two = Instant(START + 6 * HOUR + 50 * MINUTE)  # 07:00 UTC
    assert is_due(Instant(two - HOUR), two, [])
    assert not is_due(Instant(two - HOUR), Instant(two - 1), [])
    assert is_due(None, NOW, [])


async def test_a_scrape_that_is_not_due_reads_nothing() -> None:
    made = desk()
    await made.scraper.scrape(only_if_due=True)
    calls = len(made.transport.calls)
    made.clock.set(Instant(NOW + MINUTE))
    assert (await made.scraper.scrape(only_if_due=True)).due is False
    assert len(made.transport.calls) == calls
    assert len((await known_games(made.documents, DAY))[1]) == 1


async def test_a_schedules_turn_reads_yesterday_once_and_today_when_due() -> None:
    made = desk()
    assert [report.game_date for report in await made.scraper.turn()] == ["2026-11-20", DAY]
    assert await made.scraper.turn() == []
    made.clock.set(Instant(NOW + 11 * HOUR))  # 02:00 Eastern of the next day
    assert [report.game_date for report in await made.scraper.turn()] == [DAY, "2026-11-22"]


async def test_old_memory_is_purged() -> None:
    made = desk()
    await made.run()
    assert await made.processor.purge("2026-11-21") == 0
    assert await made.processor.purge("2026-11-22") > 0
    assert msgspec.to_builtins(await made.processor.lines.of(DAY, "jaysontatum")) == {}
