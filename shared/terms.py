"""The field's words: sides, kinds, statuses. Every enum that comes from outside knows ``UNKNOWN``.

An unknown value parses, and nothing downstream trades on it.
"""

from __future__ import annotations

from enum import StrEnum


class Outside(StrEnum):
    """An enum whose values a venue may extend: anything unseen becomes ``UNKNOWN``."""

    @classmethod
    def _missing_(cls, value: object) -> Outside | None:
        return cls.__members__.get("UNKNOWN")  # type: ignore[return-value,unused-ignore]


class Side(StrEnum):
    """Which side of a binary contract is bought."""

    YES = "yes"
    NO = "no"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.NO if self is Side.YES else Side.YES


class MarketStatus(Outside):
    """Where a market stands in its life, in the exchange's own words."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    DISPUTED = "disputed"
    AMENDED = "amended"
    FINALIZED = "finalized"
    UNKNOWN = "unknown"


class MarketShape(Outside):
    """How a market pays."""

    BINARY = "binary"
    SCALAR = "scalar"
    UNKNOWN = "unknown"


class StrikeType(Outside):
    """How the outcome is compared with the strike."""

    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    BETWEEN = "between"
    FUNCTIONAL = "functional"
    CUSTOM = "custom"
    STRUCTURED = "structured"
    NONE = ""
    UNKNOWN = "unknown"


class FeeType(Outside):
    """Which formula the exchange charges by."""

    QUADRATIC = "quadratic"
    QUADRATIC_WITH_MAKER_FEES = "quadratic_with_maker_fees"
    QUADRATIC_WITH_COMBO_MAKER_FEES = "quadratic_with_combo_maker_fees"
    FLAT = "flat"
    UNKNOWN = "unknown"


class Result(Outside):
    """How a market was settled; ``PENDING`` until it is."""

    PENDING = ""
    YES = "yes"
    NO = "no"
    SCALAR = "scalar"
    UNKNOWN = "unknown"


class MarketKind(StrEnum):
    """What a market is about, independent of venue."""

    WINNER = "winner"
    THREE_WAY = "three_way"
    SPREAD = "spread"
    TOTAL = "total"
    TEAM_TOTAL = "team_total"
    PLAYER_PROP = "player_prop"
    EXTRA_INNINGS = "extra_innings"
    FUTURE = "future"
    COMBO = "combo"
    MENTION = "mention"
    OTHER = "other"


class Period(StrEnum):
    """The part of the game a market is about."""

    FULL_GAME = "full_game"
    FIRST_HALF = "first_half"
    SECOND_HALF = "second_half"
    FIRST_QUARTER = "first_quarter"
    SECOND_QUARTER = "second_quarter"
    THIRD_QUARTER = "third_quarter"
    FOURTH_QUARTER = "fourth_quarter"
    FIRST_PERIOD = "first_period"
    SECOND_PERIOD = "second_period"
    THIRD_PERIOD = "third_period"
    FIRST_FIVE_INNINGS = "first_five_innings"
    SINGLE_INNING = "single_inning"
    REGULATION = "regulation"
    OTHER = "other"


class OrderStatus(StrEnum):
    """Where an order stands. ``UNKNOWN`` blocks its market until the venue has been asked."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    RESTING = "resting"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Profile(StrEnum):
    """How much net edge a trader asks for."""

    CONSERVATIVE = "conservative"
    STANDARD = "standard"
    AGGRESSIVE = "aggressive"
    VERY_AGGRESSIVE = "very_aggressive"
    ANY_EDGE = "any_edge"
    SCALP = "scalp"
