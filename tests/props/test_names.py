from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.props.names import lookup_key, resolve


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Luka Dončić", "Luka Doncic"),
        ("Jeremy Peña", "Jeremy Pena"),
        ("Jaren Jackson Jr.", "Jaren Jackson"),
        ("Robert Williams III", "Robert Williams"),
        ("A.J. Green", "AJ Green"),
        ("C. J. McCollum", "CJ McCollum"),
        ("Pete Crow-Armstrong", "Pete Crow Armstrong"),
        ("De'Aaron Fox", "DeAaron Fox"),
        ("Hao-Yu Lee", "Hao Yu Lee"),
        ("Ja’Marr Chase", "Ja'Marr Chase"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert lookup_key(one) == lookup_key(other) != ""


@pytest.mark.parametrize(
    ("asked", "listed", "how"),
    [
        ("Herbert Jones", "Herb Jones", "short form"),
        ("Nicolas Claxton", "Nic Claxton", "short form"),
        ("Cameron Johnson", "Cam Johnson", "short form"),
        ("L. Doncic", "Luka Dončić", "initial"),
        ("Elly Antonio De La Cruz", "Elly De La Cruz", "name left out"),
        ("Luis Robert", "Luis Robert Jr.", "same name"),
    ],
)
def test_a_name_means_the_only_player_it_fits(asked: str, listed: str, how: str) -> None:
    found = resolve(asked, ["Derrick Jones", "Jaylin Williams", listed])
    assert (found.name, found.how) == (listed, how)


@pytest.mark.parametrize(
    ("asked", "among", "why"),
    [
        ("J. Williams", ["Jalen Williams", "Jaylin Williams"], "ambiguous"),
        ("Max Muncy", ["Max Muncy", "Max Muncy (2002)"], "namesakes"),
        ("Max Muncy", ["Max Muncy (2002)"], "namesake"),
        ("Gary Payton II", ["Gary Payton Jr."], "namesake"),
        ("Jalen Williams", ["Jaylin Williams"], "unknown_player"),
        ("Williams", ["Jalen Williams"], "unknown_player"),
        ("J. J.", ["J. Johnson"], "unknown_player"),
        ("", ["Jalen Williams"], "unknown_player"),
        ("?!", ["Jalen Williams"], "unknown_player"),
        ("Jalen Williams", [], "unknown_player"),
    ],
)
def test_what_is_not_certain_is_refused_with_the_reason(asked: str, among: list[str], why: str) -> None:
    found = resolve(asked, among)
    assert (found.name, found.how.split(":")[0]) == ("", why)


def test_a_suffix_decides_between_father_and_son() -> None:
    assert resolve("Gary Payton II", ["Gary Payton", "Gary Payton II"]).name == "Gary Payton II"


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=6))
def test_no_text_breaks_the_search_and_a_find_is_one_of_the_names(text: str, among: list[str]) -> None:
    assert resolve(text, among).name in ("", *among)
