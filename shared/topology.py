"""Which function is called by what: the one list that code, tests and deployment agree on.

Every message also goes from its topic to the table of its topic; that needs no function.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.clock import DAY, MINUTE, SECOND
from shared.messages import (
    AlertRaised,
    MappingDecided,
    MarketListed,
    OddsSeen,
    OpportunityAssessed,
    PropsScraped,
    SignalRaised,
)

# Whole messages that can never be handled, each with its reason; a subscription of the same name keeps them.
DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class Function:
    """A deployable: ``functions/{name}/main.py``, called at ``schedule`` or with messages of ``topics``.

    ``schedule`` is in cron's words; one that has both keeps in memory what it is told, and is one instance.
    """

    name: str
    schedule: str = ""
    topics: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """Name of its service: no underscores there."""
        return self.name.replace("_", "-")

    def subscription(self, topic: str) -> str:
        """Name of its subscription to ``topic``."""
        return f"{topic}-{self.service}"


FUNCTIONS: tuple[Function, ...] = (
    Function("kalshi_scraper", schedule="* * * * *"),
    Function("odds_scraper", schedule="* * * * *"),
    Function("props_scraper", schedule="*/5 * * * *"),
    Function("props_processor", topics=(PropsScraped.TOPIC,)),
    Function("event_mapper", schedule="*/5 * * * *", topics=(MarketListed.TOPIC,)),
    Function("edge_detector", topics=(MarketListed.TOPIC, MappingDecided.TOPIC, OddsSeen.TOPIC)),
    Function("settlement", schedule="*/2 * * * *"),
    Function("reconciler", schedule="*/5 * * * *"),
    Function("alerts", topics=(AlertRaised.TOPIC,)),
)
BY_NAME: dict[str, Function] = {function.name: function for function in FUNCTIONS}

# Seconds after which a message of these topics is of no use: a listing that stands is said again every minute
# and a quote is dead after two. A mapping is said once, and stands.
MAX_AGE_S: dict[str, float] = {
    MarketListed.TOPIC: 10 * MINUTE / SECOND,
    OddsSeen.TOPIC: 10 * MINUTE / SECOND,
    AlertRaised.TOPIC: DAY / SECOND,
}

# The always-on service pulls: it must be able to let a stale signal wait, and to refuse it. What is weighed
# anew tells it that a signal's ground is gone.
EXECUTION_TOPICS = (SignalRaised.TOPIC, OpportunityAssessed.TOPIC)
