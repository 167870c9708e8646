"""What must always be true, each as one small function that says what is wrong, or nothing.

They judge by the exchange's own orders, fills, positions and cash, and by what is durable in the store; never
by what a process believes. Numbers in brackets are those of the design's list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from shared.clock import SECOND, Instant, eastern_day
from shared.money import LOTS, Usd, format_usd, parse_price, parse_quantity, parse_usd
from shared.risk.controls import CONTROLS
from shared.simulator.accounts import Position
from shared.simulator.tickets import MemberOrder
from shared.terms import OrderStatus
from tests.simulation.case import Case, Doubted, Intent, Sent, cost_of, open_cost, realized

# A decision was made on what was known when it began; a reservation may lose races for five seconds after.
_DECISION_S = 6.0
# A halt must be known everywhere by then: one look at the store while it may be slow, and the way there.
_HALT_S = 6.0
_CONTROLS = frozenset(control.__name__ for control in CONTROLS)

Found = Iterator[str]
Question = Callable[[Case, Any], Found]

# --- when an intent is stored ------------------------------------------------------------------------------


def unknown_blocks_its_market(case: Case, intent: Intent) -> Found:
    """[4] While the end of an order is not known, its market gets no other."""
    for other in case.intents.values():
        if other.proposal.ticker == intent.proposal.ticker and other is not intent and not other.is_over:
            yield f"{intent.order_id} although {other.order_id} in {other.proposal.ticker} is {other.status}"


def intent_is_reserved(case: Case, intent: Intent) -> Found:
    """[2] An intent and its reservation come together."""
    if intent.order_id not in case.raw_book()["reserved"]:
        yield f"{intent.order_id} is stored without a reservation"


def approval_names_every_control(case: Case, intent: Intent) -> Found:
    """[1] No order without an approval that names every control."""
    missing = _CONTROLS - intent.controls
    if missing:
        yield f"{intent.order_id} does not name {', '.join(sorted(missing))}"


def identity_is_derived(case: Case, intent: Intent) -> Found:
    """[3] An order's id comes from signal, leg and attempt, so that a retry cannot be another order."""
    if case.signal_of(intent.order_id) != intent.signal_id:
        yield f"{intent.order_id} is no attempt at signal {intent.signal_id}"


def useless_signals_are_not_traded(case: Case, intent: Intent) -> Found:
    """[9] Nothing is made of a malformed, stale or impossible signal."""
    if intent.signal_id in case.bad_signals:
        yield f"{intent.order_id} for a signal with {case.bad_signals[intent.signal_id]}"


def orders_keep_to_their_signal(case: Case, intent: Intent) -> Found:
    """[9] Never more than a signal wants in all, nor at a worse price, however often it is told."""
    signal = case.signals.get(intent.signal_id)
    if signal is None:
        yield f"{intent.order_id} for a signal that nobody raised"
        return
    if intent.proposal.limit > signal.limit or intent.proposal.side is not signal.side:
        yield f"{intent.order_id} goes beyond its signal's limit"
    of_it = [one for one in case.intents.values() if one.signal_id == intent.signal_id]
    most = sum(one.filled if one.is_over else one.proposal.quantity for one in of_it)
    if most > signal.quantity:
        yield f"signal {signal.signal_id} wants {signal.quantity} lots, its orders could make {most}"


def withdrawn_signals_are_not_traded(case: Case, intent: Intent) -> Found:
    """[9] What a process knows to have lost its ground is not worked, unless it has ground again."""
    signal, by = case.signals.get(intent.signal_id), case.opened_by[intent.order_id]
    known = [one for one in case.weighed if one.by is by and signal and one.concerns(signal)]
    last = max(known, key=lambda one: one.assessed.observed_at, default=None)
    if last is not None and not last.assessed.accepted and case.now - last.at > _DECISION_S:
        yield f"{intent.order_id} {case.now - last.at:.1f} s after its signal was withdrawn"


def lower_epochs_are_fenced(case: Case, intent: Intent) -> Found:
    """[5] Once a higher epoch has reserved, a lower one reserves nothing."""
    epoch = case.epochs[intent.order_id]
    if epoch < max(case.epochs.values()):
        yield f"{intent.order_id} of epoch {epoch} after one of {max(case.epochs.values())}"
    if not epoch:
        yield f"{intent.order_id} by one who never held the lease"


