"""A nautilus_trader backtest over synthetic book changes: ``python nautilus_backtest.py EVENTS``.

One instrument, one price level changed an event, and a Python strategy that looks at the best bid and ask of
the book the engine keeps. Prints events per CPU second of the run alone.
"""

# The peer is not installed where types are checked.
# mypy: disable-error-code="import-not-found,misc,no-untyped-def,no-any-return,call-arg"
from __future__ import annotations

import json
import random
import sys
import time
from decimal import Decimal

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import AccountType, BookAction, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

_START_NS = 1_790_000_000_000_000_000
_VENUE = Venue("SIM")


class LookConfig(StrategyConfig, frozen=True):
    """Which book to look at."""

    instrument_id: InstrumentId


class Look(Strategy):
    """Compares best prices, as cheap a callback as there is."""

    def __init__(self, config: LookConfig) -> None:
        super().__init__(config)
        self.seen = self.tempted = 0

    def on_start(self) -> None:
        self.subscribe_order_book_deltas(self.config.instrument_id, book_type=BookType.L2_MBP)

    def on_order_book_deltas(self, deltas) -> None:
        self.seen += 1
        book = self.cache.order_book(self.config.instrument_id)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is not None and ask is not None and ask - bid > 1:
            self.tempted += 1


def instrument() -> CurrencyPair:
    """Something priced in whole cents between 0 and 1."""
    identity = InstrumentId(Symbol("YES/USD"), _VENUE)
    return CurrencyPair(
        instrument_id=identity,
        raw_symbol=identity.symbol,
        base_currency=USD,
        quote_currency=USD,
        price_precision=2,
        size_precision=2,
        price_increment=Price(0.01, 2),
        size_increment=Quantity(0.01, 2),
        lot_size=None,
        max_quantity=None,
        min_quantity=None,
        max_price=None,
        min_price=None,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
    )


def deltas(identity: InstrumentId, events: int) -> list[OrderBookDelta]:
    """Levels set anew, bids below 50c and asks above."""
    rng = random.Random(7)  # noqa: S311 - figures, not secrets
    made = []
    for number in range(events):
        side = rng.choice((OrderSide.BUY, OrderSide.SELL))
        cents = rng.randrange(30, 50) if side == OrderSide.BUY else rng.randrange(51, 70)
        order = BookOrder(side, Price(cents / 100, 2), Quantity(rng.randrange(1, 500), 2), cents)
        at = _START_NS + number * 1_000_000
        made.append(OrderBookDelta(identity, BookAction.UPDATE, order, 0, number, at, at))
    return made


def main(events: int) -> None:
    """Build the engine, run, print."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=_VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(1_000_000, USD)],
        base_currency=USD,
        book_type=BookType.L2_MBP,
    )
    traded = instrument()
    engine.add_instrument(traded)
    strategy = Look(LookConfig(instrument_id=traded.id))
    engine.add_strategy(strategy)
    engine.add_data(deltas(traded.id, events))
    started = time.process_time()
    engine.run()
    took = time.process_time() - started
    print(json.dumps({"events": strategy.seen, "per_s": strategy.seen / took}))
    engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]))
