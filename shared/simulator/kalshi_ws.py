"""The exchange's WebSocket as a conversation: commands in, frames out, one session per connection.

Every subscription has a ``sid``; on sequenced channels its frames and replies share one ``seq`` that starts
at 1. Frames are handed to ``send`` in order; the server puts them on the socket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.clock import SECOND, Instant, format_instant
from shared.money import Quantity, complement, format_price, format_quantity
from shared.simulator.accounts import Account
from shared.simulator.kalshi_frames import (
    event_body,
    life_body,
    market_id,
    snapshot_body,
    ticker_body,
    trade_body,
)
from shared.simulator.kalshi_http import KalshiApi
from shared.simulator.market import (
    BookChanged,
    LifeChanged,
    Market,
    MemberNotice,
    Notice,
    TopChanged,
    Traded,
)
from shared.simulator.scenario import Kind
from shared.simulator.tickets import MemberOrder

Json = dict[str, Any]
HEARTBEAT = b"heartbeat"
HEARTBEAT_S = 10.0
_ACTIONS = ("add_markets", "delete_markets", "get_snapshot")
_SEQUENCED = frozenset({"orderbook_delta", "trade", "market_lifecycle_v2", "order_group_updates"})
_PRIVATE = {
    "fill": "fill",
    "user_order": "user_orders",
    "market_position": "market_positions",
    "order_group_updates": "order_group_updates",
}
# Channels that tell of everything whatever markets are asked for.
_UNFILTERED = ("market_lifecycle_v2", "order_group_updates")
# A frame put behind the next one goes out alone when none comes.
_SWAP_WITHIN = SECOND
_CHANNELS = _SEQUENCED | {"ticker", *_PRIVATE.values()}
_ERRORS = {
    1: "Unable to process message",
    2: "Params required",
    3: "Channels required",
    4: "Subscription IDs required",
    5: "Unknown command",
    7: "Unknown subscription ID",
    8: "Unknown channel name",
    11: "Invalid parameter",
    12: "Exactly one subscription ID is required",
    13: "Unsupported action",
    14: "Market Ticker required",
    15: "Action required",
    25: "Subscription buffer overflow",
}


class CommandError(Exception):
    """A refused command: the number of :data:`_ERRORS`."""

    def __init__(self, code: int) -> None:
        super().__init__(_ERRORS[code])
        self.code = code


@dataclass(eq=False)
class Subscription:
    """One channel of a connection. ``tickers`` ``None`` means every market."""

    sid: int
    channel: str
    tickers: dict[str, None] | None = None
    yes_price: bool = False
    seq: int = field(default=0)

    def covers(self, ticker: str) -> bool:
        """Whether frames about ``ticker`` belong here."""
        return self.tickers is None or ticker in self.tickers


class Session:
    """One authenticated connection."""

    def __init__(
        self, api: KalshiApi, account: Account, send: Callable[[bytes], None], drop: Callable[[], None]
    ) -> None:
        self._api = api
        self._exchange = api.world.exchange
        self._account = account
        self._send = send
        self._drop = drop
        self._subscriptions: dict[int, Subscription] = {}
        self._next_sid = 1
        self._held: list[Json] = []
        self._closed = False
        self._exchange.listen(self._hear)

    def close(self) -> None:
        """Forget everything; nothing survives a connection."""
        self._exchange.forget(self._hear)
        self._subscriptions.clear()
        self._held.clear()
        self._closed = True

    # --- commands ------------------------------------------------------------------------------------------

    def receive(self, text: str | bytes) -> None:
        """Obey one command and answer it."""
        self._api.advance()
        number: object = None
        try:
            command = msgspec.json.decode(text)
            if not isinstance(command, dict):
                raise CommandError(1)
            number = command.get("id")
            self._obey(command)
        except CommandError as error:
            self._answer(number, {"type": "error", "msg": {"code": error.code, "msg": str(error)}})
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._answer(number, {"type": "error", "msg": {"code": 1, "msg": _ERRORS[1]}})

    def _obey(self, command: Json) -> None:
        number, name = command.get("id"), command.get("cmd")
        if name == "list_subscriptions":
            rows = [{"channel": s.channel, "sid": s.sid} for s in self._subscriptions.values()]
            return self._answer(number, {"type": "ok", "msg": rows})
        actions: dict[str, Callable[[object, Json], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "update_subscription": self._update,
        }
        action = actions.get(name) if isinstance(name, str) else None
        if action is None:
            raise CommandError(5)
        params = command.get("params")
        if not isinstance(params, dict):
            raise CommandError(2)
        return action(number, params)

    def _subscribe(self, number: object, params: Json) -> None:
        channels = params.get("channels")
        if not isinstance(channels, list) or not channels:
            raise CommandError(3)
        if not all(isinstance(name, str) and name in _CHANNELS for name in channels):
            raise CommandError(8)
        tickers = _tickers(params)
        if tickers is None and "orderbook_delta" in channels:
            raise CommandError(14)
        for channel in channels:
            self._open(number, channel, tickers, params)

    def _open(self, number: object, channel: str, tickers: list[str] | None, params: Json) -> None:
        sid, self._next_sid = self._next_sid, self._next_sid + 1
        limited = None if tickers is None or channel in _UNFILTERED else dict.fromkeys(tickers)
        subscription = Subscription(sid, channel, limited, params.get("use_yes_price") is True)
        self._subscriptions[sid] = subscription
        self._answer(number, {"type": "subscribed", "msg": {"channel": channel, "sid": sid}})
        if channel == "orderbook_delta":
            self._snapshots(subscription, tickers or [])
        elif channel == "ticker" and params.get("send_initial_snapshot") is True:
            for market in self._known(tickers):
                self._frame(subscription, "ticker", ticker_body(market))

    def _unsubscribe(self, number: object, params: Json) -> None:
        sids = params.get("sids")
        if not isinstance(sids, list) or not sids:
            raise CommandError(4)
        if not all(isinstance(sid, int) and sid in self._subscriptions for sid in sids):
            raise CommandError(7)
        for sid in dict.fromkeys(sids):
            subscription = self._subscriptions.pop(sid)
            self._answer(number, {"sid": sid, **self._seq(subscription), "type": "unsubscribed"})

    def _update(self, number: object, params: Json) -> None:
        subscription = self._chosen(params)
        action, tickers = params.get("action"), _tickers(params)
        if not action:
            raise CommandError(15)
        if action not in _ACTIONS:
            raise CommandError(13)
        if not tickers:
            raise CommandError(14)
        if action == "get_snapshot":
            return self._snapshots(subscription, tickers, number)
        if subscription.tickers is None:
            raise CommandError(11)
        fresh = [ticker for ticker in tickers if ticker not in subscription.tickers]
        if action == "add_markets":
            subscription.tickers.update(dict.fromkeys(tickers))
        else:
            for ticker in tickers:
                subscription.tickers.pop(ticker, None)
        body = {"market_tickers": list(subscription.tickers)}
        sid = subscription.sid
        self._answer(number, {"sid": sid, **self._seq(subscription), "type": "ok", "msg": body})
        if action == "add_markets" and subscription.channel == "orderbook_delta":
            self._snapshots(subscription, fresh)
        return None

    def _chosen(self, params: Json) -> Subscription:
        sids = params.get("sids") if params.get("sid") is None else [params["sid"]]
        if not isinstance(sids, list) or len(sids) != 1:
            raise CommandError(12)
        found = self._subscriptions.get(sids[0]) if isinstance(sids[0], int) else None
        if found is None:
            raise CommandError(7)
        return found

    # --- frames --------------------------------------------------------------------------------------------

    def _snapshots(self, subscription: Subscription, tickers: list[str], number: object = None) -> None:
        for ticker in tickers:
            body = snapshot_body(self._exchange.markets.get(ticker), ticker, subscription.yes_price)
            self._frame(subscription, "orderbook_snapshot", body, number)

    def _known(self, tickers: list[str] | None) -> list[Market]:
        names = list(self._exchange.markets) if tickers is None else tickers
        return [self._exchange.markets[name] for name in names if name in self._exchange.markets]

    def _seq(self, subscription: Subscription) -> Json:
        if subscription.channel not in _SEQUENCED:
            return {}
        subscription.seq += 1
        return {"seq": subscription.seq}

    def _frame(self, subscription: Subscription, kind: str, body: Json, number: object = None) -> None:
        frame: Json = {"type": kind, "sid": subscription.sid, **self._seq(subscription), "msg": body}
        if number is not None:
            frame["id"] = number
        if "seq" in frame and self._api.faults.strikes("ws_gap"):
            return
        plan = self._api.faults.plan
        fate = plan.frame(kind) if plan is not None else None
        if fate is None:
            self._put(frame)
        else:
            self._suffer(*fate, frame)

    def _suffer(self, fault: Kind, seconds: float, frame: Json) -> None:
        """Do to a frame what the scenario says instead of sending it."""
        if fault is Kind.DISCONNECT:
            self._drop()
        elif fault is Kind.OVERFLOW:
            self._put({"type": "error", "msg": {"code": 25, "msg": _ERRORS[25]}})
            self._drop()
        elif fault is Kind.SWAP:
            self._held.append(frame)
            self._later(_SWAP_WITHIN, self._release)
        elif fault is Kind.DUPLICATE:
            self._put(frame)
            self._later(round(seconds * SECOND), lambda: self._put(dict(frame)))
        elif fault is Kind.LATE:
            self._later(round(seconds * SECOND), lambda: self._put(frame))

    def _later(self, micros: int, action: Callable[[], None]) -> None:
        def act(_: Instant) -> None:
            if not self._closed:
                action()

        self._api.world.at(self._exchange.now + micros, act)

    def _release(self) -> None:
        held, self._held = self._held, []
        for frame in held:
            self._send_now(frame)

    def _answer(self, number: object, frame: Json) -> None:
        self._put(frame if number is None else {"id": number, **frame})

    def _put(self, frame: Json) -> None:
        if self._api.faults.strikes("ws_drop"):
            return self._drop()
        self._send_now(frame)
        return self._release()

    def _send_now(self, frame: Json) -> None:
        frame["sending_ts_ms"] = self._exchange.now // 1000
        self._send(msgspec.json.encode(frame))

    # --- what is heard from the exchange -------------------------------------------------------------------

    def _hear(self, notice: Notice) -> None:
        # Most frequent first; the work of building a body is done only for who wants it.
        if isinstance(notice, BookChanged):
            self._book_changed(notice)
        elif isinstance(notice, TopChanged):
            for subscription in self._of("ticker", notice.market.ticker):
                self._frame(subscription, "ticker", ticker_body(notice.market))
        elif isinstance(notice, Traded):
            for subscription in self._of("trade", notice.trade.ticker):
                self._frame(subscription, "trade", trade_body(notice.trade))
        elif isinstance(notice, MemberNotice):
            self._private(notice)
        else:
            self._life_changed(notice)

    def _of(self, channel: str, ticker: str) -> list[Subscription]:
        return [s for s in self._subscriptions.values() if s.channel == channel and s.covers(ticker)]

    def _book_changed(self, notice: BookChanged) -> None:
        for subscription in self._of("orderbook_delta", notice.market.ticker):
            self._frame(subscription, "orderbook_delta", self._delta(notice, subscription.yes_price))

    def _delta(self, notice: BookChanged, yes_price: bool) -> Json:
        order, now = notice.order, self._exchange.now
        price = order.price if order.bid or yes_price else complement(order.price)
        body: Json = {
            "market_ticker": notice.market.ticker,
            "market_id": market_id(notice.market.ticker),
            "clock": notice.market.clock,
            "price_dollars": format_price(price),
            "delta_fp": format_quantity(Quantity(notice.lots)),
            "side": "yes" if order.bid else "no",
            "ts": format_instant(now),
            "ts_ms": now // 1000,
        }
        if isinstance(order, MemberOrder) and order.owner is self._account:
            body |= {"client_order_id": order.client_order_id, "subaccount": 0}
        return body

    def _private(self, notice: MemberNotice) -> None:
        if notice.account is not self._account:
            return
        ticker = str(notice.body.get("market_ticker", notice.body.get("ticker")))
        for subscription in self._of(_PRIVATE[notice.kind], ticker):
            if not self._api.faults.strikes("ws_lost_private"):
                self._frame(subscription, notice.kind, dict(notice.body))

    def _life_changed(self, notice: LifeChanged) -> None:
        market = notice.market
        for subscription in self._of("market_lifecycle_v2", market.ticker):
            if notice.event_type == "created" and market.contract is market.event.contracts[0]:
                self._frame(subscription, "event_lifecycle", event_body(market))
            self._frame(subscription, "market_lifecycle_v2", life_body(market, notice.event_type))


def _tickers(params: Json) -> list[str] | None:
    """``market_ticker`` or ``market_tickers``, not both."""
    one, many = params.get("market_ticker"), params.get("market_tickers")
    if one is not None and many is not None:
        raise CommandError(11)
    found = [one] if one is not None else many
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(ticker, str) for ticker in found):
        raise CommandError(11)
    return list(dict.fromkeys(found))