def only_whole_books_are_traded(case: Case, intent: Intent) -> Found:
    """[10] Nothing is decided on a book of which the process knows that it is not whole."""
    by, ticker = case.opened_by[intent.order_id], intent.proposal.ticker
    if by is None:
        return
    lines = [line for line in case.exchange.lines if line.owner is by and line.is_open]
    if any(line.is_suspect(ticker, case.now - _DECISION_S) for line in lines):
        yield f"{intent.order_id} on the book of {ticker}, which has a gap"
    if lines and all(case.now - line.heard_at > 25 + _DECISION_S for line in lines):
        yield f"{intent.order_id} although nothing was heard of {ticker} for half a minute"


def order_rate_holds(case: Case, intent: Intent) -> Found:
    """[5] Never more orders in a minute than the limit, by true time."""
    if any(fault.kind == "clock_jump" for fault in case.plan.faults):
        return
    skew = 2 * max(abs(one) for one in case.plan.skews)
    times = sorted(_true_time(case, one) for one in case.intents.values())
    most = case.limits.max_orders_per_minute
    for first, last in zip(times, times[most:], strict=False):
        if last - first < 60 - skew - 0.01:
            yield f"{most + 1} orders within {last - first:.2f} s"
            return


def _true_time(case: Case, intent: Intent) -> float:
    by = case.opened_by[intent.order_id]
    offset = by.machine.clock.offset_us if by else 0
    return (intent.proposal.at - offset - case.start) / SECOND


def counts_of_the_day_hold(case: Case, intent: Intent) -> Found:
    """[5] Orders and contracts of the day."""
    today = [one for one in case.intents.values() if _day(one) == _day(intent)]
    if len(today) > case.limits.max_trades_per_day:
        yield f"{len(today)} orders today, limit {case.limits.max_trades_per_day}"
    volume = sum(one.proposal.quantity for one in today)
    if volume > case.limits.max_quantity_per_day:
        yield f"{volume} lots today, limit {case.limits.max_quantity_per_day}"


def canary_orders_are_small(case: Case, intent: Intent) -> Found:
    """[5] Until so many orders have filled, one contract each."""
    filled = sum(one.status is OrderStatus.FILLED for one in case.intents.values())
    if filled < case.plan.canary and intent.proposal.quantity > LOTS:
        yield f"{intent.order_id} for {intent.proposal.quantity} lots after {filled} clean fills"


def _day(intent: Intent) -> str:
    return eastern_day(Instant(intent.proposal.at))


ON_INTENT: tuple[Question, ...] = (
    unknown_blocks_its_market,
    intent_is_reserved,
    approval_names_every_control,
    identity_is_derived,
    useless_signals_are_not_traded,
    orders_keep_to_their_signal,
    withdrawn_signals_are_not_traded,
    lower_epochs_are_fenced,
    only_whole_books_are_traded,
    order_rate_holds,
    counts_of_the_day_hold,
    canary_orders_are_small,
)

# --- when an order leaves a process ------------------------------------------------------------------------


def nothing_is_sent_before_it_is_durable(case: Case, sent: Sent) -> Found:
    """[2] Intent and reservation are stored before anything goes on the wire."""
    intent = case.intents.get(sent.order_id)
    if intent is None:
        yield f"{sent.order_id} is sent without an intent"
    elif intent.is_over:
        yield f"{sent.order_id} is sent although it is {intent.status}"
    elif sent.order_id not in case.raw_book()["reserved"]:
        yield f"{sent.order_id} is sent without a reservation"


def a_halt_stops_sending(case: Case, sent: Sent) -> Found:
    """[11] Some seconds after a halt nobody sends, whatever their watch of it does."""
    since = case.halted_since()
    if since is not None and sent.asked - since > _HALT_S:
        yield f"{sent.order_id} is sent {sent.asked - since:.1f} s after the halt"


