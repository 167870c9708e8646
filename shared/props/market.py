"""One market of a ladder read on its own: game, player, team and threshold, or a refusal that says why.

Texts are believed before tickers, and both must agree. "25+" is over 24.5; the integer at the end of a ticker
is the threshold itself. A row that carries no text at all (an index of tickers) is read from its ticker; its
player then has no name, only the ticker's code, and is compared with nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import msgspec

from shared.errors import MalformedError
from shared.mapping.parse import ParsedMarket, Refusal, parse_as
from shared.mapping.ticker import event_of
from shared.mapping.titles import claim_of_label
from shared.messages import MarketListed
from shared.props import pricing
from shared.props.names import lookup_key
from shared.props.series import PropSeries
from shared.terms import MarketKind

_SLUG = re.compile(r"^(?P<who>[A-Z0-9]+?)(?:-(?P<number>[^-]+))?$")
_JERSEY = re.compile(r"\d{1,2}$")

BY_ID, BY_TICKER, BY_BOTH, BY_NOTHING = "id", "ticker", "id+ticker", "none"
# An id is the exchange's own word; a ticker's letters may fit two codes.
_CONFIDENCE = {BY_BOTH: 1.0, BY_ID: 0.95, BY_TICKER: 0.9, BY_NOTHING: 0.0}


@dataclass(frozen=True, slots=True)
class Team:
    """Whom a player plays for: the code as the ticker writes it, the team it was proved to be, and how."""

    code: str = ""
    name: str = ""
    method: str = BY_NOTHING
    issue: str = ""

    @property
    def confidence(self) -> float:
        """0 to 1; nothing when the proofs contradict each other."""
        return 0.0 if self.issue else _CONFIDENCE[self.method]


@dataclass(frozen=True, slots=True)
class PropMarket:
    """A rung: the player's count must reach ``threshold``. ``named`` is whether a text names the player."""

    market: MarketListed
    kind: PropSeries
    parsed: ParsedMarket
    player: str
    player_id: str
    team: Team
    threshold: int
    named: bool
    finding: str = ""

    @property
    def day(self) -> date:
        """Eastern day of the game."""
        return self.parsed.day

    @property
    def line(self) -> float:
        """YES pays over this."""
        return self.threshold - 0.5

    @property
    def lookup(self) -> str:
        """Comparable form of the player's name."""
        return lookup_key(self.player) if self.named else self.player.lower()

    @property
    def ladder(self) -> tuple[str, str, str, str]:
        """What all rungs of one ladder share."""
        return (self.market.event_ticker, self.lookup, self.team.code, self.player_id)

    @property
    def sides(self) -> tuple[str, str]:
        """Away and home side as canonical names; empty when the pair is not certain."""
        teams = self.parsed.teams
        return teams[0] if len(teams) == 1 else ("", "")


def read_prop(market: MarketListed, kind: PropSeries) -> PropMarket | Refusal:
    """Read one market of a prop series; never raises for any text the exchange may send."""
    if market.is_combo:
        return Refusal("combo", "a combination of several games is no player's count", kind=MarketKind.COMBO)
    if not market.event_ticker:
        market = msgspec.structs.replace(market, event_ticker=event_of(market.ticker))
    parsed = parse_as(market, kind.series)
    if isinstance(parsed, Refusal):
        return parsed
    who, number = _slug(market)
    subject, threshold = _claim(market, kind, parsed, number)
    if isinstance(threshold, str):
        return _refused(kind, "threshold", threshold)
    team, rest = _team(market, kind, parsed, who)
    player = subject or _JERSEY.sub("", rest)
    if not lookup_key(player):
        return _refused(kind, "player", f"{market.ticker}: no text and no ticker names the player")
    finding, named = "", bool(subject)
    if number and number != str(threshold):
        finding = f"ticker_number: the ticker says {number}, the contract {threshold}"
    return PropMarket(
        market,
        kind,
        parsed,
        player,
        _player_id(market),
        team,
        threshold,
        named,
        finding,
    )


def _refused(kind: PropSeries, code: str, reason: str) -> Refusal:
    return Refusal(code, reason, kind.league.name, MarketKind.PLAYER_PROP)


def _slug(market: MarketListed) -> tuple[str, str]:
    """Player's code with team, and the text where the threshold stands: ``CWSAKAY18`` and ``2``."""
    # After a reschedule the market's own ticker no longer starts with its event's.
    parts = market.ticker.removeprefix(market.event_ticker + "-").split("-")
    if not market.ticker.startswith(market.event_ticker + "-"):
        parts = parts[2:]
    match = _SLUG.match("-".join(parts))
    return (match["who"], match["number"] or "") if match else ("", parts[-1] if len(parts) > 1 else "")


def _claim(
    market: MarketListed, kind: PropSeries, parsed: ParsedMarket, number: str
) -> tuple[str, int | str]:
    """The player as the texts name him, and the count that pays or why there is none."""
    contract = parsed.contract
    if not contract.problem:
        if contract.line is not None:
            return contract.subject, int(contract.line + 0.5)
        return contract.subject, 1  # the first goal is scored or not
    if market.rules_primary or market.title:
        return "", contract.problem
    label = claim_of_label(MarketKind.PLAYER_PROP, market.yes_sub_title)
    if market.yes_sub_title and (label is None or label.line is None):
        return "", f"the label {market.yes_sub_title[:60]!r} names no player and count"
    subject = label.subject if label else ""
    try:
        threshold = pricing.threshold_at_least(number).at_least
    except MalformedError as exc:
        return subject, f"{market.ticker}: {exc}"
    if label and label.line != threshold - 0.5:
        return subject, f"the label says over {label.line}, the ticker {number}"
    return subject, threshold


def _player_id(market: MarketListed) -> str:
    return next((value for key, value in market.custom_strike.items() if key.endswith("_player")), "")


# --- team --------------------------------------------------------------------------------------------------


def _team(market: MarketListed, kind: PropSeries, parsed: ParsedMarket, who: str) -> tuple[Team, str]:
    """The player's team, and what is left of the code without it."""
    table, playing = kind.league.teams, {team for pair in parsed.teams for team in pair}
    by_id = next(
        (table.by_id[value] for key, value in market.custom_strike.items()
         if key.endswith("_team") and value in table.by_id), "",
    )  # fmt: skip
    codes = {
        code: team
        for team in playing
        for code in table.by_code
        if team in table.by_code[code] and who.startswith(code)
    }
    longest = max(map(len, codes), default=0)
    fits = {code: team for code, team in codes.items() if len(code) == longest}
    if by_id:
        fits = {code: team for code, team in codes.items() if team == by_id} or fits
    code = max(fits, key=len, default="") if len(set(fits.values())) == 1 else ""
    return _judged(code, fits.get(code, ""), by_id, playing, who), who[len(code) :]


def _judged(code: str, by_code: str, by_id: str, playing: set[str], who: str) -> Team:
    if by_id and by_id not in playing:
        return Team(code, "", BY_NOTHING, f"the exchange's team id is {by_id}, which does not play")
    if by_id and by_code and by_id != by_code:
        return Team(code, "", BY_NOTHING, f"the id says {by_id}, the ticker {by_code}")
    if by_id:
        return Team(code, by_id, BY_BOTH if by_code else BY_ID)
    if by_code:
        return Team(code, by_code, BY_TICKER)
    return Team("", "", BY_NOTHING, f"no team of the game begins {who!r}")
