"""The typed confirmation: one exact phrase for exactly these stakes, and nothing else starts live trading."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.cli.confirm import PHRASE, Stakes, confirm_live, stakes_of
from shared.config import Secret, Settings, Url
from shared.errors import ConfigError
from shared.money import MICROS, Usd

_SETTINGS = Settings(kalshi_key_id="b43ffe25-e648-4f07-f735-8df9d75d6f11", kalshi_private_key=Secret("pem"))
_PHRASE = "trade real money with key b43ffe25 up to $500.00 a trade and $1,000.00 a day"


def _stakes(**changes: Any) -> Stakes:
    return stakes_of(msgspec.structs.replace(_SETTINGS, **changes), {0: Usd(5 * MICROS), 3: Usd(0)})


def _never(_: str) -> str:
    raise AssertionError("nobody is asked")


def _terminal(text: str, stakes: Stakes | None = None) -> None:
    confirm_live(stakes or _stakes(), ask=lambda _: text, is_terminal=True, environ={})


def test_the_exact_phrase_is_a_yes() -> None:
    assert _stakes().phrase == _PHRASE
    _terminal(f" {_PHRASE} \n")


@pytest.mark.parametrize("text", ["", "y", "yes", "YES", _PHRASE.upper(), _PHRASE[:-1], f"{_PHRASE}."])
def test_anything_else_is_a_no(text: str) -> None:
    with pytest.raises(ConfigError, match="nothing was started"):
        _terminal(text)


def test_an_end_of_input_is_a_no() -> None:
    def ended(_: str) -> str:
        raise EOFError

    with pytest.raises(ConfigError, match="nothing was started"):
        confirm_live(_stakes(), ask=ended, is_terminal=True, environ={})


@pytest.mark.parametrize(
    "change",
    [
        {"kalshi_key_id": "00000000-1111"},
        {"max_risk_per_trade_usd": Usd(501 * MICROS)},
        {"max_daily_loss_usd": Usd(2_000 * MICROS)},
        {"kalshi_base_url": Url("https://demo-api.kalshi.co/trade-api/v2")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_phrase_for_other_stakes_does_not_fit(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        _terminal(_PHRASE, _stakes(**change))
    with pytest.raises(ConfigError, match=f"{PHRASE} does not fit"):
        confirm_live(_stakes(**change), ask=_never, is_terminal=False, environ={PHRASE: _PHRASE})


def test_without_a_terminal_only_the_exact_phrase_of_the_environment_counts() -> None:
    confirm_live(_stakes(), ask=_never, is_terminal=False, environ={PHRASE: _PHRASE})
    with pytest.raises(ConfigError, match=f"needs {PHRASE}=") as refused:
        confirm_live(_stakes(), ask=_never, is_terminal=False, environ={})
    assert _PHRASE in str(refused.value)


def test_without_a_key_nobody_is_asked() -> None:
    with pytest.raises(ConfigError, match="KALSHI_KEY_ID"):
        confirm_live(_stakes(kalshi_key_id=""), ask=_never, is_terminal=True, environ={PHRASE: _PHRASE})


@pytest.mark.parametrize(
    ("address", "money"),
    [
        ("https://external-api.kalshi.com/trade-api/v2", "real money"),
        ("https://api.elections.kalshi.com/trade-api/v2", "real money"),
        ("https://external-api.demo.kalshi.co/trade-api/v2", "demo money"),
        ("http://127.0.0.1:8700/trade-api/v2", "simulated money"),
        ("http://localhost:8700/trade-api/v2", "simulated money"),
        ("https://proxy.example/trade-api/v2", "real money"),
        ("https://127.0.0.1.evil.example/trade-api/v2", "real money"),
    ],
)
def test_a_host_that_is_not_known_counts_as_the_real_exchange(address: str, money: str) -> None:
    assert _stakes(kalshi_base_url=Url(address)).environment == money


def test_whose_money_where_and_how_much_is_shown_before_typing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError):
        _terminal("no")
    shown = capsys.readouterr().err
    for part in ("external-api.kalshi.com (real money)", "b43ffe25…", "shard 0 $5.00, shard 3 $0.00",
                 "at most $500.00 and 100 contracts", "$1,000.00 a day, $3,000.00 a week",
                 "at most 10 a minute", "arb kill", _PHRASE):  # fmt: skip
        assert part in shown
    assert "e648" not in shown