def a_lost_lease_stops_sending(case: Case, sent: Sent) -> Found:
    """[5] Once a higher epoch has sent, a lower one sends nothing."""
    highest = max((one.epoch for one in case.sent if one.at <= sent.asked), default=0)
    if sent.epoch < highest:
        yield f"{sent.order_id} of epoch {sent.epoch} after {highest} has sent"


def loss_limits_hold(case: Case, sent: Sent) -> Found:
    """[5] What was lost today, with every order that may still fill lost too.

    What a market's end has lost counts for orders that were stored after it was booked.
    """
    lost = Usd(max(0, -realized(case.account, _unpaid(case, sent))) + _at_risk(case))
    for name, limit in (("daily", case.limits.max_daily_loss), ("weekly", case.limits.max_weekly_loss)):
        if lost > limit:
            yield f"${format_usd(lost)} lost or at risk, {name} limit ${format_usd(limit)}"


def _unpaid(case: Case, sent: Sent) -> list[str]:
    """Markets whose end was not booked yet when an order was stored."""
    number = list(case.intents).index(sent.order_id) if sent.order_id in case.intents else 0
    over = [ticker for ticker in case.account.positions if case.exchange.market(ticker).payout is not None]
    return [ticker for ticker in over if case.paid.get(ticker, number + 1) > number]


def sport_limits_hold(case: Case, sent: Sent) -> Found:
    """[5] Cost of what is held and risk of what may fill, by sport."""
    bankroll = sum(case.account.cash.values()) + open_cost(case.account)
    # Fees and losses that are not booked yet were bankroll when the order was judged.
    bankroll += sum(one.fees + max(0, -one.realized) for one in case.account.positions.values())
    allowed = bankroll * case.limits.max_sport_share_basis_points // 10_000
    sport = case.intents[sent.order_id].proposal.sport if sent.order_id in case.intents else ""
    held = sum(_held_cost(case, ticker) for ticker in _of_sport(case, sport))
    at_risk = Usd(held + _at_risk(case, sport))
    if at_risk > allowed:
        yield f"${format_usd(at_risk)} at risk in {sport}, allowed ${format_usd(Usd(allowed))}"


def _of_sport(case: Case, sport: str) -> list[str]:
    return sorted({one.ticker for one in case.signals.values() if one.league == sport})


def _held_cost(case: Case, ticker: str) -> int:
    held = case.account.positions.get(ticker)
    return held.cost if held else 0


def _at_risk(case: Case, sport: str | None = None) -> int:
    """Risk of all orders that may still fill: stored as open, and not ended at the exchange."""
    done = {one.client_order_id for one in case.orders.values() if not one.is_resting}
    return sum(
        one.proposal.risk
        for one in case.open_intents()
        if one.order_id not in done and sport in (None, one.proposal.sport)
    )


ON_SEND: tuple[Question, ...] = (
    nothing_is_sent_before_it_is_durable,
    a_halt_stops_sending,
    a_lost_lease_stops_sending,
    loss_limits_hold,
    sport_limits_hold,
)

# --- when the exchange has taken an order ------------------------------------------------------------------


def an_order_has_an_open_intent(case: Case, order: MemberOrder) -> Found:
    """[2, 4] What the exchange takes is stored and was not given up."""
    intent = case.intents.get(order.client_order_id)
    if intent is None:
        yield f"{order.client_order_id} is at the exchange without an intent"
    elif intent.is_over:
        yield f"{order.client_order_id} is taken although it was stored as {intent.status}"


def an_order_is_what_was_approved(case: Case, order: MemberOrder) -> Found:
    """[1] Market, side, size and price at the exchange are those of the intent."""
    intent = case.intents.get(order.client_order_id)
    if intent is None:
        return
    proposal = intent.proposal
    asked = (proposal.ticker, proposal.side.value == "yes", int(proposal.quantity), int(proposal.limit))
    if asked != (order.ticker, order.bid, order.initial, order.unit):
        yield f"{order.client_order_id} is {order.ticker} {order.bid} {order.initial} at {order.unit}"


def one_order_for_an_intent(case: Case, order: MemberOrder) -> Found:
    """[3] At most one order at the exchange for each of our ids."""
    if len(case.at_exchange(order.client_order_id)) > 1:
        yield f"two orders carry {order.client_order_id}"


