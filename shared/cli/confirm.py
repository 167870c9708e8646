"""The typed confirmation before real orders: shows whose money, where and how much, takes one exact phrase.

The phrase names environment, key and limits, so one that was typed or stored for other stakes does not fit.
Without a terminal it must be given as ``ARB_LIVE_PHRASE``; nothing else counts as a yes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from rich.markup import escape as markup

from shared.cli.output import errors, usd
from shared.config import Settings
from shared.errors import ConfigError
from shared.money import Usd

PHRASE = "ARB_LIVE_PHRASE"
_ENVIRONMENTS = {
    "external-api.kalshi.com": "real money",
    "api.elections.kalshi.com": "real money",
    "external-api.demo.kalshi.co": "demo money",
    "demo-api.kalshi.co": "demo money",
}
_KEY_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is about to be put at risk. ``cash`` by shard in micro-dollars, ``None`` where it is not known."""

    environment: str
    host: str
    key_id: str
    profile: str
    per_trade: Usd
    per_day: Usd
    per_week: Usd
    contracts: int
    orders_per_minute: int
    cash: Mapping[int, Usd] | None = None

    @property
    def phrase(self) -> str:
        """What must be typed, to the letter."""
        return (
            f"trade {self.environment} with key {self.key_id[:_KEY_SHOWN]} "
            f"up to {usd(self.per_trade)} a trade and {usd(self.per_day)} a day"
        )

    def lines(self) -> list[tuple[str, str]]:
        """Names and values for a person to read before typing."""
        held = "not known"
        if self.cash is not None:
            told = [f"shard {shard} {usd(cash)}" for shard, cash in sorted(self.cash.items())]
            held = ", ".join(told) or "none"
        return [
            ("exchange", f"{self.host} ({self.environment})"),
            ("key", f"{self.key_id[:_KEY_SHOWN]}…"),
            ("cash", held),
            ("profile", self.profile),
            ("a trade", f"at most {usd(self.per_trade)} and {self.contracts} contracts"),
            ("losses", f"it stops at {usd(self.per_day)} a day, {usd(self.per_week)} a week"),
            ("orders", f"at most {self.orders_per_minute} a minute"),
            ("to stop", "arb halt REASON; arb kill cancels everything at the exchange"),
        ]


def stakes_of(settings: Settings, cash: Mapping[int, Usd] | None = None) -> Stakes:
    """The stakes of these settings."""
    host = urlsplit(settings.kalshi_base_url).hostname or ""
    return Stakes(
        environment=_environment(host),
        host=host,
        key_id=settings.kalshi_key_id,
        profile=settings.profile,
        per_trade=settings.max_risk_per_trade_usd,
        per_day=settings.max_daily_loss_usd,
        per_week=settings.max_weekly_loss_usd,
        contracts=settings.max_contracts_per_trade,
        orders_per_minute=settings.max_orders_per_minute,
        cash=cash,
    )


def _environment(host: str) -> str:
    """What kind of money; a host that is not known may be a way to the real exchange."""
    try:
        if host == "localhost" or ip_address(host).is_loopback:
            return "simulated money"
    except ValueError:
        pass
    return _ENVIRONMENTS.get(host, "real money")


def confirm_live(
    stakes: Stakes,
    *,
    ask: Callable[[str], str] = input,
    is_terminal: bool | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Return only if the phrase was given; raises :class:`ConfigError` that says what is missing."""
    if not stakes.key_id:
        raise ConfigError("--live needs a key: set KALSHI_KEY_ID and KALSHI_PRIVATE_KEY_PATH")
    given = (os.environ if environ is None else environ).get(PHRASE, "").strip()
    if given:
        return _compare(given, stakes, f"{PHRASE} does not fit these settings")
    if not (sys.stdin.isatty() if is_terminal is None else is_terminal):
        raise ConfigError(f"--live without a terminal needs {PHRASE}={stakes.phrase!r}")
    return _compare(_typed(stakes, ask), stakes, "not confirmed, nothing was started")


def _typed(stakes: Stakes, ask: Callable[[str], str]) -> str:
    for name, value in stakes.lines():
        errors.print(f"[bold]{name:>9}[/]  {markup(value)}", highlight=False, soft_wrap=True)
    told = f"To place real orders, type exactly:\n[bold]{markup(stakes.phrase)}[/]"
    errors.print(told, highlight=False, soft_wrap=True)
    try:
        return ask("> ").strip()
    except EOFError:
        return ""


def _compare(given: str, stakes: Stakes, otherwise: str) -> None:
    if given != stakes.phrase:
        raise ConfigError(f"{otherwise}: the phrase is {stakes.phrase!r}")
