"""The referee: hears of everything that happens outside the processes, and ends the run at the first foul."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from shared.execution.halt import PATH as HALT
from shared.execution.reservations import Intent as Document
from shared.execution.reservations import Refused, Reservations, Reserved
from shared.messages import Message, OpportunityAssessed, OrderUpdated, encode
from shared.ports import Create, Delete, Write
from shared.risk.controls import Proposal
from shared.simulator.web import Request
from shared.terms import OrderStatus
from tests.simulation import invariants
from tests.simulation.case import LEASE, Case, Doubted, Intent, Sent, Weighed, halted_by, intent_of
from tests.simulation.loop import OWNER, SimulationError
from tests.simulation.network import ORDERS_PATH
from tests.simulation.process import Incarnation


class ViolationError(SimulationError):
    """An invariant does not hold. ``invariant`` is its name."""

    def __init__(self, invariant: str, text: str, at: float) -> None:
        super().__init__(f"{invariant} at {at:.3f} s: {text}")
        self.invariant = invariant


class Referee:
    """Keeps the case up to date and asks every invariant whose ground has changed."""

    def __init__(self, case: Case, secrets: Iterable[str]) -> None:
        self.case = case
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._seen_orders = 0
        self._incarnations: dict[str, Incarnation] = {}

    def born(self, incarnation: Incarnation) -> None:
        """A process has started."""
        self._incarnations[incarnation.name] = incarnation

    # --- what happens ---------------------------------------------------------------------------------------

    def committed(self, who: str, writes: Sequence[Write]) -> None:
        """Something was stored."""
        for write in writes:
            if isinstance(write, Delete):
                continue
            self._no_secret(f"document {write.path}", msgspec.json.encode(write.value))
            if write.path.startswith("orders/"):
                self._order_stored(who, write, intent_of(write.value))
            elif write.path == LEASE:
                self.case.leases[write.value["holder"]] = write.value["epoch"]
            elif write.path.startswith("settlements/"):
                self.case.paid.setdefault(write.path.partition("/")[2], len(self.case.intents))
            elif write.path == HALT:
                self.case.halts.append((self.case.now, halted_by(write.value)))

    def left(self, by: Incarnation, request: Request, asked: float) -> None:
        """Orders have left a process, which handed them to its network at ``asked``."""
        case = self.case
        body = msgspec.json.decode(request.body)
        for item in body.get("orders", ()) if request.path != ORDERS_PATH else (body,):
            order_id = item.get("client_order_id", "")
            sent = Sent(order_id, item["ticker"], by, asked, case.now, case.leases.get(by.name, 0))
            case.sent.append(sent)
            case.count("sent")
            self._ask(invariants.ON_SEND, sent)

    def arrived(self, who: str, request: Request) -> None:
        """The exchange has answered a request."""
        orders = self.case.orders
        if len(orders) == self._seen_orders:
            return
        for order in list(orders.values())[self._seen_orders :]:
            self.case.count("filled" if order.filled else "taken")
            self._ask(invariants.ON_ORDER, order)
        self._seen_orders = len(orders)

    def published(self, who: str, message: Message) -> None:
        """A message was handed to the bus."""
        self._no_secret(f"message {message.TOPIC}", encode(message))
        if isinstance(message, OrderUpdated) and message.status is OrderStatus.REJECTED:
            self.case.told.append(msgspec.json.decode(encode(message), type=OrderUpdated))

    def handled(self, by: Incarnation, message: Message) -> None:
        """A process is done with a message of the bus."""
        if isinstance(message, OpportunityAssessed):
            self.case.count("weighed anew")
            self.case.weighed.append(Weighed(by, message, self.case.now))

    def answered(self, answer: Reserved | Refused) -> None:
        """An order was granted or refused, inside a process."""
        by = OWNER.get()
        if isinstance(answer, Refused) and isinstance(by, Incarnation):
            self.case.count("refused")
            self.case.refusals.append(Doubted(answer.verdict, by, self.case.now))

    def logged(self, line: str) -> None:
        """A line was logged."""
        self._no_secret("log line", line.encode())

    def at_rest(self) -> None:
        """Everything has ended: ask what can be asked only then; raises the first violation."""
        for ask in invariants.AT_REST:
            for text in ask(self.case):
                raise ViolationError(ask.__name__, text, self.case.now)

    # --- asking ---------------------------------------------------------------------------------------------

    def _order_stored(self, who: str, write: Write, intent: Intent) -> None:
        case, is_new = self.case, isinstance(write, Create)
        before = case.intents.get(intent.order_id)
        case.intents[intent.order_id] = intent
        case.booked += intent.fills[len(before.fills) if before else 0 :]
        if is_new:
            case.count("intents")
            case.epochs[intent.order_id] = case.leases.get(who, 0)
            case.opened_by[intent.order_id] = self._incarnations.get(who)
            self._ask(invariants.ON_INTENT, intent)
        self._ask(invariants.ON_CHANGE, intent)
        if intent.is_over and (before is None or not before.is_over):
            case.count(f"ended {intent.status}")
            self._ask(invariants.ON_END, intent)
        elif intent.status.value == "unknown" and before is not None and before.status != intent.status:
            case.count("unknown")

    def _ask(self, questions: Sequence[invariants.Question], about: object) -> None:
        for ask in questions:
            for text in ask(self.case, about):
                self._foul(ask.__name__, text)

    def _no_secret(self, where: str, data: bytes) -> None:
        """[14] No secret leaves a process but in the headers of a request."""
        if any(secret in data for secret in self._secrets):
            self._foul("no_secret_is_told", where)

    def _foul(self, name: str, text: str) -> None:
        self.case.loop.fail(ViolationError(name, text, self.case.now))


class _Listener(logging.Handler):
    def __init__(self, referee: Referee) -> None:
        super().__init__()
        self._referee = referee

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the line to the referee."""
        self._referee.logged(self.format(record))


@contextmanager
def listening(referee: Referee) -> Iterator[None]:
    """Let the referee hear every log line and every order granted or refused while the block runs."""
    root, handler, reserve = logging.getLogger(), _Listener(referee), Reservations.reserve

    async def overheard(
        reservations: Reservations, proposal: Proposal, intent: Document, epoch: int = 0
    ) -> Reserved | Refused:
        answer = await reserve(reservations, proposal, intent, epoch)
        referee.answered(answer)
        return answer

    others, root.handlers = root.handlers, [handler]
    Reservations.reserve = overheard  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Reservations.reserve = reserve  # type: ignore[method-assign]
        root.handlers = others
