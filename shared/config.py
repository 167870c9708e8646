"""Settings: typed, frozen, read once from the environment and ``.env``; every limit has its unit in its name.

The environment wins over ``.env``; an empty value means "not set". A name in ``.env`` that nearly matches a
setting is refused: a misspelt risk limit must not silently fall back to its default.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NewType, cast, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from shared.errors import BadMoneyError, ConfigError
from shared.money import MICROS, Usd, format_usd, parse_usd
from shared.terms import Profile

Url = NewType("Url", str)
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
# Under three seconds a slow disk alone would lose it.
LeaseSeconds = Annotated[float, Meta(ge=3, le=300)]
Cents = Annotated[int, Meta(ge=1, le=99)]
Percent = Annotated[float, Meta(gt=0, le=100)]
Port = Annotated[int, Meta(ge=1, le=65_535)]


# 24 characters of base64 are 144 bits.
MIN_TOKEN = 24
MAKE_TOKEN = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105 - makes one


class Backend(StrEnum):
    """Where state lives: embedded engines, or Google Cloud."""

    LOCAL = "local"
    GCP = "gcp"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class MailSecurity(StrEnum):
    """How the line to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Secret:
    """A value that never shows itself: ``repr`` and ``str`` are ``***``, pickling is refused."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one call that signs or authenticates."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def _dollars(whole: int) -> Usd:
    return Usd(whole * MICROS)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person can set. The variable is the field's name in capitals."""

    backend: Annotated[Backend, Meta(description="local or gcp")] = Backend.LOCAL
    data_dir: Annotated[Path, Meta(description="databases, history, raw payloads")] = Path("var")
    profile: Annotated[Profile, Meta(description="how much net edge to ask for")] = Profile.STANDARD

    google_cloud_project: Annotated[str, Meta(description="needed when BACKEND=gcp")] = ""
    firestore_database: str = "(default)"
    bigquery_dataset: str = "arb"
    raw_bucket: Annotated[str, Meta(description="Cloud Storage bucket of raw payloads")] = ""
    secret_versions: Annotated[
        tuple[str, ...],
        Meta(description="pinned secret=number, or secret=newer/older"),
    ] = ()

    kalshi_base_url: Url = Url("https://external-api.kalshi.com/trade-api/v2")
    kalshi_ws_url: Url = Url("wss://external-api-ws.kalshi.com/trade-api/ws/v2")
    kalshi_key_id: Annotated[str, Meta(description="no keys at all: the demo on the built-in simulator")] = ""
    kalshi_private_key: Annotated[Secret, Meta(description="PEM text; or give the path instead")] = Secret("")
    kalshi_private_key_path: Annotated[Path | None, Meta(description="PEM file")] = None
    kalshi_kill_key_id: Annotated[
        str, Meta(description="a key of its own for arb kill; else the one above")
    ] = ""
    kalshi_kill_private_key: Secret = Secret("")
    kalshi_kill_private_key_path: Path | None = None
    kalshi_poll_seconds: Annotated[Seconds, Meta(description="the listing is cached for up to 15 s")] = 30.0

    odds_api_base_url: Url = Url("https://api.the-odds-api.com/v4")
    odds_api_key: Secret = Secret("")
    odds_regions: Annotated[tuple[str, ...], Meta(description="each region multiplies the credits")] = ("us",)
    odds_bookmakers: Annotated[tuple[str, ...], Meta(description="only these books; wins over regions")] = ()
    odds_daily_credits: Annotated[Count, Meta(description="the free plan is 500 a month")] = 16
    odds_poll_seconds: Seconds = 60.0
    props_daily_credits: Annotated[
        Count, Meta(description="of the day's credits, what player props may take; one game is 2 to 20")
    ] = 8
    props_alternate_lines: Annotated[
        bool, Meta(description="ask for alternate lines too: twice the credits, and curves instead of points")
    ] = True
    props_run_tokens: Annotated[
        Positive, Meta(description="exchange rate-limit tokens a scrape may take")
    ] = 6_000

    polymarket_gamma_url: Url = Url("https://gamma-api.polymarket.com")
    polymarket_clob_url: Url = Url("https://clob.polymarket.com")
    polymarket_ws_url: Url = Url("wss://ws-subscriptions-clob.polymarket.com/ws/market")
    ibkr_base_url: Annotated[Url, Meta(description="Client Portal gateway")] = Url(
        "https://localhost:5000/v1/api"
    )

    leagues: tuple[str, ...] = ("mlb", "nba", "nfl", "nhl", "wnba")

    max_contracts_per_trade: Positive = 100
    max_risk_per_trade_usd: Usd = _dollars(500)
    max_daily_loss_usd: Usd = _dollars(1_000)
    max_weekly_loss_usd: Usd = _dollars(3_000)
    max_trades_per_day: Positive = 50
    max_contracts_per_day: Positive = 5_000
    max_contracts_per_event: Positive = 500
    max_sport_share_percent: Annotated[Percent, Meta(description="of bankroll, per sport")] = 20.0
    max_orders_per_minute: Positive = 10
    min_order_gap_ms: Count = 100
    max_consecutive_losses: Positive = 5
    live_orders: Annotated[
        bool,
        Meta(description="the execution service sends real orders; arb run asks for a typed word instead"),
    ] = False
    executor_lease_seconds: Annotated[
        LeaseSeconds,
        Meta(description="an executor that dies is replaced after this and two seconds more; renewed thrice"),
    ] = 15.0
    port: Annotated[Port | None, Meta(description="set by the platform that runs the container")] = None
    canary_clean_fills: Annotated[
        Count,
        Meta(description="one contract an order until so many filled as they should"),
    ] = 5
    maker_first: Annotated[bool, Meta(description="rest one tick below the offer before taking it")] = False
    maker_rest_seconds: Seconds = 5.0
    min_price_cents: Annotated[Cents, Meta(description="cheaper contracts are not bought")] = 5
    max_price_cents: Annotated[Cents, Meta(description="dearer contracts are not bought")] = 95
    paper_bankroll_usd: Annotated[Usd, Meta(description="a paper account's first cash")] = _dollars(10_000)

    api_port: Annotated[
        Annotated[int, Meta(ge=0, le=65_535)] | None,
        Meta(description="the HTTP API, on the loopback address only; empty: off, 0: any free port"),
    ] = None
    api_token: Annotated[Secret, Meta(description="callers of the API send it; 24 characters or more")] = (
        Secret("")
    )
    log_format: Annotated[LogFormat, Meta(description="text or json")] = LogFormat.TEXT

    alert_webhook_url: Annotated[Secret, Meta(description="Slack incoming webhook; keep it secret")] = Secret(
        ""
    )
    smtp_host: Annotated[str, Meta(description="mail server for alerts")] = ""
    smtp_port: Port = 587
    smtp_security: Annotated[MailSecurity, Meta(description="starttls, tls or none")] = MailSecurity.STARTTLS
    smtp_user: str = ""
    smtp_password: Secret = Secret("")
    smtp_from: Annotated[str, Meta(description="sender of alerts")] = ""
    smtp_to: Annotated[tuple[str, ...], Meta(description="who gets alerts, comma-separated")] = ()

    @property
    def demo(self) -> bool:
        """True when no exchange key is set: trade on paper against the built-in simulator."""
        return not (self.kalshi_key_id or self.kalshi_private_key or self.kalshi_private_key_path)


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Settings from ``environ`` (default: the process's own) over ``dotenv``.

    Raises :class:`ConfigError` naming the variable, what is wrong with its value and the fix.
    """
    given = _from_file(dotenv) | dict(os.environ if environ is None else environ)
    values: dict[str, Any] = {}
    for field, kind in _KINDS.items():
        text = given.get(field.upper(), "").strip()
        if text:
            values[field] = _parse(field.upper(), kind, text)
    settings = Settings(**values)
    _check(settings)
    return settings


def _from_file(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read ({exc}); write it as UTF-8 lines NAME=value") from exc
    known = [field.upper() for field in _KINDS]
    for name in found:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if near and name not in known:
            raise ConfigError(f"{path}: {name} is not a setting; did you mean {near[0]}?")
    return {name: value for name, value in found.items() if value is not None}


def _parse(name: str, kind: Any, text: str) -> object:
    bare = _bare(kind)
    parser = _PARSERS.get(bare)
    try:
        value: object = parser(text) if parser else msgspec.convert(text, kind, strict=False)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("the number is not finite")
    except (BadMoneyError, msgspec.ValidationError, ValueError) as exc:
        # An address may hold a password: like a secret it is not repeated.
        shown = "its value" if bare in (Secret, Url) else repr(text[:60])
        raise ConfigError(f"{name}: {shown} does not fit: {exc}. {_fix(name)}") from exc
    return value


def _bare(kind: Any) -> Any:
    """The type without its annotations."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _fix(name: str) -> str:
    return f"Set {name} in the environment or .env, for instance {name}={_default_text(name.lower())}"


def _usd(text: str) -> Usd:
    amount = parse_usd(text.replace(",", "").removeprefix("$"))
    if amount < 0:
        raise ValueError("a limit in dollars is not negative")
    return amount


def _url(text: str) -> Url:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError("a full address is needed, with http, https, ws or wss")
    if parts.username or parts.password or parts.query:
        raise ValueError("an address carries no password and no query: keys have settings of their own")
    return Url(text.rstrip("/"))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))


