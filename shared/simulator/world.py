"""One deterministic world: the fixture list, the truth of each game, and the exchange and bookmakers over it.

The world is advanced to an instant and does everything that falls due on the way, in order, from its own
seeded streams. Who asks, when and how often changes nothing, so the same seed and the same orders at the same
instants give the same bytes.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from shared.clock import DAY, MINUTE, SECOND, Instant
from shared.money import Price
from shared.simulator.bookmakers import Feed
from shared.simulator.catalog import Listing, combo
from shared.simulator.contracts import Event, series_table
from shared.simulator.exchange import Exchange, result_of
from shared.simulator.flow import Desk
from shared.simulator.market import Market
from shared.simulator.model import STEP, Latent
from shared.simulator.orders import OrderDesk
from shared.simulator.players import Squad
from shared.simulator.prop_listing import prop_events, prop_series
from shared.simulator.schedule import DEMO, Game, Preset, Script, postponed, slate

Action = Callable[[Instant], int | None]

# Settled events stay on the live endpoints for a while before they move to the historical partition.
_KEEP_SETTLED = DAY
_OPENS_AFTER = 5 * MINUTE


@dataclass(eq=False)
class Contest:
    """A game with its truth, its markets and the odds feed's listing of it."""

    game: Game
    latent: Latent
    events: tuple[Event, ...] = ()
    markets: list[Market] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    squad: Squad | None = None
    props: list[Market] = field(default_factory=list)
    over: bool = False

    @property
    def home_score(self) -> int:
        """Points of the home side now."""
        return (self.latent.final or self.latent.now.score)[0]

    @property
    def away_score(self) -> int:
        """Points of the visitors now."""
        return (self.latent.final or self.latent.now.score)[1]


