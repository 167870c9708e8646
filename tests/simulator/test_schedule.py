"""The fixture list carries every oddity a mapper must survive."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from shared.clock import HOUR, MINUTE, Instant, eastern_day
from shared.simulator.league import LEAGUES
from shared.simulator.schedule import DEMO, SMALL, Script, slate
from tests.simulator.bench import START, Bench

GAMES = slate(7, 0, START, DEMO)


def test_a_slate_has_between_forty_and_sixty_games_of_every_league() -> None:
    assert 40 <= len(GAMES) <= 60
    assert {game.league.key for game in GAMES} == {league.key for league in LEAGUES}


def test_no_team_plays_twice_except_in_the_doubleheader() -> None:
    counts = Counter((team.league, team.code) for game in GAMES for team in (game.away, game.home))
    assert [league for (league, _), count in counts.items() if count > 1] == ["MLB", "MLB"]


def test_the_codes_that_trip_parsers_always_play() -> None:
    codes = {team.code for game in GAMES if game.league.key == "NFL" for team in (game.away, game.home)}
    assert {"JAC", "LAR", "WAS"} <= codes


def test_a_doubleheader_has_two_events_with_different_times() -> None:
    pairs = Counter((game.away.code, game.home.code) for game in GAMES if game.league.key == "MLB")
    twice = next(pair for pair, count in pairs.items() if count == 2)
    codes = {game.event_code for game in GAMES if (game.away.code, game.home.code) == twice}
    assert len(codes) == 2


def test_a_game_is_moved_within_its_eastern_day_at_whatever_hour_the_slate_opens() -> None:
    slates = [slate(7, 0, Instant(START + hour * HOUR), DEMO) for hour in range(24)]
    moved = [game for games in slates for game in games if game.listed_start != game.start]
    assert len(moved) == len(slates)
    assert all(eastern_day(game.listed_start) == eastern_day(game.start) for game in moved)


def test_a_moved_game_has_markets_whose_prefix_differs_from_their_event() -> None:
    bench = Bench()
    moved = [
        m for m in bench.world.exchange.listing if m.contract.fields.get("mve_collection_ticker") is None
    ]
    assert any(not m.ticker.startswith(m.contract.event_ticker) for m in moved)


def test_ticker_dates_are_eastern() -> None:
    for game in GAMES:
        day = eastern_day(game.listed_start)
        assert (game.event_code[:2], game.event_code[5:7]) == (day[2:4], day[8:10])


def test_the_odds_feed_starts_baseball_a_minute_late() -> None:
    for game in GAMES:
        assert game.commence - game.start == (MINUTE if game.league.key == "MLB" else 0)


def test_one_game_is_postponed_and_one_is_tied() -> None:
    assert Counter(game.script for game in GAMES)[Script.POSTPONED] == 1
    assert Counter(game.script for game in GAMES)[Script.TIE] == 1


def test_contract_texts_come_in_both_forms() -> None:
    bench = Bench(preset=DEMO)
    markets = [m.contract.fields for m in bench.world.exchange.listing]
    for contest in (c for c in bench.world.contests if c.game.league.key == "NFL"):
        game, rules = contest.game, contest.markets[0].contract.fields["rules_primary"]
        clubs, places = f"{game.away.club} vs {game.home.club}", f"{game.away.place} vs {game.home.place}"
        assert (clubs if game.club_rules else places) in rules
    assert {c.game.club_rules for c in bench.world.contests if c.game.league.key == "NFL"} == {True, False}
    assert any("collectively score more 8.5 runs" in fields["rules_primary"] for fields in markets)
    labels = [f for f in markets if f["ticker"].startswith("KXNCAAFGAME")]
    assert {f["no_sub_title"] == f["yes_sub_title"] for f in labels} == {True, False}


def test_a_new_slate_is_listed_and_opened_while_the_world_runs() -> None:
    bench = Bench(preset=replace(SMALL, slate_every_s=600))
    before = len(bench.world.exchange.events)
    bench.wait(660)
    fresh = [m for m in bench.world.exchange.listing if m.status.value == "initialized"]
    assert len(bench.world.exchange.events) > before
    assert fresh
    bench.wait(5 * 60)
    assert all(m.status.value == "active" for m in fresh)
