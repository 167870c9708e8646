"""Ways of writing a ticker or a text that recordings show, each as a class and not as one row."""

from __future__ import annotations

import pytest

from shared.mapping.people import is_pair
from shared.mapping.series import Series, Untradeable, classify
from shared.mapping.tables import leagues, matches_key
from shared.mapping.ticker import event_of, suffix_code
from shared.mapping.titles import subject_of_title
from shared.messages import MarketListed
from tests.mapping.build import code, decide, listed, odds, over

_SOX = odds("baseball_mlb", "Cleveland Guardians", "Chicago White Sox", "2026-10-09T00:01:00Z")


def _hits(at: str, said: str) -> MarketListed:
    return over(
        f"KXMLBHIT-26OCT08{at}CLECWS-CWSABENINTENDI23-1",
        0.5,
        event="KXMLBHIT-26OCT081700CLECWS",
        title="Andrew Benintendi: 1+ hits?",
        rules_primary="If Andrew Benintendi records 1+ hits in the Cleveland vs Chicago WS professional"
        f" baseball game originally scheduled for Oct 8, 2026 at {said} PM EDT, then Yes.",
    )


def test_a_market_listed_after_a_reschedule_carries_the_new_time() -> None:
    decision = decide(_hits("2000", "8:00"), _SOX)
    assert decision.odds_event_id == "e1", decision.reason
    assert decision.selection is not None


def test_rules_alone_do_not_move_a_game() -> None:
    assert code(decide(_hits("1700", "8:00"), _SOX)) == "dates_disagree"


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("KXBUNDESLIGA2GAME-26AUG09COTH96-H96", "H96"),
        ("KXBUNDESLIGAGAME-26AUG09M05FCB-M05", "M05"),
        ("KXNFLSPREAD-26SEP27CARCLE-CAR3", "CAR"),
        ("KXNFLTOTAL-26SEP27CARCLE-44", ""),
    ],
)
def test_a_code_may_end_in_digits_if_the_event_says_so(ticker: str, expected: str) -> None:
    assert suffix_code(ticker, ticker.rpartition("-")[0]) == expected


@pytest.mark.parametrize(
    ("ticker", "event"),
    [
        ("KXMLBGAME-26AUG072015COLSTL-COL", "KXMLBGAME-26AUG072015COLSTL"),
        ("KXMLBHIT-26SEP291400PHIATL-PHIBHARPER3-1", "KXMLBHIT-26SEP291400PHIATL"),
        ("KXATPSETWINNER-26AUG01MPEVAN-2-VAN", "KXATPSETWINNER-26AUG01MPEVAN"),
        ("KXNBA-27-MIA", "KXNBA-27"),
        ("ALONE", ""),
    ],
)
def test_the_event_of_a_bare_ticker(ticker: str, event: str) -> None:
    assert event_of(ticker) == event


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("KXPGAH2H", "golf"),
        ("KXLIVTOUR", "golf"),
        ("KXITFMATCH", "lower_tour"),
        ("KXWTACHALLENGERMATCH", "lower_tour"),
        ("KXATPDOUBLES", "lower_tour"),
    ],
)
def test_what_no_feed_quotes_is_refused_by_name(series: str, expected: str) -> None:
    found = classify(series)
    assert isinstance(found, Untradeable)
    assert (found.code, bool(found.reason)) == (expected, True)


@pytest.mark.parametrize(
    ("series", "league"),
    [
        ("KXMLBF3", "MLB"),
        ("KXMLBF7", "MLB"),
        ("KXNCAABBGAME", "NCAA Baseball"),
        ("KXSUPERLIGGAME", "Süper Lig"),
        ("KXSAUDIPLTOTAL", "Saudi Pro League"),
        ("KXPLLGAME", "PLL"),
    ],
)
def test_series_of_a_league_are_known(series: str, league: str) -> None:
    found = classify(series)
    assert isinstance(found, Series)
    assert found.league.name == league


