"""Kalshi's trading fee: model fee of each fill, its rounding and the order's rebate, in exact integers.

Source: the exchange's fee schedule (July 2026) and its "Fee Rounding" documentation page. The model fee in
dollars is ``M * k * C * P * (1 - P)``; M is the multiplier of the series or event, k is 0.07 for takers and
0, 0.0175 or 0.035 for makers by fee type. Recorded fills 1 @ $0.52 -> $0.0175 and 243.12 @ $0.29 -> $3.5041
are reproduced exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from shared.clock import Instant
from shared.errors import MalformedError
from shared.fees.protocol import FINE_PER_MICRO, Level, ceil_div, check_fill, day
from shared.money import LOTS, MICROS, Price, Quantity, Usd, notional
from shared.terms import FeeType

DIRECT = Usd(100)  # ordinary API accounts keep balances in $0.0001
CLEARED = Usd(10_000)  # accounts behind a clearing broker keep them in $0.01

_CENT = 10_000
_TAKER_RATE = 700  # 0.07, in 1e-4
_MAKER_RATES = {
    FeeType.QUADRATIC: 0,
    FeeType.QUADRATIC_WITH_MAKER_FEES: 175,
    FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: 350,
}
# multiplier (1e-6) x rate (1e-4) x lots (1e-2) x price x (1 - price) (1e-6 each), counted in micro-dollars
_MODEL_SCALE = 10**6 * 10**4 * LOTS * MICROS
# Multipliers of 0, 0.5 and 1 are in use (October 2026); beyond 10 the cost would stop growing with the price.
_MAX_MULTIPLIER = 10 * MICROS


class Regime(StrEnum):
    """Which rounding rule is in force."""

    CENT = "cent"
    MARCH_2026 = "2026-03"
    SEPTEMBER_2026 = "2026-09"


# Smallest step of a fill's trade fee, micro-dollars.
_TRADE_STEP = {Regime.CENT: _CENT, Regime.MARCH_2026: 100, Regime.SEPTEMBER_2026: 1}


# The exchange published no switch-over moments; these are the months in which its pages changed.
_MARCH_2026 = day(2026, 3, 1)
_SEPTEMBER_2026 = day(2026, 9, 1)
_DIRECT_PRECISION_SINCE = day(2026, 5, 28)


def regime_on(instant: Instant) -> Regime:
    """Rounding rule in force at ``instant``."""
    if instant < _MARCH_2026:
        return Regime.CENT
    return Regime.MARCH_2026 if instant < _SEPTEMBER_2026 else Regime.SEPTEMBER_2026


def precision_on(instant: Instant, is_direct: bool = True) -> Usd:
    """Balance step of an account at ``instant``: direct members moved to $0.0001 on 2026-05-28."""
    return DIRECT if is_direct and instant >= _DIRECT_PRECISION_SINCE else CLEARED


def schedule_problem(fee_type: FeeType, multiplier_micro: int | None) -> str:
    """Why a market with these fee parameters must not be traded; empty if it may."""
    if fee_type not in _MAKER_RATES:
        return f"fee type {fee_type.value} has no published formula"
    if multiplier_micro is None:
        return "fee multiplier is missing"
    if not 0 <= multiplier_micro <= _MAX_MULTIPLIER:
        return f"fee multiplier {multiplier_micro} millionths is implausible"
    return ""


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Fee parameters of one market: type, multiplier in millionths, account's balance step, rounding rule.

    Any parameters can be held; charging by ones that :func:`schedule_problem` names raises.
    """

    fee_type: FeeType
    multiplier_micro: int = MICROS
    precision: Usd = DIRECT
    regime: str = Regime.SEPTEMBER_2026

    @property
    def problem(self) -> str:
        """Why this market must not be traded; empty if it may."""
        return schedule_problem(self.fee_type, self.multiplier_micro)

    @property
    def tradable(self) -> bool:
        """Whether the fee is known."""
        return not self.problem

    def all_in(self, price: Price) -> int:
        """Price plus taker model fee of one contract, in fine units (1e-22 dollars), exact."""
        return price * FINE_PER_MICRO + _factor(self, True) * price * (MICROS - price)

    def fee(self, price: Price, quantity: Quantity) -> Usd:
        """Charge of a taker buy that fills at once at one price."""
        return OrderFees(self).charge(price, quantity)

    def budget(self, levels: Sequence[Level]) -> Usd:
        """See :func:`order_budget`."""
        return order_budget(self, levels)


def schedule_for(
    fee_type: FeeType, multiplier_micro: int | None, at: Instant, is_direct: bool = True
) -> FeeSchedule:
    """Schedule in force at ``at``; raises :class:`MalformedError` with the reason if it is not tradable."""
    problem = schedule_problem(fee_type, multiplier_micro)
    if problem or multiplier_micro is None:
        raise MalformedError(f"fees: {problem}")
    return FeeSchedule(fee_type, multiplier_micro, precision_on(at, is_direct), regime_on(at))