def order_size_holds(case: Case, order: MemberOrder) -> Found:
    """[5] Contracts, money and price of one order."""
    limits = case.limits
    if order.initial > limits.max_quantity_per_trade:
        yield f"{order.initial} lots in one order, limit {limits.max_quantity_per_trade}"
    if cost_of(order) > limits.max_risk_per_trade:
        yield f"${format_usd(cost_of(order))} in one order, limit ${format_usd(limits.max_risk_per_trade)}"
    if not limits.min_price <= order.unit <= limits.max_price:
        yield f"price {order.unit} is outside {limits.min_price}…{limits.max_price}"


def event_limits_hold(case: Case, order: MemberOrder) -> Found:
    """[5] Contracts bought on one game."""
    bought: Counter[str] = Counter()
    for one in case.orders.values():
        intent = case.intents.get(one.client_order_id)
        if intent is not None:
            bought[intent.proposal.event] += one.filled
    event, lots = max(bought.items(), key=lambda item: item[1], default=("", 0))
    if lots > case.limits.max_quantity_per_event:
        yield f"{lots} lots on {event}, limit {case.limits.max_quantity_per_event}"


ON_ORDER: tuple[Question, ...] = (
    an_order_has_an_open_intent,
    an_order_is_what_was_approved,
    one_order_for_an_intent,
    order_size_holds,
    event_limits_hold,
)

# --- when the end of an order is stored --------------------------------------------------------------------


def an_end_is_true(case: Case, intent: Intent) -> Found:
    """[4] What is stored as over is over at the exchange, and all that filled is booked or still reserved."""
    orders = case.at_exchange(intent.order_id)
    if not orders:
        if intent.filled or intent.status is OrderStatus.FILLED:
            yield f"{intent.order_id} is {intent.status}, the exchange does not know it"
        return
    order = orders[0]
    if intent.status is OrderStatus.REJECTED:
        yield f"{intent.order_id} is stored as rejected, the exchange has it with {order.filled} lots"
    if order.is_resting:
        yield f"{intent.order_id} is stored as {intent.status} and rests"
    kept = case.raw_book()["reserved"].get(intent.order_id, {"remaining": 0})["remaining"]
    if intent.filled + kept < order.filled:
        yield f"{intent.order_id}: {order.filled} lots filled, {intent.filled} booked and {kept} reserved"


def fills_are_booked_once(case: Case, intent: Intent) -> Found:
    """[6] No fill stands twice on a document, and none that the exchange does not have."""
    twice = [one for one, times in Counter(intent.fills).items() if times > 1]
    if twice:
        yield f"{intent.order_id} has {twice[0]} twice"
    known = {_fill_id(row) for _, row in case.account.fills}
    strange = [one for one in intent.fills if one not in known]
    if strange:
        yield f"{intent.order_id} has fill {strange[0]}, the exchange has not"


def what_may_still_fill_is_reserved(case: Case, intent: Intent) -> Found:
    """[4] An order whose end is not known keeps the reservation of everything that has not filled."""
    held = case.raw_book()["reserved"].get(intent.order_id, {"remaining": 0})
    open_lots = 0 if intent.is_over else intent.proposal.quantity - intent.filled
    if held["remaining"] < open_lots:
        yield f"{intent.order_id} is {intent.status}: {open_lots} lots may fill, {held['remaining']} reserved"


def _fill_id(row: dict[str, object]) -> str:
    return str(row.get("fill_id") or row.get("trade_id"))


ON_CHANGE: tuple[Question, ...] = (fills_are_booked_once, what_may_still_fill_is_reserved)
ON_END: tuple[Question, ...] = (an_end_is_true,)

# --- when everything has come to rest ----------------------------------------------------------------------


def every_order_has_ended(case: Case) -> Found:
    """Liveness: every order reaches an end."""
    for intent in case.open_intents():
        yield f"{intent.order_id} is still {intent.status}"
    for order_id in case.book().reserved:
        yield f"{order_id} is still reserved"


def cash_equals_the_exchange(case: Case) -> Found:
    """[6] Cash to the micro-dollar."""
    ours, theirs = case.book().cash, Usd(sum(case.account.cash.values()))
    if ours != theirs:
        yield f"cash is ${format_usd(ours)} in the book and ${format_usd(theirs)} at the exchange"


