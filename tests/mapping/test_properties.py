"""Whatever is added, removed, swapped or reordered, a market is never mapped to a wrong event."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import DAY, EASTERN, HOUR, MINUTE, Instant, to_datetime
from shared.mapping.mapper import map_markets
from shared.mapping.tables import Team, load_teams
from shared.messages import MarketListed, OddsEvent
from shared.terms import MarketShape
from tests.mapping.build import listed, odds

_NHL = [team for team in load_teams("nhl") if team.name != "Arizona Coyotes"]
_NOON = Instant(1_791_475_200_000_000)  # 2026-10-08T16:00:00Z

_games = st.lists(
    st.tuples(st.sampled_from(list(combinations(range(12), 2))), st.integers(0, 5), st.integers(0, 10)),
    min_size=1,
    max_size=12,
    unique_by=lambda game: (game[0], game[1]),
)


def _event(game: tuple[tuple[int, int], int, int], identity: str) -> OddsEvent:
    (away, home), day, hour = game
    start = Instant(_NOON + day * DAY + hour * HOUR)
    return OddsEvent(
        id=identity,
        sport_key="icehockey_nhl",
        starts_at=start,
        home=_NHL[home].name,
        away=_NHL[away].name,
    )


def _market(event: OddsEvent, away: Team, home: Team, titled: bool) -> MarketListed:
    assert event.starts_at is not None
    local = to_datetime(event.starts_at).astimezone(EASTERN)
    ticker = f"KXNHLGAME-{local:%y%b%d}{away.codes[0]}{home.codes[0]}-{away.codes[0]}".upper()
    title = f"{away.kalshi[0]} at {home.kalshi[0]} Winner?" if titled else ""
    return listed(ticker, title=title)


def _world(
    games: list[tuple[tuple[int, int], int, int]], titled: bool
) -> tuple[list[MarketListed], list[OddsEvent]]:
    events = [_event(game, f"e{number}") for number, game in enumerate(games)]
    markets = [
        _market(event, _NHL[game[0][0]], _NHL[game[0][1]], titled)
        for event, game in zip(events, games, strict=True)
    ]
    return markets, events


@given(_games, st.booleans())
def test_every_game_is_mapped_to_its_own_event(
    games: list[tuple[tuple[int, int], int, int]], titled: bool
) -> None:
    markets, events = _world(games, titled)
    assert [d.odds_event_id for d in map_markets(markets, events)] == [e.id for e in events]


@given(_games, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(
    games: list[tuple[tuple[int, int], int, int]], titled: bool, random: object
) -> None:
    markets, events = _world(games, titled)
    before = {d.ticker: d for d in map_markets(markets, events)}
    random.shuffle(markets)  # type: ignore[attr-defined]
    random.shuffle(events)  # type: ignore[attr-defined]
    assert {d.ticker: d for d in map_markets(markets, events)} == before


@given(_games, st.booleans(), st.data())
def test_without_its_event_a_market_is_refused(
    games: list[tuple[tuple[int, int], int, int]], titled: bool, data: st.DataObject
) -> None:
    markets, events = _world(games, titled)
    gone = data.draw(st.sampled_from(range(len(games))))
    decisions = map_markets(markets, [event for event in events if event.id != f"e{gone}"])
    assert decisions[gone].odds_event_id == ""
    assert decisions[gone].reason


@given(_games, _games, st.booleans())
def test_decoys_never_take_a_market_to_a_wrong_event(
    games: list[tuple[tuple[int, int], int, int]],
    decoys: list[tuple[tuple[int, int], int, int]],
    titled: bool,
) -> None:
    markets, events = _world(games, titled)
    added = [_event(decoy, f"decoy{number}") for number, decoy in enumerate(decoys)]
    for decision, event in zip(map_markets(markets, events + added), events, strict=True):
        assert decision.odds_event_id in ("", event.id)


@given(_games, st.booleans())
def test_swapped_home_and_away_is_refused(
    games: list[tuple[tuple[int, int], int, int]], titled: bool
) -> None:
    markets, events = _world(games, titled)
    swapped = [
        OddsEvent(id=e.id, sport_key=e.sport_key, starts_at=e.starts_at, home=e.away, away=e.home)
        for e in events
    ]
    assert not any(d.odds_event_id for d in map_markets(markets, swapped))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=200)
def test_no_text_raises(ticker: str, event: str, title: str, rules: str) -> None:
    market = MarketListed(
        observed_at=Instant(0),
        ticker=ticker,
        event_ticker=event,
        series_ticker="",
        shape=MarketShape.UNKNOWN,
        title=title,
        event_title=title,
        yes_sub_title=title,
        rules_primary=rules,
    )
    known = listed("KXNHLGAME-26OCT08CHINYI-CHI", title=title, rules_primary=rules, yes_sub_title=ticker)
    person = listed("KXATPMATCH-26OCT08ALCSIN-ALC", title=title, rules_primary=rules, yes_sub_title=ticker)
    feed = [
        odds("icehockey_nhl", ticker, event, "2026-10-08T23:30:00Z"),
        odds("tennis_atp_shanghai", ticker, event, "2026-10-08T23:30:00Z", "e2"),
    ]
    assert all(decision.reason for decision in map_markets([market, known, person], feed))


def test_ten_thousand_markets_of_one_game_are_decided() -> None:
    event = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z")
    markets = [listed(f"KXNHLTOTAL-26OCT08CHINYI-{n}") for n in range(10_000)]
    decisions = map_markets(markets, [event])
    assert {decision.odds_event_id for decision in decisions} == {"e1"}


def test_two_listings_of_one_series_never_share_an_event() -> None:
    event = odds("tennis_atp_shanghai", "Carlos Alcaraz", "Jannik Sinner", "2026-10-08T10:00:00Z")
    first = listed("KXATPMATCH-26OCT08ALCSIN-ALC", title="Alcaraz vs Sinner Winner?")
    second = listed("KXATPMATCH-26OCT07ALCSIN-ALC", title="Alcaraz vs Sinner Winner?")
    decisions = map_markets([first, second], [event])
    assert [d.odds_event_id for d in decisions] == ["e1", ""]
    assert decisions[1].reason.startswith("contested")


def test_two_games_within_the_tolerance_of_one_event_are_both_refused() -> None:
    event = odds("baseball_mlb", "Boston Red Sox", "New York Yankees", "2026-08-08T23:06:00Z")
    markets = [listed(f"KXMLBGAME-26AUG08{at}BOSNYY-NYY") for at in ("1905", "1910")]
    assert [d.odds_event_id for d in map_markets(markets, [event])] == ["", ""]


def test_the_decision_is_dated_by_the_clock_or_by_its_input() -> None:
    market = listed("KXNHLGAME-26OCT08CHINYI-CHI")
    assert map_markets([market], [])[0].observed_at == 7
    assert map_markets([market], [], Instant(5 * MINUTE))[0].observed_at == 5 * MINUTE
    assert map_markets([], []) == []