def waived(schedule: FeeSchedule, waived_until: Instant | None, at: Instant) -> FeeSchedule:
    """The schedule with no fee while a market's waiver runs.

    For ledgers and replays. Which fees a waiver covers is not documented, so budgets should not count on it.
    """
    if waived_until is None or at >= waived_until:
        return schedule
    return replace(schedule, multiplier_micro=0)


def _factor(schedule: FeeSchedule, is_taker: bool) -> int:
    problem = schedule.problem
    if problem:
        raise MalformedError(f"fees: {problem}")
    rate = _TAKER_RATE if is_taker else _MAKER_RATES[schedule.fee_type]
    return schedule.multiplier_micro * rate


def _trade_step(schedule: FeeSchedule) -> int:
    try:
        return _TRADE_STEP[Regime(schedule.regime)]
    except ValueError as exc:
        raise MalformedError(f"fees: unknown rounding rule {schedule.regime!r}") from exc


def _model(schedule: FeeSchedule, price: Price, quantity: Quantity, is_taker: bool) -> int:
    check_fill(price, quantity)
    return _factor(schedule, is_taker) * quantity * price * (MICROS - price)


def model_fee(schedule: FeeSchedule, price: Price, quantity: Quantity, is_taker: bool = True) -> Fraction:
    """Dollars of the published formula before any rounding, exact."""
    return Fraction(_model(schedule, price, quantity, is_taker), _MODEL_SCALE * MICROS)


def trade_fee(schedule: FeeSchedule, price: Price, quantity: Quantity, is_taker: bool = True) -> Usd:
    """Model fee of one fill, rounded up as the rule in force says; balance rounding not included.

    Raises :class:`MalformedError` for an untradable schedule, a price outside $0…$1 or a negative quantity.
    """
    step = _trade_step(schedule)
    return Usd(ceil_div(_model(schedule, price, quantity, is_taker), _MODEL_SCALE * step) * step)


@dataclass(frozen=True, slots=True)
class FillFee:
    """Parts of what one fill is charged, micro-dollars. ``carried`` is the accumulator afterwards."""

    trade_fee: Usd
    rounding_fee: Usd
    rebate: Usd
    carried: Usd

    @property
    def net(self) -> Usd:
        """What the exchange reports as the fill's fee cost."""
        return Usd(self.trade_fee + self.rounding_fee - self.rebate)


class OrderFees:
    """Fees of one order: its fills, taker and maker alike, share one accumulator of rounding."""

    __slots__ = ("_carried", "_schedule", "_total")

    def __init__(self, schedule: FeeSchedule) -> None:
        self._schedule = schedule
        self._carried = 0
        self._total = 0

    @property
    def total(self) -> Usd:
        """Net fees charged so far."""
        return Usd(self._total)

    def charge(self, price: Price, quantity: Quantity, buying: bool = True, is_taker: bool = True) -> Usd:
        """Net fee of the next fill of this order."""
        fee = trade_fee(self._schedule, price, quantity, is_taker)
        cash = notional(price, quantity)
        return self.settle(fee, Usd(-cash if buying else cash)).net

    def settle(self, fee: Usd, revenue: Usd) -> FillFee:
        """Round the balance change of a fill with a known trade fee; ``revenue`` is negative for a buyer."""
        rounding = self._rounding(revenue - fee)
        self._carried += rounding
        rebate = self._rebate(fee + rounding)
        self._carried -= rebate
        charged = FillFee(fee, Usd(rounding), Usd(rebate), Usd(self._carried))
        self._total += charged.net
        return charged

    def _rounding(self, change: int) -> int:
        if self._schedule.regime == Regime.CENT:
            return 0
        return change % self._schedule.precision  # Python's modulo floors toward minus infinity

    def _rebate(self, gross: int) -> int:
        if self._schedule.regime == Regime.MARCH_2026:
            return _CENT if self._carried > _CENT and gross >= _CENT else 0
        step = self._schedule.precision
        return min(self._carried // step, gross // step) * step


def order_budget(schedule: FeeSchedule, levels: Sequence[Level], is_taker: bool = True) -> Usd:
    """Upper bound of an order's net fee, before trading.

    Per level: the model fee rounded up, one trade-fee step for each contract (a level may fill in as many
    pieces) and what the accumulator can keep. It holds for every split into fills of at least one contract
    that each cost a whole multiple of the balance step, or whose trade fee is at least that step.
    """
    step = _trade_step(schedule)
    kept = {Regime.CENT: 0, Regime.MARCH_2026: 2 * _CENT}.get(Regime(schedule.regime), schedule.precision)
    return Usd(
        sum(
            trade_fee(schedule, price, quantity, is_taker) + ceil_div(quantity, LOTS) * step + kept
            for price, quantity in levels
        )
    )
