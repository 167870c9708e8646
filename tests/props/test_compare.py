from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.clock import HOUR, Instant
from shared.mapping.mapper import map_markets
from shared.messages import MappingDecided, PropCompared
from shared.props.checks import Rung
from shared.props.compare import Bench, GameLines, compare, namesakes
from shared.terms import FeeType, MarketStatus, Side
from shared.venues.odds_api import wire
from shared.venues.odds_api.normalise import odds_event, odds_seen
from tests.props.build import NOW, SECONDARY, START, odds_row, prop, rung, slate_row

LINES = {"Jayson Tatum": {24.5: (1.70, 2.20)}}


def bench(
    lines: dict[str, dict[float, tuple[float, float]]] | None = None, twins: frozenset[str] = frozenset()
) -> Bench:
    event = msgspec.convert(odds_row(lines or LINES), wire.Event)
    return Bench(GameLines.of(odds_seen(event, NOW)), NOW, None, twins)


def mapping(one: Rung) -> MappingDecided:
    slate = odds_event(msgspec.convert(slate_row(), wire.Event))
    return map_markets([one.prop.market], [slate], NOW)[0]


def weighed(
    one: Rung, against: Bench | None = None, now: Instant = NOW, findings: tuple[str, ...] = ()
) -> PropCompared:
    return compare(one, mapping(one), against or bench(), findings, now)


def test_an_equal_line_gives_edges_both_ways_net_of_fees_and_states() -> None:
    found = weighed(rung(25, 0.48, 0.50))
    assert (found.method, found.tradable, found.reasons) == ("direct", True, ())
    assert found.fair == pytest.approx(0.5662, abs=0.001)
    assert found.fair is not None
    assert found.yes_net_edge is not None
    assert found.no_net_edge is not None
    # 50c plus 1.75c fee; less than the fair value because a tenth of the states pay the price back.
    assert 0.02 < found.yes_net_edge < found.fair - 0.5175
    assert found.no_net_edge < 0 < found.yes_net_edge
    assert {state.state for state in found.differences} == {"player_out", "postponed"}


def test_what_is_executable_is_what_costs_no_more_than_it_is_worth() -> None:
    found = weighed(rung(25, 0.48, 0.50))
    assert (found.yes_quantity, found.no_quantity) == (9_000, 0)


def test_one_line_alone_is_marked_and_never_traded() -> None:
    found = weighed(rung(30, 0.20, 0.22))
    assert (found.method, found.tradable) == ("extrapolated", False)
    assert any(reason.startswith("extrapolated") for reason in found.reasons)


def test_an_unmapped_market_is_compared_with_nobody() -> None:
    one = rung(25)
    found = compare(one, map_markets([one.prop.market], [], NOW)[0], None, (), NOW)
    assert (found.method, found.tradable, found.fair) == ("none", False, None)
    assert found.reasons[0].startswith("unmapped: league_not_in_feed")


def test_an_unknown_player_is_named_as_the_reason() -> None:
    found = weighed(rung(25), bench({"Jaylen Brown": {24.5: (1.9, 1.9)}}))
    assert any(reason.startswith("unknown_player") for reason in found.reasons)


def test_two_players_of_one_name_are_compared_with_nobody() -> None:
    twins = namesakes([prop(25), prop(25, code="MIAJTATUM9")])
    assert twins == {"jaysontatum"}
    found = weighed(rung(25), bench(twins=twins))
    assert any(reason.startswith("namesakes") for reason in found.reasons)
    assert found.fair is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": MarketStatus.CLOSED}, "status"),
        ({"fee_type": FeeType.UNKNOWN}, "fees"),
        ({"rules_secondary": "Nothing about taking part."}, "participation"),
    ],
)
def test_a_contract_that_is_not_understood_is_not_traded(changes: dict[str, Any], reason: str) -> None:
    found = weighed(rung(25, **changes))
    assert not found.tradable
    assert any(one.startswith(reason) for one in found.reasons)


def test_a_game_that_began_is_not_traded() -> None:
    late = Instant(START + HOUR)
    assert any(reason.startswith("started") for reason in weighed(rung(25), now=late).reasons)


def test_a_finding_of_the_checks_is_a_reason() -> None:
    found = weighed(rung(25), findings=("crossed: bid 0.5000, ask 0.4000",))
    assert "check: crossed: bid 0.5000, ask 0.4000" in found.reasons


def test_an_edge_nobody_believes_is_called_too_good() -> None:
    found = weighed(rung(25, 0.20, 0.22))
    assert any(reason.startswith("too_good") for reason in found.reasons)


def test_an_empty_book_has_no_edge() -> None:
    found = weighed(rung(25, None, None))
    assert (found.yes_ask, found.no_ask, found.yes_net_edge, found.no_net_edge) == (None, None, None, None)


def test_rules_that_pay_no_when_the_player_is_out_cost_the_buyer_of_yes() -> None:
    harsh = SECONDARY.replace("settles to a fair price. Once", "resolves to No. Once")
    kind, other = weighed(rung(25)), weighed(rung(25, rules_secondary=harsh))
    assert kind.yes_net_edge is not None
    assert other.yes_net_edge is not None
    assert other.yes_net_edge < kind.yes_net_edge
    assert Side.YES.other is Side.NO
