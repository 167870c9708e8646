"""The exchange's WebSocket as a pure state machine: frames in, events and commands out, no I/O and no clock.

One connection carries all subscriptions. The exchange numbers the messages of one subscription (``sid``)
together, replies included; a missing number makes every book of that subscription suspect until it has been
sent anew. The book channel says nothing about trading status: combine it with ``Lifecycle`` events. Of the
channels of our own account only the order groups are numbered: a lost fill leaves no trace, so fills are read
again by REST (see :mod:`shared.venues.kalshi.private`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from shared.books.sequence import SequenceGuard, Step
from shared.clock import SECOND, Instant
from shared.errors import MalformedError
from shared.venues.kalshi import frames, wire
from shared.venues.kalshi.events import (
    BookDelta,
    BookSnapshot,
    Connected,
    Disconnected,
    Gap,
    Listening,
    Problem,
    StreamEvent,
)

# A subscription that loses a message re-reads all its books: small ones keep the damage small.
_MARKETS_PER_SUBSCRIPTION = 100
# Snapshots were recorded within milliseconds of the command.
_PATIENCE = 10 * SECOND
# Channel error, and buffer overflow: the exchange has ended the subscription.
_ENDED = frozenset({10, 25})

_BOOKS = "orderbook_delta"
_PER_MARKET = (_BOOKS, "ticker", "trade")
_LIFECYCLE = "market_lifecycle_v2"
FILLS = "fill"
_ACCOUNT = (FILLS, "user_orders", "market_positions", "order_group_updates")


@dataclass(slots=True)
class Output:
    """What a step of the machine wants done: events to hand on, commands to send, in order."""

    events: list[StreamEvent] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class _Subscription:
    """One channel for some markets. It has a ``sid`` once the exchange has answered."""

    channel: str
    tickers: set[str]
    asked_at: Instant
    sid: int = 0
    guard: SequenceGuard = field(default_factory=lambda: SequenceGuard(0))


class StreamProtocol:
    """Subscriptions of one connection. Feed it frames in order; call :meth:`tick` every few seconds."""

    def __init__(
        self,
        tickers: Iterable[str] = (),
        *,
        lifecycle: bool = True,
        account: bool = False,
        yes_priced: bool = True,
    ) -> None:
        """``yes_priced`` asks for NO bids as YES asks; it is always stated, for its default will change.

        ``account`` adds our own fills, orders, positions and order groups, in every market.
        """
        self._wanted: dict[str, None] = dict.fromkeys(tickers)
        self._everywhere = ((_LIFECYCLE,) if lifecycle else ()) + (_ACCOUNT if account else ())
        self._yes_priced = yes_priced
        self._reset()

    def _reset(self) -> None:
        self._online = False
        self._next_id = 1
        self._asked: dict[int, _Subscription] = {}
        self._by_sid: dict[int, _Subscription] = {}
        self._stale: dict[str, Instant] = {}

    @property
    def tickers(self) -> tuple[str, ...]:
        """Markets wanted, in the order they were asked for."""
        return tuple(self._wanted)

    @property
    def stale(self) -> frozenset[str]:
        """Markets whose book is not to be believed: no snapshot yet, or none since messages were lost."""
        return frozenset(self._stale)

    # --- what happens to the connection -------------------------------------------------------------------

    def connected(self, now: Instant) -> Output:
        """A new connection is open: nothing of an old one survives, so subscribe to everything."""
        self._reset()
        self._online = True
        out = Output([Connected(at=now)])
        self._subscribe_markets(self.tickers, now, out)
        for channel in self._everywhere:
            self._subscribe(channel, (), now, out)
        return out

    def disconnected(self, reason: str, now: Instant) -> Output:
        """The connection is gone: no book is to be believed until the next one brings snapshots."""
        self._reset()
        self._stale = dict.fromkeys(self._wanted, now)
        return Output([Disconnected(at=now, reason=reason, tickers=self.tickers)])

    def watch(self, tickers: Iterable[str], now: Instant) -> Output:
        """Add markets; those already wanted are not asked for again."""
        new = [ticker for ticker in dict.fromkeys(tickers) if ticker not in self._wanted]
        self._wanted |= dict.fromkeys(new)
        out = Output()
        if self._online:
            self._subscribe_markets(new, now, out)
        return out

    def unwatch(self, tickers: Iterable[str]) -> Output:
        """Drop markets, and subscriptions left without any."""
        gone = self._wanted.keys() & set(tickers)
        out = Output()
        for ticker in gone:
            del self._wanted[ticker]
            self._stale.pop(ticker, None)
        for waiting in self._asked.values():
            waiting.tickers -= gone
        for subscription in list(self._by_sid.values()):
            if subscription.tickers & gone:
                self._drop(subscription, gone, out)
        return out

    def tick(self, now: Instant) -> Output:
        """Ask again for whatever has not come: answers to subscriptions, and snapshots."""
        out = Output()
        for key in [key for key, asked in self._asked.items() if now - asked.asked_at > _PATIENCE]:
            lost = self._asked.pop(key)
            if lost.tickers or lost.channel in self._everywhere:
                self._subscribe(lost.channel, sorted(lost.tickers), now, out)
        for subscription in self._books():
            overdue = [t for t in subscription.tickers if now - self._stale.get(t, now) > _PATIENCE]
            if overdue:
                self._read_again(subscription, overdue, now, out)
        return out

    # --- frames -------------------------------------------------------------------------------------------

    def received(self, data: bytes | str, now: Instant) -> Output:
        """One text frame. What cannot be used becomes a :class:`Problem`; nothing raises."""
        out = Output()
        subscription: _Subscription | None = None
        try:
            frame = wire.decode(frames.Frame, data.encode() if isinstance(data, str) else data)
            subscription = self._by_sid.get(frame.sid or 0)
            self._handle(frame, subscription, now, out)
        except MalformedError as exc:
            out.events.append(Problem(at=now, reason=str(exc)[:300]))
            # A book change that cannot be read is a book change that was lost.
            if subscription is not None:
                self._lost(subscription, "unreadable message", now, out)
        return out

    def _handle(
        self, frame: frames.Frame, subscription: _Subscription | None, now: Instant, out: Output
    ) -> None:
        if frame.type == "subscribed":
            self._subscribed(frame, now, out)
        elif frame.type == "error":
            self._refused(frame, subscription, now, out)
        elif subscription is not None and self._in_sequence(frame, subscription, now, out):
            event = frames.event_of(frame, now, yes_priced=self._yes_priced)
            if event is not None and self._is_believable(event, subscription):
                out.events.append(event)

    def _in_sequence(
        self, frame: frames.Frame, subscription: _Subscription, now: Instant, out: Output
    ) -> bool:
        """Whether the frame is news; a gap before it is reported, a repeat is dropped."""
        if frame.seq is None:
            return True
        expected = (subscription.guard.last or 0) + 1
        step = subscription.guard.step(frame.seq)
        if step is Step.GAP:
            self._lost(subscription, f"expected message {expected}, got {frame.seq}", now, out)
        return step is not Step.REPEAT

    def _is_believable(self, event: StreamEvent, subscription: _Subscription) -> bool:
        """A snapshot heals its book; a delta of a book that is not whole is dropped."""
        if isinstance(event, BookSnapshot):
            self._stale.pop(event.ticker, None)
            return event.ticker in subscription.tickers
        if isinstance(event, BookDelta):
            return event.ticker in subscription.tickers and event.ticker not in self._stale
        return True

    def _subscribed(self, frame: frames.Frame, now: Instant, out: Output) -> None:
        answer = frames.body(frame, frames.Subscribed)
        subscription = self._asked.pop(frame.id or 0, None)
        if subscription is None:
            return
        subscription.sid = answer.sid
        self._by_sid[answer.sid] = subscription
        if subscription.channel in _ACCOUNT:
            out.events.append(Listening(at=now, channel=subscription.channel))

    def _refused(
        self, frame: frames.Frame, subscription: _Subscription | None, now: Instant, out: Output
    ) -> None:
        error = frames.body(frame, frames.Refused)
        reason = f"stream error {error.code}: {error.msg}"[:300]
        out.events.append(Problem(at=now, reason=reason, code=error.code))
        if error.code in _ENDED and subscription is not None:
            del self._by_sid[subscription.sid]
            self._mark(subscription, reason, now, out)
            self._subscribe(subscription.channel, sorted(subscription.tickers), now, out)

    def _lost(self, subscription: _Subscription, reason: str, now: Instant, out: Output) -> None:
        self._mark(subscription, reason, now, out)
        if subscription.channel == _BOOKS:
            self._read_again(subscription, subscription.tickers, now, out)

    def _mark(self, subscription: _Subscription, reason: str, now: Instant, out: Output) -> None:
        tickers = tuple(sorted(subscription.tickers))
        out.events.append(Gap(at=now, channel=subscription.channel, tickers=tickers, reason=reason))
        if subscription.channel == _BOOKS:
            self._stale |= dict.fromkeys(tickers, now)

    # --- commands -----------------------------------------------------------------------------------------

    def _subscribe_markets(self, tickers: Sequence[str], now: Instant, out: Output) -> None:
        self._stale |= dict.fromkeys(tickers, now)
        for first in range(0, len(tickers), _MARKETS_PER_SUBSCRIPTION):
            part = tickers[first : first + _MARKETS_PER_SUBSCRIPTION]
            for channel in _PER_MARKET:
                self._subscribe(channel, part, now, out)

    def _subscribe(self, channel: str, tickers: Sequence[str], now: Instant, out: Output) -> None:
        params: dict[str, object] = {"channels": [channel]}
        if tickers:
            params["market_tickers"] = list(tickers)
        if channel == _BOOKS:
            params["use_yes_price"] = self._yes_priced
        if channel == "ticker":
            params["send_initial_snapshot"] = True
        self._asked[self._next_id] = _Subscription(channel, set(tickers), now)
        self._send("subscribe", params, out)

    def _read_again(
        self, subscription: _Subscription, tickers: Iterable[str], now: Instant, out: Output
    ) -> None:
        tickers = sorted(tickers)
        self._stale |= dict.fromkeys(tickers, now)
        self._update(subscription, "get_snapshot", tickers, out)

    def _drop(self, subscription: _Subscription, gone: set[str], out: Output) -> None:
        dropped = sorted(subscription.tickers & gone)
        subscription.tickers -= gone
        if subscription.tickers:
            self._update(subscription, "delete_markets", dropped, out)
        else:
            del self._by_sid[subscription.sid]
            self._send("unsubscribe", {"sids": [subscription.sid]}, out)

    def _update(self, subscription: _Subscription, action: str, tickers: Sequence[str], out: Output) -> None:
        params = {"sids": [subscription.sid], "market_tickers": list(tickers), "action": action}
        self._send("update_subscription", params, out)

    def _send(self, command: str, params: dict[str, object], out: Output) -> None:
        out.commands.append(msgspec.json.encode({"id": self._next_id, "cmd": command, "params": params}))
        self._next_id += 1

    def _books(self) -> list[_Subscription]:
        return [s for s in self._by_sid.values() if s.channel == _BOOKS]
