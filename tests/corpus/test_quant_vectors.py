"""The published test vectors of every formula, run against the code that implements it.

``QUANT_VECTORS`` names the file (default: ``quant_vectors.json`` of the corpus). A group that no code answers
is a failure; the only exceptions stand, visible, in ``NOT_YET``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.analytics.clv import closing_value
from shared.analytics.proportion import wilson
from shared.edges.confidence import ConfidenceInputs, confidence, tier
from shared.edges.expected_value import contract_value, executable
from shared.fees.forecastex import ForecastExFees
from shared.fees.kalshi import CLEARED, DIRECT, FeeSchedule, FillFee, OrderFees, Regime, model_fee, trade_fee
from shared.fees.polymarket import PolymarketFees, Rounding
from shared.fees.polymarket_us import PolymarketUsFees
from shared.fees.protocol import FINE, VenueFees, from_fine
from shared.lanes.basket import BasketLeg, walk_basket
from shared.lanes.capital import capital_use
from shared.lanes.certificate import Asks, Node, bucket, chain, tree
from shared.mapping.assignment import assign
from shared.mapping.metrics import match_quality
from shared.mapping.similarity import similarity
from shared.money import (
    LOTS,
    MICROS,
    Quantity,
    Usd,
    format_usd,
    notional,
    parse_price,
    parse_quantity,
    parse_usd,
    price_from_cents,
)
from shared.odds import convert, devig
from shared.odds.consensus import decayed, linear_pool, pool
from shared.odds.robust import spread_of
from shared.props import pricing
from shared.terms import FeeType

pytestmark = pytest.mark.corpus

In = dict[str, Any]
Out = dict[str, Any]
Group = Callable[[In, Out], Out]

QUADRATIC = FeeSchedule(FeeType.QUADRATIC)
CLEARED_QUADRATIC = FeeSchedule(FeeType.QUADRATIC, precision=CLEARED)

# Formulas of rooms that are still being built; nothing here is answered by a stand-in.
NOT_YET = {
    "arb.lp",
    "kelly.binary",
    "kelly.with_position",
    "kelly.ladder",
    "kelly.baker_mchale",
    "kelly.baker_mchale_beta",
    "kelly.joint",
    "kelly.mutually_exclusive",
    "kelly.rck_single",
    "exec.fill_poisson",
    "exec.queue_death",
    "exec.impact",
    "exec.legging",
    "time.regime",
    "alloc.sharpe_se",
    "alloc.sharpe_shrink",
    "alloc.capped",
    "alloc.drawdown",
    "alloc.loss_cap",
    "alloc.exposure",
    "bandit.beta_discounted",
    "bandit.prob_better",
    "monitor.sprt",
    "monitor.cusum",
    "monitor.cusum_arl",
    "monitor.eprocess",
    "monitor.eprocess_mix",
    "metrics.proper",
    "backtest.psr",
    "backtest.dsr",
    "backtest.min_trl",
    "backtest.cluster_bootstrap",
    "pipeline.compose",
}


def number(value: Any) -> float:
    return float(value)


def dollars(amount: int) -> str:
    return format_usd(Usd(amount))


def venue(described: dict[str, Any]) -> VenueFees:
    if described["type"] == "kalshi":
        return QUADRATIC
    assert described["type"] == "polymarket"
    return PolymarketFees(int(Decimal(described["rate"]) * MICROS))


def ladder(levels: list[list[Any]]) -> list[tuple[Any, Any]]:
    return [(parse_price(str(price)), parse_quantity(str(size))) for price, size in levels]


# --- odds ------------------------------------------------------------------------------------------------


def odds_american(given: In, expected: Out) -> Out:
    american = given["american"]
    return {
        "decimal": convert.american_to_decimal(american),
        "prob": convert.american_to_probability(american),
    }


def odds_prob_to_american(given: In, expected: Out) -> Out:
    p = number(given["prob"])
    return {"raw": convert.probability_to_american(p), "display": convert.display_american(p)}


def odds_cents_all_in(given: In, expected: Out) -> Out:
    assert Decimal(given["fee_rate"]) == Decimal("0.07")
    price = price_from_cents(given["cents"])
    fee = CLEARED_QUADRATIC.fee(price, parse_quantity(given["contracts"]))
    all_in = price / MICROS + fee / given["contracts"] / MICROS
    return {
        "display_price_only": convert.display_american(given["cents"] / 100),
        "all_in_price": all_in,
        "american_all_in_raw": convert.probability_to_american(all_in),
    }


def odds_hold(given: In, expected: Out) -> Out:
    odds = [number(text) for text in given["decimals"]]
    return {
        "booksum": convert.booksum(odds),
        "overround": convert.overround(odds),
        "hold": convert.hold(odds),
    }


def devig_all(given: In, expected: Out) -> Out:
    odds = [number(text) for text in given["decimals"]]
    fair = devig.devig_all(odds)
    assert fair.power == pytest.approx(devig.power(odds), abs=1e-15)
    return {
        "multiplicative": fair.multiplicative,
        "additive": devig.additive(odds),
        "power": fair.power,
        "power_k": devig.power_exponent(odds),
        "shin": fair.shin,
        "shin_z": devig.shin_share(odds),
        "odds_ratio": fair.odds_ratio,
        "odds_ratio_c": devig.odds_ratio_divisor(odds),
        "probit": devig.probit(odds),
        "probit_t": devig.probit_shift(odds),
        "goto": devig.goto(odds),
    }


def devig_additive_negative(given: In, expected: Out) -> Out:
    shares, valid = devig.additive_shares([number(text) for text in given["decimals"]])
    return {"additive": shares, "valid": valid}


def consensus_pool(given: In, expected: Out) -> Out:
    probabilities = [number(book["p"]) for book in given["books"]]
    weights = [book["sharp"] * decayed(book["age_s"], given["half_life_s"]) for book in given["books"]]
    pooled = pool(probabilities, weights)
    return {
        "weights": pooled.weights,
        "logit": pooled.logit,
        "p_log_pool": pooled.probability,
        "p_linear_pool": linear_pool(probabilities, weights),
        "n_eff": pooled.effective,
        "sd_logit": pooled.logit_deviation,
        "se_p": pooled.standard_error,
    }


def robust_trim(given: In, expected: Out) -> Out:
    values = [number(text) for text in given["xs"]]
    spread = spread_of(values)
    clipped = [spread.clip(value) for value in values]
    return {
        "median": spread.median,
        "mad": spread.mad,
        "modified_z": spread.modified_z,
        "keep_mad": spread.keep_mad(),
        "q1": spread.q1,
        "q3": spread.q3,
        "fence_lo": spread.fence_low,
        "fence_hi": spread.fence_high,
        "keep_iqr": spread.keep_fences(values),
        "winsorised": clipped,
        "mean_winsorised": sum(clipped) / len(clipped),
    }


# --- fees ------------------------------------------------------------------------------------------------


def fee_kalshi_single_fill(given: In, expected: Out) -> Out:
    price, quantity = parse_price(given["price"]), parse_quantity(str(given["count"]))
    multiplier = int(Decimal(given.get("M", "1")) * MICROS)
    kind, is_taker = FeeType(given.get("ftype", "quadratic")), given.get("liq") != "maker"
    direct = FeeSchedule(kind, multiplier, DIRECT)
    cleared = FeeSchedule(kind, multiplier, CLEARED)
    return {
        "non_direct": dollars(OrderFees(cleared).charge(price, quantity, is_taker=is_taker)),
        "trade_fee": dollars(trade_fee(direct, price, quantity, is_taker)),
        "direct": dollars(OrderFees(direct).charge(price, quantity, is_taker=is_taker)),
        "model_fee": str(_decimal(model_fee(direct, price, quantity, is_taker))),
    }


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _row(charged: FillFee) -> Out:
    return {
        "trade_fee": dollars(charged.trade_fee),
        "rounding_fee": dollars(charged.rounding_fee),
        "rebate": dollars(charged.rebate),
        "net_fee": dollars(charged.net),
        "carried": dollars(charged.carried),
    }


def fee_kalshi_order(given: In, expected: Out) -> Out:
    precision = DIRECT if given.get("member") == "direct" else CLEARED
    schedule = FeeSchedule(FeeType.QUADRATIC, precision=precision, regime=Regime(given["regime"]))
    order, rows = OrderFees(schedule), []
    fills = [(parse_price(fill["price"]), parse_quantity(str(fill["count"]))) for fill in given["fills"]]
    for price, quantity in fills:
        fee = trade_fee(schedule, price, quantity)
        rows.append(_row(order.settle(fee, Usd(-notional(price, quantity)))))
    whole = Quantity(sum(quantity for _, quantity in fills))
    return {
        "rows": rows,
        "total_net": dollars(order.total),
        "single_fill_equivalent": dollars(schedule.fee(fills[0][0], whole)),
    }


def fee_kalshi_rounding_mechanics(given: In, expected: Out) -> Out:
    schedule = FeeSchedule(FeeType.QUADRATIC, precision=CLEARED, regime=Regime(given["regime"]))
    order, rows = OrderFees(schedule), []
    fee, revenue = parse_usd(given["trade_fee"]), parse_usd(given["revenue"])
    for _ in range(given["n"]):
        charged = order.settle(fee, revenue)
        rows.append(
            {
                "rounding_fee": dollars(charged.rounding_fee),
                "acc_before": dollars(charged.carried + charged.rebate),
                "rebate": dollars(charged.rebate),
                "net_fee": dollars(charged.net),
                "aligned_change": dollars(revenue - charged.trade_fee - charged.rounding_fee),
            }
        )
    return {"rows": rows}


def fee_polymarket(given: In, expected: Out) -> Out:
    price, quantity = parse_price(given["price"]), parse_quantity(str(given["count"]))
    rate = int(Decimal(given["rate"]) * MICROS)
    exponent = int(given.get("exponent", 1))
    linear = PolymarketFees(rate, exponent).all_in(price) - price * (FINE // MICROS)
    answer: Out = {"exact": str(Decimal(linear * quantity) / (FINE * LOTS))}
    for key, rounding in (
        ("floor_5dp", Rounding.FLOOR),
        ("half_up_5dp", Rounding.HALF_UP),
        ("ceil_5dp", Rounding.CEIL),
    ):
        answer[key] = dollars(PolymarketFees(rate, exponent, rounding).fee(price, quantity))
    return answer


def fee_polymarket_us(given: In, expected: Out) -> Out:
    price, quantity = parse_price(given["price"]), parse_quantity(str(given["count"]))
    is_taker, fees = given.get("liq") != "maker", PolymarketUsFees()
    rate = fees.taker_micro if is_taker else fees.maker_micro
    exact = Decimal(rate * quantity * price * (MICROS - price)) / (LOTS * MICROS**3)
    return {"exact": str(exact), "cent_half_even": dollars(fees.charge(price, quantity, is_taker))}


def fee_breakeven_prob(given: In, expected: Out) -> Out:
    price, quantity = parse_price(given["price"]), parse_quantity(str(given["count"]))
    listed = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, precision=CLEARED)
    maker = OrderFees(listed).charge(price, quantity, is_taker=False)

    def spread_over(fee: int) -> float:
        return price / MICROS + fee * LOTS / quantity / MICROS

    return {
        "kalshi_taker_non_direct": spread_over(CLEARED_QUADRATIC.fee(price, quantity)),
        "kalshi_taker_direct": spread_over(QUADRATIC.fee(price, quantity)),
        "kalshi_maker_qwm": spread_over(maker),
        "polymarket_sports_0.05": from_fine(PolymarketFees(50_000).all_in(price)),
        "polymarket_sports_0.03": from_fine(PolymarketFees(30_000).all_in(price)),
        "polymarket_politics_0.04": from_fine(PolymarketFees(40_000).all_in(price)),
        "polymarket_crypto_0.07": from_fine(PolymarketFees(70_000).all_in(price)),
        "polymarket_us": from_fine(PolymarketUsFees().all_in(price)),
        "forecastex": spread_over(ForecastExFees().fee(price, quantity)),
    }


# --- edges and lanes -------------------------------------------------------------------------------------


def edge_binary(given: In, expected: Out) -> Out:
    fees, price = venue(given["venue"]), parse_price(given["ask"])
    value = contract_value(number(given["p"]), price, fees)
    offered = executable(number(given["p"]), [(price, parse_quantity(str(given["count"])))], fees)
    total = offered.expected_value if value.net_edge > 0 else value.net_edge * given["count"]
    return {
        "all_in": value.all_in,
        "ev_per_contract": value.net_edge,
        "roi": value.roi,
        "breakeven_prob": value.all_in,
        "gross_edge": value.gross_edge,
        "fee_per_contract": value.fee,
        "ev_total": total,
    }


def edge_walk_book(given: In, expected: Out) -> Out:
    largest = parse_quantity(str(given["max_qty"])) if "max_qty" in given else None
    found = executable(number(given["p"]), ladder(given["levels"]), venue(given["venue"]), largest)
    return {
        "qty": found.quantity / LOTS,
        "notional": found.taken.cost / MICROS,
        "fees": found.model_fee,
        "vwap": found.average_price,
        "ev": found.expected_value,
    }


def arb_basket(given: In, expected: Out) -> Out:
    legs = [BasketLeg(ladder(leg["levels"]), venue(leg["venue"])) for leg in given["legs"]]
    walked = walk_basket(legs, given["payoff"])
    return {
        "size": walked.quantity / LOTS,
        "notional": walked.notional,
        "fees": walked.fees,
        "profit": walked.profit,
        "top_cost": walked.top_cost,
    }


def _cost(text: str | None) -> int | None:
    return None if text is None else QUADRATIC.all_in(parse_price(text))


def _node(described: dict[str, Any]) -> Node:
    return Node(
        described["name"] or "",
        Asks(_cost(described.get("yes")), _cost(described.get("no"))),
        tuple(_node(child) for child in described.get("children", ())),
        bool(described.get("exhaustive", False)),
    )


def _mass(amount: int) -> str:
    return str(Decimal(amount) / FINE)


def arb_certificate(given: In, expected: Out) -> Out:
    if given["kind"] == "tree":
        grown = tree(_node(given["tree"]))
        return {
            "lower_mass": _mass(grown.lower),
            "upper_mass": _mass(grown.upper),
            "violated_nodes": list(grown.violated),
            "is_arbitrage": grown.is_arbitrage,
        }
    asks = [Asks(_cost(yes), _cost(no)) for yes, no in zip(given["yes"], given["no"], strict=True)]
    if given["kind"] == "chain":
        linked = chain(asks)
        pairs = [list(pair) for pair in linked.violating_pairs]
        return {"violating_pairs": pairs, "is_arbitrage": linked.is_arbitrage}
    rules = {
        "bucket_exhaustive": (True, True),
        "bucket_exclusive_only": (True, False),
        "bucket_exhaustive_only": (False, True),
    }
    exclusive, exhaustive = rules[given["kind"]]
    found = bucket(asks, exclusive=exclusive, exhaustive=exhaustive)
    return {
        "sum_lower": _mass(found.sum_lower),
        "sum_upper": _mass(found.sum_upper),
        "crossed": list(found.crossed),
        "is_arbitrage": found.is_arbitrage,
    }


def arb_capital(given: In, expected: Out) -> Out:
    used = capital_use(
        number(given["profit"]),
        number(given["capital"]),
        given["days"],
        number(given["hurdle"]),
        number(given.get("carry", 0)),
    )
    return {
        "ret": used.ret,
        "simple_ann": used.simple_annual,
        "compound_ann": used.compound_annual,
        "capital_charge": used.charge,
        "net_profit": used.net_profit,
        "breakeven_days": used.breakeven_days,
    }


def score_confidence(given: In, expected: Out) -> Out:
    score = confidence(
        ConfidenceInputs(
            net_edge=given["net_edge_c"] / 100,
            effective_books=given["n_eff"],
            book_range=given["range_c"] / 100,
            depth=given["depth"],
            order=given["order"],
            spread=given["spread_c"] / 100,
            hours_to_start=given["hours"],
            quote_age_s=given["age_s"],
            half_life_s=given["half_life_s"],
        )
    )
    return {
        "edge": score.edge,
        "consensus": score.consensus,
        "liquidity": score.liquidity,
        "timing": score.timing,
        "score": score.total,
        "tier": tier(score.total),
    }


# --- props, matching, metrics ----------------------------------------------------------------------------


def props_threshold(given: In, expected: Out) -> Out:
    if given["kind"] == "at_least":
        made = pricing.threshold_at_least(given["text_threshold"])
    else:
        made = pricing.threshold_over(given["text_threshold"])
    answer: Out = {"at_least": made.at_least, "over_line": made.over_line}
    if "push_possible" in expected:
        answer["push_possible"] = made.push_possible
    return answer


def props_poisson(given: In, expected: Out) -> Out:
    made = pricing.poisson(number(given["line"]), number(given["p_over"]), given["threshold"])
    return {"lam": made.centre, "p_at_least": made.at_least}


def props_negbin(given: In, expected: Out) -> Out:
    made = pricing.negative_binomial(
        number(given["line"]), number(given["p_over"]), given["threshold"], number(given["r"])
    )
    return {"mu": made.centre, "var": made.scale**2, "p_at_least": made.at_least}


def props_normal(given: In, expected: Out) -> Out:
    made = pricing.normal(
        number(given["line"]), number(given["p_over"]), given["threshold"], number(given["sigma"])
    )
    return {"mu": made.centre, "p_at_least": made.at_least}


def _two_lines(given: In) -> tuple[tuple[float, float], tuple[float, float]]:
    first = number(given["l1"]), number(given["p1"])
    return first, (number(given["l2"]), number(given["p2"]))


def props_normal_two_lines(given: In, expected: Out) -> Out:
    made = pricing.normal_two_lines(*_two_lines(given), given["threshold"])
    return {"mu": made.centre, "sigma": made.scale, "p_at_least": made.at_least}


def props_logit_interp(given: In, expected: Out) -> Out:
    return {"p": pricing.interpolate(*_two_lines(given), number(given["x"]))}


def props_liquidity(given: In, expected: Out) -> Out:
    return {"tier": pricing.liquidity_tier(parse_quantity(str(given["contracts"])))}


def match_rapidfuzz(given: In, expected: Out) -> Out:
    found = similarity(given["a"], given["b"])
    return {
        "ratio": found.ratio,
        "token_sort_ratio": found.token_sort,
        "token_set_ratio": found.token_set,
        "WRatio": found.weighted,
    }


def match_assignment(given: In, expected: Out) -> Out:
    chosen = assign(given["score"], given["threshold"])
    total = sum(row[column] for row, column in zip(given["score"], chosen, strict=True) if column is not None)
    return {"assignment": chosen, "total": total}


def match_metrics(given: In, expected: Out) -> Out:
    found = match_quality(given["pred"], given["truth"])
    return {
        "tp": found.true_positive,
        "fp": found.false_positive,
        "fn": found.false_negative,
        "precision": found.precision,
        "recall": found.recall,
        "coverage": found.coverage,
    }


def metrics_clv(given: In, expected: Out) -> Out:
    value = closing_value(number(given["all_in"]), number(given["close_fair"]))
    return {"clv_prob": value.probability, "clv_roi": value.roi, "clv_logodds": value.log_odds}


def metrics_wilson(given: In, expected: Out) -> Out:
    low, high = wilson(given["k"], given["n"], number(given["conf"]))
    return {"lo": low, "hi": high}


GROUPS: dict[str, Group] = {
    "odds.american": odds_american,
    "odds.prob_to_american": odds_prob_to_american,
    "odds.cents_all_in": odds_cents_all_in,
    "odds.hold": odds_hold,
    "devig.all": devig_all,
    "devig.additive_negative": devig_additive_negative,
    "consensus.pool": consensus_pool,
    "robust.trim": robust_trim,
    "fee.kalshi_single_fill": fee_kalshi_single_fill,
    "fee.kalshi_order": fee_kalshi_order,
    "fee.kalshi_rounding_mechanics": fee_kalshi_rounding_mechanics,
    "fee.polymarket": fee_polymarket,
    "fee.polymarket_us": fee_polymarket_us,
    "fee.breakeven_prob": fee_breakeven_prob,
    "edge.binary": edge_binary,
    "edge.walk_book": edge_walk_book,
    "arb.basket": arb_basket,
    "arb.certificate": arb_certificate,
    "arb.capital": arb_capital,
    "score.confidence": score_confidence,
    "props.threshold": props_threshold,
    "props.poisson": props_poisson,
    "props.negbin": props_negbin,
    "props.normal": props_normal,
    "props.normal_two_lines": props_normal_two_lines,
    "props.logit_interp": props_logit_interp,
    "props.liquidity": props_liquidity,
    "match.rapidfuzz": match_rapidfuzz,
    "match.assignment": match_assignment,
    "match.metrics": match_metrics,
    "metrics.clv": metrics_clv,
    "metrics.wilson": metrics_wilson,
}


def corpus_root() -> Path:
    return Path(os.environ.get("CORPUS_DIR") or Path(__file__).parents[3] / "shared" / "data")


@cache
def vectors() -> list[dict[str, Any]]:
    named = os.environ.get("QUANT_VECTORS")
    path = Path(named) if named else corpus_root() / "quant_vectors.json"
    if not named and not path.exists():
        return []  # the tests below are then skipped; a file that was named must be there
    groups: list[dict[str, Any]] = json.loads(path.read_text())["groups"]
    return groups


def cases() -> Iterator[Any]:
    for group in vectors():
        for case in group["cases"]:
            yield pytest.param(group["id"], group["tolerance"], case, id=case["id"])


def check_case(group: str, tolerance: float, case: dict[str, Any]) -> None:
    assert group in GROUPS, f"no code answers the group {group}"
    answer = GROUPS[group](case["in"], case["out"])
    assert answer.keys() == case["out"].keys()
    compare(answer, case["out"], tolerance, case["id"])


def compare(found: Any, expected: Any, tolerance: float, where: str) -> None:
    """Same shape; numbers within the tolerance, as exact decimals where it is zero."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            compare(found[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for index, value in enumerate(expected):
            compare(found[index], value, tolerance, f"{where}[{index}]")
    elif expected is None or isinstance(expected, bool) or not _is_number(expected):
        assert found == expected, where
    elif tolerance == 0:
        assert Decimal(str(found)) == Decimal(str(expected)), where
    else:
        assert abs(float(found) - float(expected)) <= tolerance * max(1.0, abs(float(expected))), where


def _is_number(value: Any) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False


@pytest.mark.parametrize(("group", "tolerance", "case"), list(cases()))
def test_the_code_gives_the_published_value(group: str, tolerance: float, case: dict[str, Any]) -> None:
    if group in NOT_YET:
        pytest.xfail(f"{group} is not built yet")
    check_case(group, tolerance, case)


def test_a_group_that_no_code_answers_fails() -> None:
    with pytest.raises(AssertionError, match="no code answers"):
        check_case("unheard.of", 0, {"id": "unheard.of#1", "in": {}, "out": {}})


def test_a_wrong_value_fails() -> None:
    with pytest.raises(AssertionError):
        check_case(
            "metrics.wilson",
            1e-10,
            {"id": "w", "in": {"k": 17, "n": 40, "conf": "0.95"}, "out": {"lo": 0.2851, "hi": 0.578}},
        )


def test_no_group_is_both_built_and_not_yet() -> None:
    assert not NOT_YET & GROUPS.keys()
