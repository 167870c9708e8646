"""What is counted as covered, refused and unknown."""

from __future__ import annotations

from shared.mapping.coverage import day_of, refusal_code, tally, unknowns
from shared.mapping.mapper import map_markets
from shared.messages import MappingDecided, MarketListed
from shared.terms import MarketKind
from tests.mapping.build import listed, odds

EVENT = odds("icehockey_nhl", "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z")
_RULES = (
    "If Chicago wins the Chicago vs New York I NHL game originally scheduled for Oct 8, 2026,"
    " then the market resolves to Yes."
)
CERTIFIED = listed("KXNHLGAME-26OCT08CHINYI-CHI", rules_primary=_RULES)
UNREAD = listed("KXNHLGAME-26OCT08CHINYI-NYI", rules_primary="If the Islanders prevail, Yes.")
OTHER_DAY = listed("KXNHLGAME-26OCT09CHINYI-CHI")
NEW_CODE = listed("KXNHLGAME-26OCT08ZZZNYI-NYI")
NEW_SERIES = listed("KXWALESPREMGAME-26OCT08CARSWA-CAR")
COIN = listed("KXBTC-26OCT0821-B52250")
ALL = [CERTIFIED, UNREAD, OTHER_DAY, NEW_CODE, NEW_SERIES, COIN]


def decided(*markets: MarketListed) -> list[tuple[MarketListed, MappingDecided]]:
    return list(zip(markets, map_markets(markets, [EVENT]), strict=True))


def test_markets_are_counted_by_league_day_and_kind() -> None:
    cells = tally(decision for _, decision in decided(*ALL))
    nhl = {cell.day: cell for cell in cells if cell.league == "NHL"}
    assert nhl["2026-10-08"].kind is MarketKind.WINNER
    assert (nhl["2026-10-08"].markets, nhl["2026-10-08"].mapped, nhl["2026-10-08"].certified) == (3, 2, 1)
    assert nhl["2026-10-08"].refused == {"sides_unproven": 1}
    assert nhl["2026-10-09"].refused == {"other_day": 1}


def test_the_share_that_abstains_is_of_all_markets() -> None:
    cell = next(cell for cell in tally(d for _, d in decided(*ALL)) if cell.day == "2026-10-08")
    assert cell.abstention == 1 - cell.mapped / cell.markets


def test_a_mapped_market_has_no_refusal_code() -> None:
    (_, mapped), (_, refused) = decided(CERTIFIED, OTHER_DAY)
    assert (refusal_code(mapped), refusal_code(refused)) == ("", "other_day")


def test_a_market_without_a_dated_game_has_no_day() -> None:
    (_, decision) = decided(listed("KXNBA-27-MIA"))[0]
    assert day_of(decision) == ""


def test_unknown_series_codes_and_templates_are_named_once_each() -> None:
    found = {(one.code, one.subject): one for one in unknowns(decided(*ALL, NEW_SERIES))}
    assert set(found) == {
        ("unknown_template", "KXNHLGAME"),
        ("unknown_code", "NHL ZZZNYI"),
        ("unknown_series", "KXWALESPREMGAME"),
    }
    assert found["unknown_series", "KXWALESPREMGAME"].count == 2


def test_the_text_that_was_not_read_is_shown() -> None:
    (one,) = unknowns(decided(UNREAD))
    assert "the Islanders prevail" in one.text
    assert one.example == UNREAD.ticker


def test_a_series_about_no_game_is_no_alarm() -> None:
    assert unknowns(decided(COIN)) == []
