"""Twenty kills of the real execution service: a small trial of ``make crash-test``, on SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.trial import Asked, Trial, summary

KILLS = 20


@pytest.mark.e2e
async def test_nothing_is_doubled_lost_or_broken_by_twenty_kills(tmp_path: Path) -> None:
    trial = Trial(Asked(KILLS, lanes=2, speed=6, seed="suite", backend="local"), tmp_path, print)
    await trial.run()
    assert trial.wrong == [], summary(trial)
    total = trial.tally
    assert total.kills == KILLS
    assert sum(total.boundaries.values()) >= KILLS // 4, summary(trial)
    assert total.rests == 2
    assert total.fills > 0, summary(trial)
