"""The truth behind the games: prices are probabilities, ladders consistent, results as priced."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SECOND, Instant
from shared.simulator.contracts import Asks, Question
from shared.simulator.league import BY_KEY, LEAGUES, League
from shared.simulator.model import Latent, State
from shared.simulator.schedule import DEMO, slate
from shared.terms import Result
from tests.simulator.bench import START

leagues = st.sampled_from(LEAGUES)
shares = st.floats(0, 0.99)


def _state(league: League, tilt: float, played: float) -> State:
    a = league.base[0] * (1 + tilt)
    return State(
        START, league, a, league.base[1], x=float(round(a * played)), y=float(round(played)), played=played
    )


@given(leagues, st.floats(-0.5, 0.5), shares)
def test_home_away_and_tie_add_up_to_one(league: League, tilt: float, played: float) -> None:
    outcomes = _state(league, tilt, played).outcomes
    assert outcomes.win(True) + outcomes.win(False) + outcomes.tie() == pytest.approx(1)


@given(leagues, st.floats(-0.5, 0.5), shares)
def test_a_longer_margin_is_never_more_likely(league: League, tilt: float, played: float) -> None:
    outcomes = _state(league, tilt, played).outcomes
    chances = [outcomes.margin_at_least(points) for points in range(-30, 31)]
    assert all(more >= fewer - 1e-9 for more, fewer in pairwise(chances))
    assert all(-1e-9 <= chance <= 1 + 1e-9 for chance in chances)


@given(leagues, st.floats(-0.5, 0.5), shares, st.integers(1, 20))
def test_a_spread_and_its_opposite_cover_everything(
    league: League, tilt: float, played: float, points: int
) -> None:
    outcomes = _state(league, tilt, played).outcomes
    assert outcomes.beats(True, points) + outcomes.beats(False, 1 - points) == pytest.approx(1)


@pytest.mark.parametrize("league", [league.key for league in LEAGUES])
def test_results_come_out_as_often_as_they_were_priced(league: str) -> None:
    game = next(g for g in slate(1, 0, START, DEMO) if g.league.key == league and g.script.value == "free")
    questions = [Question(Asks.WIN, True), Question(Asks.MARGIN, True, 2), Question(Asks.TOTAL, True, 46)]
    gaps: dict[Question, list[float]] = {question: [] for question in questions}
    for seed in range(400):
        latent = Latent(replace(game, length=10 * SECOND), seed, START)
        priced = latent.now.outcomes
        for second in range(1, 11):
            latent.play(Instant(game.start + second * SECOND))
        score = latent.finish(game.start)
        for question in questions:
            _, payout = question.payout(score, game.league.three_way)
            gaps[question].append(payout / 1e6 - question.fair(priced))
    for question, differences in gaps.items():
        # Four standard errors of a mean of 400 coins.
        assert abs(mean(differences)) < 0.1, question


def test_a_football_tie_pays_half_and_a_soccer_draw_pays_the_tie() -> None:
    assert Question(Asks.WIN, True).payout((20, 20), three_way=False) == (Result.SCALAR, 500_000)
    assert Question(Asks.WIN, True).payout((1, 1), three_way=True) == (Result.NO, 0)
    assert Question(Asks.TIE).payout((1, 1), three_way=True) == (Result.YES, 1_000_000)


def test_a_settled_state_prices_every_contract_at_its_payout() -> None:
    for league in LEAGUES:
        game = next(g for g in slate(2, 0, START, DEMO) if g.league is league and g.script.value == "free")
        latent = Latent(game, 2, START)
        score = latent.finish(game.start)
        for question in (
            Question(Asks.WIN, True),
            Question(Asks.MARGIN, False, 3),
            Question(Asks.TOTAL, True, 6),
        ):
            _, payout = question.payout(score, league.three_way)
            assert question.fair(latent.now.outcomes) == pytest.approx(payout / 1e6, abs=1e-6)


def test_a_hockey_game_never_ends_level() -> None:
    league = BY_KEY["NHL"]
    game = next(g for g in slate(1, 0, START, DEMO) if g.league is league)
    scores = [Latent(game, seed, START).finish(game.start) for seed in range(50)]
    assert all(home != away for home, away in scores)