def test_a_club_named_in_full_wins_in_the_plural() -> None:
    market = listed(
        "KXCFLGAME-26OCT09EDMHAM-HAM",
        rules_primary="If the Hamilton Tiger-Cats win the Edmonton Elks vs Hamilton Tiger-Cats professional"
        " CFL football game originally scheduled for Oct 9, 2026, then the market resolves to Yes.",
    )
    decision = decide(
        market, odds("americanfootball_cfl", "Edmonton Elks", "Hamilton Tiger-Cats", "2026-10-09T23:00:00Z")
    )
    assert decision.selection is not None
    assert decision.selection.outcome == "Hamilton Tiger-Cats"


def test_a_prop_may_ask_whether_a_player_will_record_it() -> None:
    market = over(
        "KXNFLREC-26OCT08TBDAL-DALCLAMB88-10",
        9.5,
        title="Will CeeDee Lamb record 10+ receptions in the Tampa Bay vs Dallas Pro Football game?",
    )
    event = odds("americanfootball_nfl", "Tampa Bay Buccaneers", "Dallas Cowboys", "2026-10-09T00:15:00Z")
    selection = decide(market, event).selection
    assert selection is not None
    assert (selection.description, selection.point) == ("CeeDee Lamb", 9.5)


def test_a_first_half_needs_no_word_about_extra_time() -> None:
    market = over(
        "KXEPL1HTOTAL-26OCT10BRIARS-2", 1.5, event_title="Brighton vs Arsenal", title="Over 1.5 goals scored"
    )
    event = odds("soccer_epl", "Arsenal", "Brighton and Hove Albion", "2026-10-10T14:00:00Z")
    selection = decide(market, event).selection
    assert selection is not None
    assert (selection.market, selection.point) == ("totals_h1", 1.5)
    whole = over(
        "KXEPLTOTAL-26OCT10BRIARS-2", 1.5, event_title="Brighton vs Arsenal", title="Over 1.5 goals scored"
    )
    assert decide(whole, event).selection is None


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Alcaraz vs Sinner: Game Spread", "yes_sub_title": "Jannik Sinner wins by over 3.5 games"},
        {
            "title": "Sinner -3.5 games",
            "event_title": "Alcaraz vs Sinner",
            "yes_sub_title": "Sinner -3.5 games",
        },
    ],
)
def test_a_label_with_a_line_still_names_the_player(fields: dict[str, str]) -> None:
    event = odds("tennis_atp_x", "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z")
    selection = decide(over("KXATPGSPREAD-26AUG01ALCSIN-SIN4", 3.5, **fields), event).selection
    assert selection is not None
    assert (selection.outcome, selection.point) == ("Jannik Sinner", -3.5)


def test_six_letters_of_two_people_have_one_cut() -> None:
    event = odds("tennis_atp_x", "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z")
    assert decide(listed("KXATPGTOTAL-26AUG01ALCSIN-23"), event).odds_event_id == "e1"


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Will Jessica Bouzas win the Svitolina vs Bouzas: Final match?", "Jessica Bouzas"),
        ("Jannik Sinner wins", "Jannik Sinner"),
        ("Alcaraz vs Sinner Winner?", ""),
        ("Dallas vs Minnesota women's Pro Basketball game: Minnesota wins?", ""),
        ("x" * 5_000, ""),
    ],
)
def test_whom_a_title_is_about(title: str, subject: str) -> None:
    assert subject_of_title(title) == subject


@pytest.mark.parametrize("name", ["Cerundolo / Etcheverry", "Gauff & Pegula", "Bob Bryan and Mike Bryan"])
def test_two_names_are_a_pair(name: str) -> None:
    assert is_pair(name)
    assert not is_pair("Pablo Carreno Busta")


def test_a_starred_key_means_every_tournament_of_the_tour() -> None:
    assert matches_key("tennis_atp_us_open", "tennis_atp_*")
    assert not matches_key("tennis_wta_us_open", "tennis_atp_*")
    assert not matches_key("basketball_nba_preseason", "basketball_nba")
    assert [one.name for one in leagues() if one.carries("tennis_wta_us_open")] == ["WTA"]
