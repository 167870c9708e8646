"""The composition root: figures that must fit each other."""

from __future__ import annotations

import math

import pytest

from shared.clock import SECOND
from shared.pipeline.places import HEARTBEAT, quote_age


@pytest.mark.parametrize("listing_s", [5.0, 10.0, 20.0, 30.0, 45.0, 60.0])
def test_a_listing_that_stands_still_is_said_again_before_it_counts_as_old(listing_s: float) -> None:
    polls = math.ceil(HEARTBEAT / (listing_s * SECOND))
    late = listing_s * SECOND / 2
    assert polls * listing_s * SECOND + late <= quote_age(listing_s)
