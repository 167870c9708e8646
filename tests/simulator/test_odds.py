"""The odds feed: shapes, parameters, errors, credits, and books that behave like books."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import MINUTE, SECOND, format_instant, parse_instant
from shared.simulator.schedule import DEMO
from tests.simulator.bench import ODDS_KEY, ONE_GAME, Bench, Json, quoted

_NFL = "/sports/americanfootball_nfl"


@pytest.fixture
def bench() -> Bench:
    return quoted()


def _ok(bench: Bench, path: str, **query: object) -> Json:
    status, body, _ = bench.odds(path, **query)  # type: ignore[arg-type]  # query strings
    assert status == 200, body
    return body


def test_an_event_has_the_feeds_shape(bench: Bench) -> None:
    event = _ok(bench, f"{_NFL}/odds", regions="us", markets="h2h,spreads,totals")[0]
    assert event.keys() == {
        "id", "sport_key", "sport_title", "commence_time", "home_team", "away_team", "bookmakers",
    }  # fmt: skip
    assert len(event["id"]) == 32
    book = event["bookmakers"][0]
    assert book.keys() == {"key", "title", "last_update", "markets"}
    spread = next(market for market in book["markets"] if market["key"] == "spreads")
    assert spread["outcomes"][0]["point"] == -spread["outcomes"][1]["point"]


def test_soccer_has_a_draw_and_exchanges_add_lay_prices_unasked(bench: Bench) -> None:
    bench = quoted(preset=DEMO)
    events = _ok(bench, "/sports/soccer_epl/odds", regions="eu")
    markets = [m for event in events for book in event["bookmakers"] for m in book["markets"]]
    assert {m["key"] for m in markets} == {"h2h", "h2h_lay"}
    assert all([o["name"] for o in m["outcomes"]][2] == "Draw" for m in markets)


def test_books_disagree_carry_a_margin_and_surround_the_truth(bench: Bench) -> None:
    contest = bench.contest()
    event = _ok(bench, f"{_NFL}/odds", regions="us,us2,uk,eu", eventIds=contest.game.odds_id)[0]
    prices = {}
    for book in event["bookmakers"]:
        outcomes = {o["name"]: 1 / o["price"] for o in book["markets"][0]["outcomes"]}
        assert sum(outcomes.values()) > 1
        prices[book["key"]] = outcomes[contest.game.home.name] / sum(outcomes.values())
    assert len(set(prices.values())) > 3
    truth = contest.latent.now.outcomes.win(True)
    assert abs(sum(prices.values()) / len(prices) - truth) < 0.03


def test_american_and_unix_formats(bench: Bench) -> None:
    event = _ok(bench, f"{_NFL}/odds", regions="us", oddsFormat="american", dateFormat="unix")[0]
    prices = [o["price"] for b in event["bookmakers"] for m in b["markets"] for o in m["outcomes"]]
    assert all(isinstance(price, int) and abs(price) >= 100 for price in prices)
    assert isinstance(event["commence_time"], int)


def test_credits_are_markets_times_regions_and_free_where_the_feed_is_free(bench: Bench) -> None:
    def cost(path: str, **query: object) -> tuple[str, str]:
        status, _, headers = bench.odds(path, **query)  # type: ignore[arg-type]  # query strings
        assert status == 200
        return headers["x-requests-last"], headers["x-requests-remaining"]

    event = bench.contest().game.odds_id
    assert cost("/sports") == ("0", "1000")
    assert cost(f"{_NFL}/events") == ("0", "1000")
    assert cost(f"{_NFL}/odds", regions="us,eu", markets="h2h,spreads,totals") == ("6", "994")
    assert cost(f"{_NFL}/odds", bookmakers="draftkings,pinnacle") == ("1", "993")
    assert cost("/sports/americanfootball_ncaaf/odds", regions="us") == ("0", "993")
    assert cost(f"{_NFL}/events/{event}/odds", regions="us", markets="h2h,alternate_spreads") == ("2", "991")
    assert cost(f"{_NFL}/scores") == ("1", "990")
    assert cost(f"{_NFL}/scores", daysFrom=1) == ("2", "988")
    assert cost(f"{_NFL}/events/{event}/markets", regions="us") == ("1", "987")


def test_event_odds_cost_only_what_was_returned(bench: Bench) -> None:
    event = bench.contest().game.odds_id
    query = {"bookmakers": "betfair_ex_eu", "markets": "h2h,alternate_totals"}
    status, body, headers = bench.odds(f"{_NFL}/events/{event}/odds", ODDS_KEY, **query)
    returned = {m["key"] for b in body["bookmakers"] for m in b["markets"]} - {"h2h_lay"}
    assert (status, headers["x-requests-last"]) == (200, str(len(returned)))
    assert "alternate_totals" not in returned


def test_used_up_credits_are_a_401_and_so_is_the_switch(bench: Bench) -> None:
    bench.odds_api.add_key("poor", 1)
    assert bench.odds(f"{_NFL}/odds", "poor", regions="us")[0] == 200
    status, body, headers = bench.odds(f"{_NFL}/odds", "poor", regions="us")
    assert (status, body["error_code"]) == (401, "OUT_OF_USAGE_CREDITS")
    assert "x-requests-remaining" not in headers
    bench.faults.out_of_credits = True
    assert bench.odds("/sports")[1]["error_code"] == "OUT_OF_USAGE_CREDITS"


def test_more_than_thirty_requests_a_second_are_refused(bench: Bench) -> None:
    statuses = [bench.odds("/sports")[0] for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    bench.wait(1)
    assert bench.odds("/sports")[0] == 200


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/sports/curling/odds", {"regions": "us"}, 404, "UNKNOWN_SPORT"),
        (f"{_NFL}/odds", {}, 422, "MISSING_REGION"),
        (f"{_NFL}/odds", {"regions": "mars"}, 422, "INVALID_REGION"),
        (f"{_NFL}/odds", {"regions": "us", "markets": "h2h, spreads"}, 422, "INVALID_MARKET"),
        (f"{_NFL}/odds", {"regions": "us", "markets": "alternate_spreads"}, 422, "INVALID_MARKET"),
        (f"{_NFL}/odds", {"regions": "us", "oddsFormat": "roman"}, 422, "INVALID_ODDS_FORMAT"),
        (f"{_NFL}/odds", {"regions": "us", "dateFormat": "x"}, 422, "INVALID_DATE_FORMAT"),
        (f"{_NFL}/odds", {"bookmakers": "a b"}, 422, "INVALID_BOOKMAKERS"),
        (f"{_NFL}/odds", {"regions": "us", "eventIds": "abc"}, 422, "INVALID_EVENT_IDS"),
        (f"{_NFL}/odds", {"regions": "us", "includeLinks": "1"}, 422, "INVALID_INCLUDE_LINKS"),
        (f"{_NFL}/events", {"commenceTimeFrom": "2026-11-22"}, 422, "INVALID_COMMENCE_TIME_FROM"),
        (f"{_NFL}/events", {"commenceTimeTo": "2026-13-99T00:00:00Z"}, 422, "INVALID_COMMENCE_TIME_TO"),
        (f"{_NFL}/events/{'0' * 32}/odds", {"regions": "us"}, 404, "EVENT_NOT_FOUND"),
        (f"{_NFL}/events/short/odds", {"regions": "us"}, 422, "INVALID_EVENT_ID"),
        (f"{_NFL}/scores", {"daysFrom": "9"}, 422, "INVALID_SCORES_DAYS_FROM"),
        ("/sports", {"all": "yes"}, 422, "INVALID_ALL_SPORTS_PARAM"),
    ],
)
def test_bad_parameters_are_named(
    bench: Bench, path: str, query: dict[str, Any], status: int, code: str
) -> None:
    answer = bench.odds(path, **query)
    assert (answer[0], answer[1]["error_code"]) == (status, code)
    assert answer[1].keys() == {"message", "error_code", "details_url"}


@pytest.mark.parametrize(("key", "code"), [(None, "MISSING_KEY"), ("wrong", "INVALID_KEY")])
def test_missing_and_wrong_keys_are_refused_without_quota_headers(
    bench: Bench, key: str | None, code: str
) -> None:
    status, body, headers = bench.odds("/sports", key)
    assert (status, body["error_code"]) == (401, code)
    assert set(headers) == {"content-type"}


def test_start_times_filter_events(bench: Bench) -> None:
    events = _ok(bench, f"{_NFL}/events")
    late = max(parse_instant(event["commence_time"]) or 0 for event in events)
    after = _ok(bench, f"{_NFL}/events", commenceTimeFrom=format_instant(late))  # type: ignore[arg-type]
    assert [event["commence_time"] for event in after] == [format_instant(late)]  # type: ignore[arg-type]


def test_links_ids_and_limits_appear_only_when_asked_for(bench: Bench) -> None:
    asked = {"includeLinks": "true", "includeSids": "true", "includeBetLimits": "true"}
    plain, full = (_ok(bench, f"{_NFL}/odds", regions="us", **more)[0] for more in ({}, asked))
    assert not {"link", "sid"} & plain["bookmakers"][0].keys()
    assert {"link", "sid"} <= full["bookmakers"][0].keys()
    assert {"link", "sid", "bet_limit"} <= full["bookmakers"][0]["markets"][0]["outcomes"][0].keys()


def test_upcoming_mixes_sports(bench: Bench) -> None:
    events = _ok(bench, "/sports/upcoming/odds", regions="us")
    assert len({event["sport_key"] for event in events}) > 1


def test_quotes_are_never_from_the_future_and_mostly_fresh(bench: Bench) -> None:
    bench = quoted(preset=DEMO)
    ages = []
    for event in _ok(bench, f"{_NFL}/odds", regions="us,eu", markets="h2h"):
        for book in event["bookmakers"]:
            for market in book["markets"]:
                seen = parse_instant(market["last_update"])
                assert seen is not None
                ages.append((bench.clock.now() - seen) // SECOND)
    assert min(ages) >= 0
    assert sorted(ages)[len(ages) // 2] <= 60
    assert max(ages) <= 15 * MINUTE // SECOND


def test_a_finished_game_vanishes_and_its_score_stays() -> None:
    bench = quoted(preset=ONE_GAME)
    contest = bench.contest()
    assert _ok(bench, f"{_NFL}/scores")[0]["scores"] is None
    bench.until(contest.game.start + contest.game.length + SECOND)
    assert _ok(bench, f"{_NFL}/events") == []
    row = _ok(bench, f"{_NFL}/scores", daysFrom=1)[0]
    assert row["completed"] is True
    assert row["scores"] == [
        {"name": contest.game.home.name, "score": str(contest.home_score)},
        {"name": contest.game.away.name, "score": str(contest.away_score)},
    ]
