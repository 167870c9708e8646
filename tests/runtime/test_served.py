"""What the execution service listens on when a platform runs it."""

from __future__ import annotations

from shared.config import MIN_TOKEN, Secret, Settings
from shared.executor import _served


def test_the_platforms_port_is_the_apis() -> None:
    assert _served(Settings(port=8080)).api_port == 8080


def test_without_a_token_nobody_is_let_in_and_health_still_answers() -> None:
    one, two = (_served(Settings(port=8080)).api_token.reveal() for _ in range(2))
    assert len(one) >= MIN_TOKEN
    assert one != two


def test_a_token_that_is_set_stays() -> None:
    token = Secret("a" * 30)
    assert _served(Settings(port=8080, api_token=token)).api_token == token


def test_on_ones_own_machine_nothing_changes() -> None:
    settings = Settings(api_port=8800)
    assert _served(settings) is settings
