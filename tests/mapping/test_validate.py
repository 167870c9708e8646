"""The validator finds every contradiction, not only the first."""

from __future__ import annotations

import pytest

from shared.errors import MalformedError
from shared.mapping.tables import load_teams, read_teams
from shared.mapping.validate import problems

HEAD = "name,nickname,kalshi,codes,odds,ids,source\n"


def checked(table: str, *rows: str) -> list[str]:
    return problems({table: read_teams(HEAD + "\n".join(rows) + "\n")})


def test_the_packaged_files_hold_no_contradiction() -> None:
    assert problems() == []


def test_an_alias_of_two_teams_is_named_with_both() -> None:
    found = checked("nba", "Miami Heat,Heat,Miami,MIA,,,seen", "Miami Sharks,Sharks,Miami,MSH,,,seen")
    assert any("nba.csv" in one and "'miami' means 'Miami Heat' and 'Miami Sharks'" in one for one in found)


def test_every_clash_is_found() -> None:
    found = checked(
        "nba", "Miami Heat,Heat,Miami,MIA,,id1,seen", "Miami Sharks,Sharks,Miami,MIA,Heat,id1,seen"
    )
    assert sum("means" in one and one.startswith("nba.csv") for one in found) >= 3


def test_a_code_may_mean_two_clubs_only_in_soccer() -> None:
    rows = ("Arsenal,,Arsenal,XXX,,,seen", "Aston Villa,,Villa,XXX,,,seen")
    assert any("code 'XXX'" in one for one in checked("nba", *rows))
    assert not any("code 'XXX'" in one for one in checked("soccer_england", *rows))


def test_a_clash_between_tables_of_one_league_is_found() -> None:
    found = checked("soccer_italy", "Juventus,,Bayern Munich,JUV,,,seen")
    assert any(one.startswith("Champions League") and "bayern munich" in one for one in found)


def test_a_team_without_a_source_or_with_an_empty_alias_is_named() -> None:
    found = checked("nba", "Miami Heat,Heat,--,MIA,,,")
    assert any("does not say where it was seen" in one for one in found)
    assert any("no letter or digit" in one for one in found)


def test_two_rows_of_one_team_are_named() -> None:
    assert any("two rows" in one for one in checked("nba", "Miami Heat,,,MIA,,,s", "Miami Heat,,,MIH,,,s"))


def test_a_new_table_is_checked_alone() -> None:
    assert checked("rugby_new", "Leeds Rhinos,Rhinos,Leeds,LEE,,,seen") == []
    assert checked("rugby_new", "Leeds,,,LEE,,,s", "Hull,,,LEE,,,s")


@pytest.mark.parametrize("text", ["", "team,code\n", HEAD + "Miami Heat,Heat\n", HEAD + "a,b,c,d,e,f,g,h\n"])
def test_a_torn_table_is_an_error_that_says_what_is_wanted(text: str) -> None:
    with pytest.raises(MalformedError, match="team table"):
        read_teams(text)


def test_a_table_reads_back_as_it_is_packaged() -> None:
    team = load_teams("nba")[0]
    row = ",".join(
        (team.name, team.nickname, "|".join(team.kalshi), "|".join(team.codes), "|".join(team.odds),
         "|".join(team.ids), team.source)
    )  # fmt: skip
    assert read_teams(HEAD + row) == (team,)
