"""Simulated players: ladders as the exchange writes them, lines as the feed does, counts that settle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shared.clock import MINUTE, Instant
from shared.money import MICROS
from shared.props.market import PropMarket, read_prop
from shared.props.names import resolve
from shared.props.series import discover, prop_series
from shared.simulator.players import PROPS, Athlete, PlayerQuestion, Squad, feed_name
from shared.simulator.schedule import SMALL
from shared.simulator.world import Contest
from shared.terms import MarketStatus, Result
from shared.venues.kalshi import normalise
from tests.simulator.bench import Bench, quoted

PLAYERS = replace(SMALL, players=1, combos=0)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return quoted(3, preset=PLAYERS)


def contest(bench: Bench, league: str) -> Contest:
    return next(one for one in bench.world.contests if one.game.league.key == league)


def listed(bench: Bench) -> list[Any]:
    rows = [
        row
        for one in PROPS
        for row in bench.get("/markets", series_ticker=f"KX{one.league}{one.suffix}")["markets"]
    ]
    raw = [msgspec.Raw(msgspec.json.encode(row)) for row in rows]
    markets, bad = normalise.market_rows(raw, bench.clock.now(), "/markets")
    assert bad == []
    return markets


def test_every_prop_series_is_discovered_also_the_one_no_table_knows(bench: Bench) -> None:
    series = bench.get("/series", category="Sports")["series"]
    found = {one.ticker for one in discover((row["ticker"], row["title"]) for row in series)}
    assert found == {f"KX{prop.league}{prop.suffix}" for prop in PROPS}


def test_every_rung_is_read_and_its_integer_is_the_strike_and_a_half(bench: Bench) -> None:
    titles = {f"KX{prop.league}{prop.suffix}": prop.title for prop in PROPS}
    markets = listed(bench)
    assert len(markets) > 40
    for market in markets:
        kind = prop_series(market.series_ticker, titles[market.series_ticker])
        assert kind is not None
        found = read_prop(market, kind)
        assert isinstance(found, PropMarket), found
        assert market.floor_strike == found.threshold - 0.5
        assert market.ticker.endswith(f"-{found.threshold}")
        assert (found.team.issue, found.finding) == ("", "")


def test_a_ladder_falls_as_its_threshold_rises(bench: Bench) -> None:
    squad = contest(bench, "NBA").squad
    assert squad is not None
    for athlete in squad.athletes:
        chances = [athlete.now.at_least(rung, athlete.prop.shape) for rung in athlete.rungs]
        assert chances == sorted(chances, reverse=True)


def odds(bench: Bench, game: Contest, *markets: str) -> dict[str, Any]:
    path = f"/sports/{game.game.league.sport_key}/events/{game.game.odds_id}/odds"
    status, body, _ = bench.odds(path, regions="us,eu", markets=",".join(markets))
    assert status == 200, body
    found: dict[str, Any] = body
    return found


def test_books_quote_players_by_the_feeds_names_and_the_right_one_is_found(bench: Bench) -> None:
    game = contest(bench, "NBA")
    body = odds(bench, game, "player_points", "player_points_alternate")
    outcomes = [o for book in body["bookmakers"] for market in book["markets"] for o in market["outcomes"]]
    names = {outcome["description"] for outcome in outcomes}
    assert {outcome["name"] for outcome in outcomes} == {"Over", "Under"}
    assert all(outcome["point"] % 1 == 0.5 for outcome in outcomes)
    assert game.squad is not None
    for athlete in game.squad.athletes:
        if athlete.prop.market == "player_points":
            assert resolve(athlete.name, names).name == feed_name(athlete.name)


def test_main_lines_have_a_margin_and_surround_the_truth(bench: Bench) -> None:
    game = contest(bench, "NBA")
    body = odds(bench, game, "player_points")
    assert game.squad is not None
    athlete = game.squad.athletes[0]
    overs: list[float] = []
    for book in body["bookmakers"]:
        sides = {
            o["name"]: o
            for o in book["markets"][0]["outcomes"]
            if o["description"] == feed_name(athlete.name)
        }
        if len(sides) == 2:
            total = sum(1 / one["price"] for one in sides.values())
            assert 1.0 < total < 1.12
            truth = athlete.now.at_least(int(sides["Over"]["point"] + 0.5), athlete.prop.shape)
            overs.append(1 / sides["Over"]["price"] / total - truth)
    assert len(overs) > 3
    assert abs(sum(overs) / len(overs)) < 0.03


def test_event_odds_are_charged_for_the_player_markets_that_come_back(bench: Bench) -> None:
    game = contest(bench, "NBA")
    path = f"/sports/basketball_nba/events/{game.game.odds_id}/odds"
    _, _, headers = bench.odds(path, regions="us", markets="player_points,player_assists,pitcher_strikeouts")
    assert headers["x-requests-last"] == "2"
    status, body, _ = bench.odds(path, regions="us", markets="player_points,player_flights")
    assert (status, body["error_code"]) == (422, "INVALID_MARKET")


def test_players_are_refused_by_the_page_of_a_whole_sport(bench: Bench) -> None:
    status, body, _ = bench.odds("/sports/basketball_nba/odds", regions="us", markets="player_points")
    assert (status, body["error_code"]) == (422, "INVALID_MARKET")


def test_counts_settle_every_rung_and_a_scratched_man_a_fair_price() -> None:
    bench = quoted(5, preset=PLAYERS)
    game = contest(bench, "NBA")
    assert game.squad is not None
    out = game.squad.athletes[0]
    for athlete in game.squad.athletes:
        same = athlete.name == out.name
        athlete.scratched_at = Instant(game.game.start - 20 * MINUTE) if same else None
    bench.until(Instant(game.game.start + game.game.length + 5 * MINUTE))
    bench.wait(600)
    seen: set[Result] = set()
    for market in game.props:
        question = market.contract.question
        assert isinstance(question, PlayerQuestion)
        player = question.athlete
        assert player is not None
        assert market.status in (MarketStatus.DETERMINED, MarketStatus.FINALIZED)
        seen.add(market.result)
        if player.scratched_at is not None:
            assert market.result is Result.SCALAR
            assert market.payout is not None
            assert 0 <= market.payout <= MICROS
            assert player.now.count == 0
        else:
            assert (market.result is Result.YES) == (player.now.count >= question.points)
    assert Result.SCALAR in seen
    assert seen & {Result.YES, Result.NO}


def test_a_scratched_mans_lines_go_before_the_game(bench: Bench) -> None:
    fresh = quoted(6, preset=PLAYERS)
    game = contest(fresh, "NBA")
    assert game.squad is not None
    gone = game.squad.athletes[0].name
    for athlete in game.squad.athletes:
        athlete.scratched_at = Instant(fresh.clock.now() - 5 * MINUTE) if athlete.name == gone else None
    body = odds(fresh, game, "player_points", "player_assists")
    names = {o["description"] for book in body["bookmakers"] for m in book["markets"] for o in m["outcomes"]}
    assert names
    assert feed_name(gone) not in names


def test_listing_players_changes_no_other_market() -> None:
    plain, with_players = quoted(9, preset=replace(PLAYERS, players=0)), quoted(9, preset=PLAYERS)
    for bench in (plain, with_players):
        bench.wait(300)
    others = [
        m for m in with_players.world.exchange.listing if not isinstance(m.contract.question, PlayerQuestion)
    ]
    assert [(m.ticker, m.quote) for m in plain.world.exchange.listing] == [
        (m.ticker, m.quote) for m in others
    ]


def test_the_same_seed_draws_the_same_players() -> None:
    bench = quoted(3, preset=PLAYERS)
    game = contest(bench, "MLB").game
    one, two = (Squad.draw(game, 3, bench.clock.now(), 2) for _ in range(2))

    def told(squad: Squad) -> list[tuple[str, float]]:
        return [(athlete.name, athlete.now.mean) for athlete in squad.athletes]

    assert told(one) == told(two)
    assert len({athlete.name for athlete in one.athletes}) == 8
    assert isinstance(one.athletes[0], Athlete)
