"""The order desk against a model so simple that one sees it is right: a list, sorted anew for every order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.clock import SECOND, Instant
from shared.money import LOTS, MICROS, Price, Quantity
from shared.simulator.accounts import Account
from shared.simulator.tickets import AT_CROSS, FOK, GTC, IOC, MAKER, Refusal, Ticket
from tests.simulator.bench import Json, quoted

CENT = 10_000
_RICH = 10**13
_NUMBERS = st.integers(0, 99)

Fill = tuple[int, int]  # price, lots


@dataclass
class Resting:
    """An order of the model."""

    owner: int
    bid: bool
    price: int
    left: int
    place: int
    self_trade: str
    expires: int | None
    on_pause: bool
    filled: int = 0
    fills: list[Fill] = field(default_factory=list)


class Model:
    """Price-time priority by sorting; cash and positions by adding up."""

    def __init__(self) -> None:
        self.orders: dict[str, Resting] = {}
        self.position, self.spent = [0, 0], [0, 0]
        self.places = count()

    def opposite(self, taker: Resting) -> list[tuple[str, Resting]]:
        """What the taker meets, in order."""
        met = [
            (name, order)
            for name, order in self.orders.items()
            if order.bid != taker.bid
            and (order.price <= taker.price if taker.bid else order.price >= taker.price)
        ]
        return sorted(met, key=lambda one: (one[1].price if taker.bid else -one[1].price, one[1].place))

    def fillable(self, taker: Resting) -> int:
        """Lots it could take without its own."""
        lots = 0
        for _, order in self.opposite(taker):
            if order.owner == taker.owner and taker.self_trade == AT_CROSS:
                break
            lots += order.left if order.owner != taker.owner else 0
        return lots

    def match(self, taker: Resting) -> None:
        """Trade until nothing crosses; what is left of the taker stays in ``left``."""
        for name, order in self.opposite(taker):
            if not taker.left:
                return
            if order.owner == taker.owner:
                if taker.self_trade == AT_CROSS:
                    taker.left = 0
                    return
                del self.orders[name]
                continue
            lots = min(taker.left, order.left)
            for one, signed in ((taker, lots if taker.bid else -lots), (order, lots if order.bid else -lots)):
                one.left -= lots
                one.filled += lots
                one.fills.append((order.price, lots))
                self.position[one.owner] += signed
                self.spent[one.owner] += signed * order.price // LOTS
            if not order.left:
                del self.orders[name]

    def cash(self, owner: int, deposit: int, fees: int) -> int:
        """Deposit less what was paid, less a dollar held for every NO contract, less fees."""
        return deposit - self.spent[owner] - max(0, -self.position[owner]) * MICROS // LOTS - fees


class DeskAgainstModel(RuleBasedStateMachine):
    """Two rich members alone in one market."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = quoted(11)
        self.market = self.bench.empty()
        self.desk, self.model = self.bench.world.orders, Model()
        other = Account("other")
        self.bench.world.exchange.accounts["other"] = other
        self.members = (self.bench.account, other)
        for account in self.members:
            account.cash = dict.fromkeys(range(4), _RICH)
        self.ids, self.paused = count(1), False
        self.names: list[str] = []

    def _pick(self, number: int) -> str:
        """An order that rests, or now and then one that did."""
        live = list(self.model.orders)
        names = self.names if number % 5 == 0 or not live else live
        return names[number % len(names)] if names else "none"

    @rule(
        who=st.sampled_from((0, 1)),
        bid=st.booleans(),
        depth=st.sampled_from((0, 1, 1, 1, 2)),
        lots=st.integers(1, 600),
        lives=st.sampled_from((GTC, GTC, GTC, IOC, FOK)),
        self_trade=st.sampled_from((AT_CROSS, MAKER)),
        flag=st.sampled_from(("", "", "", "post_only", "reduce_only", "expires", "on_pause")),
    )
    def create(
        self, who: int, bid: bool, depth: int, lots: int, lives: str, self_trade: str, flag: str
    ) -> None:
        cents = 51 - depth if bid else 50 + depth
        account, now = self.members[who], self.bench.clock.now()
        expires = Instant(now + 4 * SECOND) if flag == "expires" and lives == GTC else None
        post_only, reduce_only = flag == "post_only" and lives == GTC, flag == "reduce_only" and lives == IOC
        place, on_pause = next(self.model.places), flag == "on_pause"
        taker = Resting(who, bid, cents * CENT, lots, place, self_trade, expires, on_pause)
        refusal = self._refusal(taker, lives, post_only)
        ticket = Ticket(
            self.market.ticker, bid, Quantity(lots), Price(cents * CENT), lives, self_trade,
            f"c{next(self.ids)}", post_only, reduce_only, on_pause, expires,
        )  # fmt: skip
        body, refused = _try(lambda: self.desk.create(account, ticket))
        assert refused == refusal
        if refused:
            return
        self.names.append(body["order_id"])
        if reduce_only:
            held = self.model.position[who]
            taker.left = min(lots, max(0, -held if bid else held))
        self.model.match(taker)
        if lives == GTC and taker.left:
            self.model.orders[body["order_id"]] = taker
        else:
            taker.left = 0
        assert (body["fill_count"], body["remaining_count"]) == (_count(taker.filled), _count(taker.left))
        told = [row for _, row in account.fills if row["order_id"] == body["order_id"]]
        assert [(row["yes_price_dollars"], row["count_fp"]) for row in told] == [
            (f"{price / MICROS:.4f}", _count(size)) for price, size in taker.fills
        ]

    @rule(who=st.sampled_from((0, 1)), bid=st.booleans(), lots=st.lists(st.integers(1, 300), max_size=3))
    def queue_up(self, who: int, bid: bool, lots: list[int]) -> None:
        for size in lots:
            self.create(who, bid, 2, size, GTC, AT_CROSS, "")

    def _refusal(self, taker: Resting, lives: str, post_only: bool) -> str:
        if self.paused:
            return "trading_is_paused"
        if post_only and self.model.opposite(taker):
            return "invalid_order"
        if lives == FOK and self.model.fillable(taker) < taker.left:
            return "fill_or_kill_insufficient_resting_volume"
        return ""

    @rule(who=st.sampled_from((0, 1)), number=_NUMBERS)
    def cancel(self, who: int, number: int) -> None:
        order = self._pick(number)
        mine = self.model.orders.get(order)
        body, refused = _try(lambda: self.desk.cancel(self.members[who], order, self.market.ticker, None))
        if mine is None or mine.owner != who:
            assert refused == "not_found"
            return
        assert body["reduced_by"] == _count(mine.left)
        del self.model.orders[order]

    @rule(number=_NUMBERS, lots=st.integers(1, 600))
    def decrease(self, number: int, lots: int) -> None:
        order = self._pick(number)
        mine = self.model.orders.get(order)
        owner = self.members[mine.owner] if mine else self.members[0]
        _, refused = _try(lambda: self.desk.decrease(owner, order, lots, None, self.market.ticker, None))
        assert bool(refused) == (mine is None or lots > mine.left)
        if refused or mine is None:
            return
        mine.left -= lots
        if not mine.left:
            del self.model.orders[order]

    @rule(number=_NUMBERS, shift=st.sampled_from((0, 0, 0, 1, -1, 3)), lots=st.integers(1, 900))
    def amend(self, number: int, shift: int, lots: int) -> None:
        order = self._pick(number)
        mine = self.model.orders.get(order)
        owner = self.members[mine.owner] if mine else self.members[0]
        bid, price = (mine.bid, mine.price + shift * CENT) if mine else (True, 50 * CENT)
        ticket = Ticket(self.market.ticker, bid, Quantity(lots), Price(price), GTC, AT_CROSS)
        _, refused = _try(lambda: self.desk.amend(owner, order, ticket, None))
        assert bool(refused) == (self.paused or mine is None or lots <= mine.filled)
        if refused or mine is None:
            return
        left = lots - mine.filled
        if price == mine.price and left <= mine.left:
            mine.left = left
            return
        del self.model.orders[order]
        mine.price, mine.left, mine.place = price, left, next(self.model.places)
        self.model.match(mine)
        if mine.left:
            self.model.orders[order] = mine

    @rule(who=st.sampled_from((0, 1)), really=st.sampled_from((False, False, False, True)))
    def cancel_all(self, who: int, really: bool) -> None:
        if really:
            self.desk.cancel_all(self.members[who])
            self._keep(lambda order: order.owner != who)

    @rule(number=_NUMBERS)
    def a_pause(self, number: int) -> None:
        self.paused = True
        self.desk.pause_trading(0)
        self._keep(lambda order: not order.on_pause)
        self.create(0, True, 1, 100, GTC, AT_CROSS, "")
        self.amend(number, 0, 100)
        self.cancel(number % 2, number)
        self.desk.resume_trading(0)
        self.paused = False

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds: int) -> None:
        self.bench.wait(seconds)
        now = self.bench.clock.now()
        self._keep(lambda order: order.expires is None or order.expires > now)

    def _keep(self, wanted: Callable[[Resting], bool]) -> None:
        self.model.orders = {name: order for name, order in self.model.orders.items() if wanted(order)}

    @invariant()
    def the_same_orders_rest(self) -> None:
        for who, account in enumerate(self.members):
            resting = {order.id: (order.price, int(order.remaining)) for order in account.resting()}
            assert resting == {
                name: (order.price, order.left)
                for name, order in self.model.orders.items()
                if order.owner == who
            }

    @invariant()
    def the_same_queues_wait_at_the_same_prices(self) -> None:
        for bid, side in ((True, self.market.book.bids), (False, self.market.book.asks)):
            queues: dict[int, list[int]] = {}
            for order in sorted(self.model.orders.values(), key=lambda order: order.place):
                if order.bid == bid:
                    queues.setdefault(order.price, []).append(order.left)
            shown = {price: [o.remaining for o in level.orders.values()] for price, level in side.items()}
            assert shown == queues

    @invariant()
    def positions_and_cash_are_the_same(self) -> None:
        for who, account in enumerate(self.members):
            position = account.positions.get(self.market.ticker)
            assert (position.lots if position else 0) == self.model.position[who]
            fees = position.fees if position else 0
            # Every fill of a part of a contract may round by less than a micro-dollar.
            drift = account.cash[0] - self.model.cash(who, _RICH, fees)
            assert abs(drift) <= 2 * len(account.fills)


def _try(action: Callable[[], Json]) -> tuple[Json, str]:
    """The answer, or an empty one and the code of the refusal."""
    try:
        return action(), ""
    except Refusal as refused:
        return {}, str(refused.error["code"])


def _count(lots: int) -> str:
    return f"{lots // LOTS}.{lots % LOTS:02d}"


TestDeskAgainstModel = DeskAgainstModel.TestCase
TestDeskAgainstModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