def _secret(text: str) -> Secret:
    # One-line .env files carry a PEM with its line ends written as backslash-n.
    return Secret(text.replace("\\n", "\n"))


_PARSERS: dict[object, Any] = {
    Usd: _usd,
    Url: _url,
    Path: Path,
    Path | None: Path,
    tuple[str, ...]: _words,
    Secret: _secret,
}
_KINDS: dict[str, Any] = get_type_hints(Settings, include_extras=True)
_DEFAULTS: dict[str, object] = {field.name: field.default for field in msgspec.structs.fields(Settings)}


def _check(settings: Settings) -> None:
    """Contradictions between settings; raises :class:`ConfigError`."""
    key = bool(settings.kalshi_private_key) + (settings.kalshi_private_key_path is not None)
    wrong = {
        "KALSHI_PRIVATE_KEY and KALSHI_PRIVATE_KEY_PATH are both set: keep one": key == 2,
        "KALSHI_KEY_ID is set but no private key: set KALSHI_PRIVATE_KEY_PATH": bool(
            settings.kalshi_key_id and not key and not _is_pinned(settings, "kalshi-private-key")
        ),
        "a Kalshi private key is set but KALSHI_KEY_ID is not: copy the key id beside it": bool(
            key and not settings.kalshi_key_id
        ),
        "BACKEND=gcp needs GOOGLE_CLOUD_PROJECT: set it to the project's id": (
            settings.backend is Backend.GCP and not settings.google_cloud_project
        ),
        "MIN_PRICE_CENTS is not below MAX_PRICE_CENTS: nothing could be bought": (
            settings.min_price_cents >= settings.max_price_cents
        ),
        "MAX_WEEKLY_LOSS_USD is below MAX_DAILY_LOSS_USD: raise the week or lower the day": (
            settings.max_weekly_loss_usd < settings.max_daily_loss_usd
        ),
        **_kill_key(settings),
        **_service(settings),
    }
    found = [message for message, holds in wrong.items() if holds]
    if found:
        raise ConfigError("; ".join(found))


