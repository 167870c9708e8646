"""Settings: defaults, parsing, refusals that name the fix, secrets that hide."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from shared.config import Backend, Secret, Settings, example, load
from shared.errors import ConfigError
from shared.money import format_usd
from shared.terms import Profile

REPOSITORY = Path(__file__).resolve().parents[1]


def test_without_anything_set_it_is_the_demo_on_one_machine() -> None:
    settings = load({}, None)
    assert settings.demo
    assert (settings.backend, settings.profile) == (Backend.LOCAL, Profile.STANDARD)


def test_a_key_ends_the_demo() -> None:
    assert not load({"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "pem"}, None).demo


def test_values_are_read_as_their_types() -> None:
    settings = load(
        {
            "PROFILE": "scalp",
            "LEAGUES": "NFL, nba,,nfl",
            "MAX_RISK_PER_TRADE_USD": "$1,250.50",
            "MAX_SPORT_SHARE_PERCENT": "12.5",
            "MAX_TRADES_PER_DAY": " 7 ",
            "KALSHI_BASE_URL": "http://127.0.0.1:8080/trade-api/v2/",
            "DATA_DIR": "/data",
        },
        None,
    )
    assert settings.profile is Profile.SCALP
    assert settings.leagues == ("nfl", "nba")
    assert format_usd(settings.max_risk_per_trade_usd) == "1250.50"
    assert (settings.max_sport_share_percent, settings.max_trades_per_day) == (12.5, 7)
    assert settings.kalshi_base_url == "http://127.0.0.1:8080/trade-api/v2"
    assert settings.data_dir == Path("/data")


def test_an_empty_value_is_not_set() -> None:
    assert load({"MAX_TRADES_PER_DAY": "", "KALSHI_KEY_ID": "  "}, None) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_TRADES_PER_DAY=3\nMAX_CONTRACTS_PER_DAY=9\n")
    settings = load({"MAX_TRADES_PER_DAY": "4"}, tmp_path / ".env")
    assert (settings.max_trades_per_day, settings.max_contracts_per_day) == (4, 9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND", "aws"),
        ("PROFILE", "yolo"),
        ("MAX_CONTRACTS_PER_TRADE", "0"),
        ("MAX_CONTRACTS_PER_TRADE", "1.5"),
        ("MAX_CONTRACTS_PER_TRADE", "many"),
        ("MAX_RISK_PER_TRADE_USD", "-1"),
        ("MAX_RISK_PER_TRADE_USD", "NaN"),
        ("MAX_RISK_PER_TRADE_USD", "0.0000001"),
        ("MAX_RISK_PER_TRADE_USD", "9" * 1000),
        ("MAX_SPORT_SHARE_PERCENT", "nan"),
        ("MAX_SPORT_SHARE_PERCENT", "101"),
        ("KALSHI_POLL_SECONDS", "inf"),
        ("KALSHI_POLL_SECONDS", "0"),
        ("MIN_PRICE_CENTS", "0"),
        ("MAX_PRICE_CENTS", "100"),
        ("KALSHI_BASE_URL", "external-api.kalshi.com"),
        ("KALSHI_WS_URL", "ftp://x"),
        ("IBKR_BASE_URL", "https://[::1"),
    ],
)
def test_a_value_that_does_not_fit_names_the_variable_and_the_fix(name: str, value: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^{name}: .* does not fit: .*Set {name} in .*for instance {name}="
    ):
        load({name: value}, None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"KALSHI_KEY_ID": "id"}, "no private key"),
        ({"KALSHI_PRIVATE_KEY": "pem"}, "KALSHI_KEY_ID is not"),
        (
            {"KALSHI_KEY_ID": "id", "KALSHI_PRIVATE_KEY": "pem", "KALSHI_PRIVATE_KEY_PATH": "k.pem"},
            "keep one",
        ),
        ({"BACKEND": "gcp"}, "needs GOOGLE_CLOUD_PROJECT"),
        ({"MIN_PRICE_CENTS": "50", "MAX_PRICE_CENTS": "50"}, "not below"),
        ({"MAX_DAILY_LOSS_USD": "5000"}, "MAX_WEEKLY_LOSS_USD is below"),
        ({"API_TOKEN": "short"}, "API_TOKEN is not 24"),
        ({"API_TOKEN": "x" * 30 + " " + "x"}, "without a space"),
        ({"ALERT_WEBHOOK_URL": "http://hooks.example/x"}, "not a full https address"),
        ({"ALERT_WEBHOOK_URL": "https://[::1"}, "not a full https address"),
        ({"SMTP_HOST": "mail.example"}, "SMTP_FROM and SMTP_TO"),
        (
            {"SMTP_HOST": "mail.example", "SMTP_FROM": "a@x", "SMTP_TO": "b@x", "SMTP_SECURITY": "none"},
            "sends in clear",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(given, None)


def test_a_refused_token_or_webhook_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"API_TOKEN": "hunter2", "ALERT_WEBHOOK_URL": "http://hooks.example/hidden"}, None)
    assert "hunter2" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_api_is_off_until_it_has_a_port() -> None:
    assert load({}, None).api_port is None
    assert load({"API_PORT": "0"}, None).api_port == 0


def test_a_misspelt_limit_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_DAILY_LOS_USD=10\n")
    with pytest.raises(ConfigError, match="did you mean MAX_DAILY_LOSS_USD"):
        load({}, tmp_path / ".env")


def test_other_programs_variables_in_the_file_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EDITOR=vi\nexport LANG=C\n# note\nMAX_TRADES_PER_DAY='2'\n")
    assert load({}, tmp_path / ".env").max_trades_per_day == 2


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(ConfigError, match="write it as UTF-8"):
        load({}, tmp_path / ".env")


def test_a_secret_does_not_show_itself() -> None:
    settings = load({"ODDS_API_KEY": "hunter2"}, None)
    shown = f"{settings!r} {settings.odds_api_key} {settings.odds_api_key!r} {[settings.odds_api_key]}"
    assert "hunter2" not in shown
    assert "***" in shown
    assert settings.odds_api_key.reveal() == "hunter2"


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))


@pytest.mark.parametrize("url", ["https://user:hunter2@x.com", "https://x.com/?apiKey=hunter2"])
def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load({"ODDS_API_BASE_URL": url}, None)
    assert "hunter2" not in str(refused.value)


def test_the_example_lists_every_setting_and_loads_as_the_defaults(tmp_path: Path) -> None:
    settings = re.findall(r"^# ([A-Z_]+=.*)$", example(), re.MULTILINE)
    (tmp_path / ".env").write_text("\n".join(settings))
    assert load({}, tmp_path / ".env") == Settings()
    assert [line.split("=")[0].lower() for line in settings] == list(Settings.__struct_fields__)


def test_the_committed_example_is_the_generated_one() -> None:
    committed = (REPOSITORY / "docs" / "env.example").read_text(encoding="utf-8")
    assert committed == example(), "write shared.config.example() to docs/env.example"