def positions_equal_the_exchange(case: Case) -> Found:
    """[6] Every position."""
    ours = {ticker: int(held.position.quantity) for ticker, held in case.book().holdings.items()}
    theirs = {ticker: held.lots for ticker, held in case.account.positions.items()}
    for ticker in sorted(ours.keys() | theirs.keys()):
        if ours.get(ticker, 0) != theirs.get(ticker, 0):
            yield f"{ticker}: {ours.get(ticker, 0)} in the book, {theirs.get(ticker, 0)} at the exchange"


def every_fill_is_booked_once(case: Case) -> Found:
    """[6] Each fill of the exchange stands on exactly one order's document, and no other does."""
    ours = Counter(fill for intent in case.intents.values() for fill in intent.fills)
    theirs = {_fill_id(row) for _, row in case.account.fills}
    for fill in sorted(theirs - ours.keys()):
        yield f"fill {fill} is not booked"
    for fill, times in ours.items():
        if times != 1 or fill not in theirs:
            yield f"fill {fill} is booked {times} times"


def profit_equals_the_exchange(case: Case) -> Found:
    """[7] Profit is that of the exchange's own fills, fees included, to the micro-dollar.

    What a closing trade earns depends on what was bought before it, so the fills are replayed in the order in
    which they were booked: fills of one instant have no order of their own.
    """
    rows = {_fill_id(row): row for _, row in case.account.fills}
    positions: dict[str, Position] = {}
    fees = 0
    for fill in case.booked:
        row = rows[fill]
        held = positions.setdefault(str(row["ticker"]), Position())
        lots = parse_quantity(str(row["count_fp"]))
        held.trade(
            lots if row["outcome_side"] == "yes" else -lots, parse_price(str(row["yes_price_dollars"]))
        )
        fees += parse_usd(str(row["fee_cost"]))
    for ticker, held in positions.items():
        payout = case.exchange.market(ticker).payout
        if payout is not None:
            held.settle(payout)
    book, theirs = case.book(), sum(held.realized for held in positions.values()) - fees
    if book.cash + book.open_cost - case.deposits != theirs:
        yield f"profit is {book.cash + book.open_cost - case.deposits} in the book, {theirs} by the fills"
    if book.fees != fees:
        yield f"fees are not the ${format_usd(Usd(fees))} of the exchange"


def documents_equal_the_exchange(case: Case) -> Found:
    """[6] Every order of the exchange has its document, with as many contracts."""
    for order in case.orders.values():
        intent = case.intents.get(order.client_order_id)
        if intent is not None and intent.filled != order.filled:
            yield f"{intent.order_id}: {intent.filled} lots on its document, {order.filled} at the exchange"


def refusals_are_told(case: Case) -> Found:
    """[13] An order that was refused is published with all its reasons, unless the process died over it."""
    for refusal in case.refusals:
        if not _is_told(case, refusal) and refusal.by.is_alive and _had_time(case, refusal):
            yield f"{refusal.verdict.proposal.client_order_id}: {'; '.join(refusal.verdict.reasons)}"
            return


def _is_told(case: Case, refusal: Doubted) -> bool:
    """Whether records of its signal name every control that refused."""
    proposal = refusal.verdict.proposal
    wanted = {one.control for one in refusal.verdict.refusals}
    named = {
        reason.partition(":")[0]
        for update in case.told
        if update.signal_id == case.signal_of(proposal.client_order_id)
        for reason in update.reasons
    }
    return wanted <= named


def _had_time(case: Case, refusal: Doubted) -> bool:
    return case.now - refusal.at > 10.0


def nothing_broke(case: Case) -> Found:
    """No task died of an error that nobody took."""
    yield from case.loop.failures
    for machine in case.machines:
        yield from machine.ends


AT_REST: tuple[Callable[[Case], Found], ...] = (
    every_order_has_ended,
    cash_equals_the_exchange,
    positions_equal_the_exchange,
    every_fill_is_booked_once,
    profit_equals_the_exchange,
    documents_equal_the_exchange,
    refusals_are_told,
    nothing_broke,
)