class World:
    """Everything there is, at ``now``. ``advance`` is the only thing that moves it."""

    def __init__(self, seed: int, start: Instant, preset: Preset = DEMO) -> None:
        self.seed = seed
        self.preset = preset
        self.now = start
        self.contests: list[Contest] = []
        self.exchange = Exchange(seed, series_table() | (prop_series() if preset.players else {}), start)
        self.orders = OrderDesk(self.exchange)
        self.feed = Feed(seed, self)
        self._due: list[tuple[int, int, Action]] = []
        self._order = count()
        self._slates = count()
        self._used: set[str] = set()
        # What a scenario decides instead of the score, and whom it tells of settlements.
        self.ruling: Callable[[Market], Price | None] = lambda _: None
        self.on_settled: Callable[[Market], None] = lambda _: None
        self.at(start, self._list_slate)
        self.at(start, self._expire_orders)
        self.advance(start)

    def advance(self, to: Instant) -> None:
        """Do everything due up to and including ``to``. Going back is ignored: time does not."""
        while self._due and self._due[0][0] <= to:
            due, _, action = heapq.heappop(self._due)
            self._tell(Instant(due))
            again = action(Instant(due))
            if again is not None:
                self.at(again, action)
        self._tell(Instant(max(self.now, to)))

    def _tell(self, now: Instant) -> None:
        self.now = self.exchange.now = now

    def at(self, due: int, action: Action) -> None:
        """Do ``action`` at ``due``, in its turn; it may return when to be done again."""
        heapq.heappush(self._due, (due, next(self._order), action))

    # --- switches ------------------------------------------------------------------------------------------

    def halt(self, ticker: str) -> None:
        """Stop trading in one market; what rests stays."""
        self.exchange.halt(self.exchange.markets[ticker])

    def resume(self, ticker: str) -> None:
        """Let a halted market trade again."""
        self.exchange.activate(self.exchange.markets[ticker])

    def correct(self, ticker: str, payout: Price) -> None:
        """Change what a determined or settled market is worth per YES."""
        self.exchange.correct(self.exchange.markets[ticker], payout, self.orders.pay_difference)

    # --- listing -------------------------------------------------------------------------------------------

    def _list_slate(self, now: Instant) -> int | None:
        number = next(self._slates)
        games = slate(self.seed, number, now, self.preset)
        fresh = [game for game in games if game.key not in self._used]
        self._used |= {game.key for game in fresh}
        # The first slate was listed long ago; later ones appear, then open.
        created = Instant(now - 2 * DAY) if number == 0 else now
        for game in fresh:
            self._open_contest(game, created, now)
        self._list_combos(number, created)
        every = self.preset.slate_every_s
        return now + every * SECOND if every else None

    def _open_contest(self, game: Game, created: Instant, now: Instant) -> None:
        contest = Contest(game, Latent(game, self.seed, now))
        opens = Instant(created + _OPENS_AFTER)
        listing = Listing(game, contest.latent.now, self.exchange.series, created, opens)
        contest.events = listing.events()
        for event in contest.events:
            contest.markets += self.exchange.list_event(event)
        self._list_props(contest, created, opens, now)
        self.contests.append(contest)
        self.feed.add(contest)
        self.at(max(opens, now), lambda at: self._open(contest, at))
        self.at(now + STEP, lambda at: self._evolve(contest, at))

    def _list_props(self, contest: Contest, created: Instant, opens: Instant, now: Instant) -> None:
        squad = Squad.draw(contest.game, self.seed, now, self.preset.players)
        if not squad.athletes:
            return
        contest.squad = squad
        events = prop_events(squad, self.exchange.series, created, opens)
        contest.events += events
        for event in events:
            contest.props += self.exchange.list_event(event)

    def _list_combos(self, number: int, created: Instant) -> None:
        rng = random.Random(f"{self.seed}/combos/{number}")  # noqa: S311 - a simulation
        contracts = [market.contract for contest in self.contests for market in contest.markets]
        for index in range(self.preset.combos):
            contract = combo(index, rng.sample(contracts, 3), created)
            series = self.exchange.series[contract.series_ticker]
            event = Event(contract.event_ticker, series, None, (contract,), {})
            for market in self.exchange.list_event(event):
                self.exchange.activate(market)

    def _open(self, contest: Contest, now: Instant) -> None:
        self._start_desks(contest, contest.markets, "flow", now)
        # Ladders have a stream of their own: listing them changes no other market.
        self._start_desks(contest, contest.props, "props", now)

    def _start_desks(self, contest: Contest, markets: list[Market], stream: str, now: Instant) -> None:
        rng = random.Random(f"{self.seed}/{stream}/{contest.game.odds_id}")  # noqa: S311 - a simulation
        for market in markets:
            self.exchange.activate(market)
            desk = Desk(self.exchange, market, contest.latent, rng)
            contest.desks.append(desk)
            self.at(desk.requote(now), self._living(contest, desk.requote))
            self.at(desk.take(now), self._living(contest, desk.take))

    def _living(self, contest: Contest, action: Callable[[Instant], int]) -> Action:
        return lambda now: None if contest.over else action(now)

    # --- the game ------------------------------------------------------------------------------------------

    def _evolve(self, contest: Contest, now: Instant) -> int | None:
        game, latent = contest.game, contest.latent
        if now < game.start:
            latent.drift(now)
            if contest.squad is not None:
                contest.squad.drift(now)
            return min(now + STEP, game.start)
        if game.script is Script.POSTPONED and latent.now.played == 0.0:
            self._postpone(contest)
            return now + STEP
        latent.play(now)
        if contest.squad is not None:
            contest.squad.play(now, latent.now.played)
        if now - game.start < game.length:
            return min(now + latent.play_step, game.start + game.length)
        self._finish(contest, now)
        return None

    def _postpone(self, contest: Contest) -> None:
        """The game is put off by a day; the exchange keeps its tickers, the feed lists it again."""
        contest.game = contest.latent.game = postponed(contest.game)
        self.feed.add(contest)
        for market in (*contest.markets, *contest.props):
            self.exchange.postpone(market, Instant(market.closes + DAY))

    def _finish(self, contest: Contest, now: Instant) -> None:
        contest.latent.finish(now)
        contest.over = True
        for desk in contest.desks:
            desk.leave()
        for market in (*contest.markets, *contest.props):
            self.orders.close_market(market)
            self.exchange.close(market)
        self.at(now + self.preset.determine_after_s * SECOND, lambda at: self._determine(contest, at))

    def _determine(self, contest: Contest, now: Instant) -> None:
        score = contest.latent.final
        assert score is not None  # noqa: S101 - the game is over
        for market in (*contest.markets, *contest.props):
            contract = market.contract
            result, payout = contract.question.payout(score, contest.game.league.three_way)
            ruled = self.ruling(market)
            if ruled is not None:
                result, payout = result_of(ruled), ruled
            self.exchange.determine(market, result, payout)
        timer = contest.markets[0].contract.timer_s
        self.at(now + timer * SECOND, lambda at: self._settle(contest, at))

    def _settle(self, contest: Contest, now: Instant) -> None:
        for market in (*contest.markets, *contest.props):
            self.exchange.settle(market, self.orders.pay_out)
            self.on_settled(market)
        self.at(now + _KEEP_SETTLED, lambda at: self._archive(contest))

    def _archive(self, contest: Contest) -> None:
        for event in contest.events:
            self.exchange.drop_event(event.ticker)
        self.contests.remove(contest)
        self.feed.drop(contest)

    def _expire_orders(self, now: Instant) -> int:
        self.orders.expire(now)
        return now + SECOND
