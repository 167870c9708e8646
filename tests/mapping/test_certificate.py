"""Contract and bookmaker outcome, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import Certificate, MappingDecided, MarketListed, Selection
from shared.money import Price
from shared.terms import Period, StrikeType
from tests.mapping.build import decide, listed, odds, over

NFL_EVENT = odds("americanfootball_nfl", "Carolina Panthers", "Cleveland Browns", "2026-09-27T17:00:00Z")
MLB_EVENT = odds("baseball_mlb", "Atlanta Braves", "New York Yankees", "2026-08-08T19:06:00Z")
SOCCER_EVENT = odds("soccer_epl", "Arsenal", "Brighton and Hove Albion", "2026-10-10T14:00:00Z")

_NFL = (
    "the Carolina vs Cleveland Pro Football game originally scheduled for Sep 27, 2026,"
    " then the market resolves to Yes."
)
_MLB = (
    "the Atlanta vs New York Y professional baseball game originally scheduled for Aug 8, 2026 at 3:05 PM"
    " EDT, then the market resolves to Yes."
)
_EPL = (
    "the Brighton vs Arsenal professional EPL soccer game originally scheduled for Oct 10, 2026 after 90"
    " minutes plus stoppage time (does not include extra time or penalties), then the market resolves to Yes."
)


def certified(decision: MappingDecided) -> tuple[Certificate, Selection]:
    assert decision.certificate is not None
    assert decision.selection is not None, decision.certificate.evidence
    return decision.certificate, decision.selection


def refusal(decision: MappingDecided) -> str:
    assert decision.certificate is not None
    assert decision.certificate.verdict == "refused"
    assert decision.selection is None
    assert decision.odds_event_id
    return decision.certificate.evidence[-1]


def test_a_winner_selects_the_team_as_the_event_spells_it() -> None:
    market = listed("KXNFLGAME-26SEP27CARCLE-CAR", rules_primary=f"If Carolina wins {_NFL}")
    certificate, selection = certified(decide(market, NFL_EVENT))
    assert (selection.market, selection.outcome, selection.point) == ("h2h", "Carolina Panthers", None)
    assert certificate.subject == "Carolina Panthers"
    assert certificate.overtime == "included"
    assert certificate.rules_digest


def test_an_nfl_tie_pays_half_here_and_pushes_there() -> None:
    market = listed("KXNFLGAME-26SEP27CARCLE-CAR", rules_primary=f"If Carolina wins {_NFL}")
    certificate, _ = certified(decide(market, NFL_EVENT))
    tie = next(state for state in certificate.differences if state.state == "tie")
    assert (tie.exchange_pays, tie.book_pays) == (Price(500_000), "push")
    assert certificate.verdict == "different"


def test_a_postponement_is_a_fair_price_here_and_void_there() -> None:
    market = listed("KXMLBGAME-26AUG081505ATLNYY-ATL", rules_primary=f"If Atlanta wins {_MLB}")
    certificate, _ = certified(decide(market, MLB_EVENT))
    postponed = next(state for state in certificate.differences if state.state == "postponed")
    assert postponed.exchange_pays is None
    assert postponed.book_pays == "void"


def test_a_spread_over_two_and_a_half_is_minus_two_and_a_half() -> None:
    market = over(
        "KXNFLSPREAD-26SEP27CARCLE-CLE3",
        2.5,
        rules_primary=f"If Cleveland wins by more than 2.5 points in {_NFL}",
        yes_sub_title="Cleveland wins by over 2.5 points",
    )
    _, selection = certified(decide(market, NFL_EVENT))
    assert (selection.market, selection.outcome, selection.point) == ("spreads", "Cleveland Browns", -2.5)


def test_a_total_is_over_the_same_line() -> None:
    market = over(
        "KXMLBTOTAL-26AUG081505ATLNYY-9",
        8.5,
        rules_primary=f"If Atlanta and New York Y collectively score more 8.5 runs in {_MLB}",
        yes_sub_title="Over 8.5 runs scored",
    )
    _, selection = certified(decide(market, MLB_EVENT))
    assert (selection.market, selection.outcome, selection.point) == ("totals", "Over", 8.5)


def test_three_or_more_runs_is_over_two_and_a_half() -> None:
    market = over(
        "KXMLBTEAMTOTAL-26AUG081505ATLNYY-NYY3", 2.5, rules_primary=f"If New York Y scores 3+ runs in {_MLB}"
    )
    _, selection = certified(decide(market, MLB_EVENT))
    assert (selection.market, selection.outcome, selection.point) == ("team_totals", "Over", 2.5)
    assert selection.description == "New York Yankees"


def test_a_prop_names_the_player_and_his_absence() -> None:
    market = listed(
        "KXMLBKS-26AUG081505ATLNYY-NYYCSCHLITTLER31-9",
        event="KXMLBKS-26AUG081505ATLNYY",
        strike_type=StrikeType.STRUCTURED,
        floor_strike=8.5,
        title="Cam Schlittler: 9+ strikeouts?",
        rules_primary=f"If Cam Schlittler records 9+ strikeouts in {_MLB}",
    )
    certificate, selection = certified(decide(market, MLB_EVENT))
    assert (selection.market, selection.outcome, selection.point) == ("pitcher_strikeouts", "Over", 8.5)
    assert selection.description == "Cam Schlittler"
    assert [state.state for state in certificate.differences] == ["player_out"]


def test_the_first_five_innings_are_a_three_way_market() -> None:
    market = listed(
        "KXMLBF5-26AUG081505ATLNYY-ATL", rules_primary=f"If Atlanta wins the first 5 innings of {_MLB}"
    )
    certificate, selection = certified(decide(market, MLB_EVENT))
    assert (selection.market, selection.outcome) == ("h2h_3_way_1st_5_innings", "Atlanta Braves")
    assert certificate.period is Period.FIRST_FIVE_INNINGS


def test_a_tie_of_a_soccer_game_is_the_draw() -> None:
    market = listed("KXEPLGAME-26OCT10BRIARS-TIE", rules_primary=f"If Tie is the result of {_EPL}")
    certificate, selection = certified(decide(market, SOCCER_EVENT))
    assert (selection.market, selection.outcome) == ("h2h", "Draw")
    assert certificate.period is Period.REGULATION


def test_soccer_lists_home_first_and_the_side_is_still_right() -> None:
    market = listed("KXEPLGAME-26OCT10BRIARS-BRI", rules_primary=f"If Brighton wins {_EPL}")
    assert certified(decide(market, SOCCER_EVENT))[1].outcome == "Brighton and Hove Albion"


def _total(**fields: Any) -> MarketListed:
    base: dict[str, Any] = {
        "strike_type": StrikeType.GREATER,
        "floor_strike": 8.5,
        "rules_primary": f"If Atlanta and New York Y collectively score more 8.5 runs in {_MLB}",
    }
    return listed("KXMLBTOTAL-26AUG081505ATLNYY-9", **{**base, **fields})


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"floor_strike": 9.0}, "strike"),
        ({"floor_strike": 7.5}, "text says"),
        ({"strike_type": StrikeType.LESS}, "strike"),
        ({"strike_type": StrikeType.BETWEEN, "cap_strike": 9.5}, "upper bound"),
        ({"strike_type": StrikeType.UNKNOWN}, "strike"),
        ({"strike_type": StrikeType.GREATER_OR_EQUAL}, "strike"),
        ({"floor_strike": None, "rules_primary": ""}, "no strike"),
        ({"yes_sub_title": "Over 9.5 runs scored"}, "text says"),
        (
            {"rules_primary": f"If Atlanta and New York Y collectively score fewer than 8.5 runs in {_MLB}"},
            "template",
        ),
        (
            {
                "rules_primary": "If Atlanta and New York Y collectively score more 8.5 runs in the first 5"
                f" innings of {_MLB}"
            },
            "first 5 innings",
        ),
    ],
)
def test_a_line_in_doubt_is_mapped_but_not_certified(fields: dict[str, Any], word: str) -> None:
    assert word in refusal(decide(_total(**fields), MLB_EVENT))


def test_at_least_an_integer_is_over_half_a_point_less() -> None:
    market = _total(
        strike_type=StrikeType.GREATER_OR_EQUAL,
        floor_strike=9.0,
    )
    assert certified(decide(market, MLB_EVENT))[1].point == 8.5


def test_a_ticker_alone_is_certified_for_a_winner_but_not_for_a_line() -> None:
    assert (
        certified(decide(listed("KXMLBGAME-26AUG081505ATLNYY-ATL"), MLB_EVENT))[1].outcome == "Atlanta Braves"
    )
    assert "no strike" in refusal(decide(listed("KXMLBTOTAL-26AUG081505ATLNYY-9"), MLB_EVENT))


def test_text_and_ticker_that_name_different_subjects_are_not_certified() -> None:
    market = listed("KXNFLGAME-26SEP27CARCLE-CLE", rules_primary=f"If Carolina wins {_NFL}")
    assert "different subjects" in refusal(decide(market, NFL_EVENT))


def test_soccer_rules_without_the_ninety_minute_clause_are_not_certified() -> None:
    rules = f"If Brighton wins {_EPL}".replace(" (does not include extra time or penalties)", "")
    market = listed("KXEPLGAME-26OCT10BRIARS-BRI", rules_primary=rules)
    assert "extra time" in refusal(decide(market, SOCCER_EVENT))


def test_extra_innings_are_mapped_but_have_no_counterpart() -> None:
    market = listed(
        "KXMLBEXTRAS-26AUG081505ATLNYY-EXTRAS",
        rules_primary=f"If Atlanta and New York Y go to extra innings in {_MLB}",
    )
    assert "counterpart" in refusal(decide(market, MLB_EVENT))


def test_second_half_markets_without_overtime_are_not_certified() -> None:
    event = odds("basketball_wnba", "Phoenix Mercury", "Chicago Sky", "2026-08-04T00:00:00Z")
    market = over(
        "KXWNBA2HTOTAL-26AUG03PHXCHI-82",
        81.5,
        rules_primary="If the teams collectively score more than 81.5 points in the 2nd half of the Phoenix"
        " vs Chicago women's Pro Basketball game originally scheduled for Aug 3, 2026, then the market"
        " resolves to Yes.",
    )
    assert "no bookmaker market" in refusal(decide(market, event))


def test_people_known_by_code_alone_are_mapped_but_not_certified() -> None:
    event = odds("tennis_atp_canadian_open", "Mariano Navone", "Matteo Berrettini", "2026-08-02T14:30:00Z")
    assert "codes alone" in refusal(decide(listed("KXATPMATCH-26AUG01BERNAV-NAV"), event))


def test_a_surname_that_starts_with_tie_is_no_tie() -> None:
    event = odds("tennis_atp_canadian_open", "Learner Tien", "Ben Shelton", "2026-08-02T14:30:00Z")
    market = listed(
        "KXATPMATCH-26AUG02TIESHE-TIE",
        title="Will Learner Tien win the Tien vs Shelton: Final match?",
        yes_sub_title="Learner Tien",
    )
    assert certified(decide(market, event))[1].outcome == "Learner Tien"