def _is_pinned(settings: Settings, secret: str) -> bool:
    """Whether the value will be read from Secret Manager."""
    return any(entry.partition("=")[0].strip() == secret for entry in settings.secret_versions)


def _kill_key(settings: Settings) -> dict[str, bool]:
    """The same for the key of the kill program."""
    key = bool(settings.kalshi_kill_private_key) + (settings.kalshi_kill_private_key_path is not None)
    return {
        "KALSHI_KILL_PRIVATE_KEY and KALSHI_KILL_PRIVATE_KEY_PATH are both set: keep one": key == 2,
        "KALSHI_KILL_KEY_ID and KALSHI_KILL_PRIVATE_KEY_PATH belong together: set both or neither": bool(
            settings.kalshi_kill_key_id
        )
        != bool(key),
    }


def _service(settings: Settings) -> dict[str, bool]:
    """The same for the API and for alerts."""
    webhook, token = settings.alert_webhook_url.reveal(), settings.api_token.reveal()
    is_clear = settings.smtp_security is MailSecurity.NONE
    return {
        f"API_TOKEN is not {MIN_TOKEN} or more letters, digits and signs without a space: "
        f"make one with: {MAKE_TOKEN}": bool(token) and not _is_token(token),
        "ALERT_WEBHOOK_URL is not a full https address: copy it from the webhook's page": bool(
            webhook and not _is_https(webhook)
        ),
        "SMTP_HOST needs SMTP_FROM and SMTP_TO: who sends alerts, and to whom": bool(
            settings.smtp_host and not (settings.smtp_from and settings.smtp_to)
        ),
        "SMTP_SECURITY=none sends in clear: only to 127.0.0.1 or localhost, and without SMTP_PASSWORD": (
            is_clear
            and (settings.smtp_host not in ("", "127.0.0.1", "localhost") or bool(settings.smtp_password))
        ),
    }


def _is_token(text: str) -> bool:
    return len(text) >= MIN_TOKEN and text.isascii() and text.isprintable() and " " not in text


def _is_https(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False


def _default_text(field: str) -> str:
    value = _DEFAULTS[field]
    if _bare(_KINDS[field]) is Usd:
        return format_usd(cast(Usd, value))
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None or isinstance(value, Secret) else str(value)


def example() -> str:
    """Text of an ``.env`` that lists every setting with its default, commented out."""
    lines = ["# Copy to .env beside where you start arb, and uncomment what you change."]
    for name, kind in _KINDS.items():
        meta: tuple[Meta, ...] = getattr(kind, "__metadata__", ())
        note = next((f"# {part.description}" for part in meta if part.description), "")
        lines += ["", *filter(None, [note]), f"# {name.upper()}={_default_text(name)}"]
    return "\n".join(lines) + "\n"
