"""Messages survive the wire; what is not a message is refused with a word of the error tree."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import Instant
from shared.errors import FutureSchemaError, MalformedError, QuarantineError
from shared.messages import (
    BY_TABLE,
    BY_TOPIC,
    MAX_MESSAGE_BYTES,
    MESSAGES,
    SCHEMA_VERSION,
    FillRecorded,
    MarketListed,
    MarketSettled,
    Message,
    TickSeen,
    decode,
    encode,
    seal,
)
from shared.money import Price, Quantity, Usd
from shared.schema.columns import columns
from shared.terms import MarketStatus, Side

TICK = TickSeen(observed_at=Instant(1_790_000_000_000_000), ticker="KXTEST-1", yes_bid=Price(480_000))


MARKET = MarketListed(observed_at=Instant(0), ticker="T", event_ticker="E", series_ticker="S")

# What each needs beyond the fields all three have.
SHARED_FIELDS: dict[type[Message], dict[str, object]] = {
    TickSeen: {},
    MarketListed: {"series_ticker": "S"},
    MarketSettled: {"result": "yes", "payout_yes": 0},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


# Plain numbers where Hypothesis infers a field from its type: the wire has no NaN.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**53), 2**53))


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_every_message_survives_the_wire(kind: type[Message], data: st.DataObject) -> None:
    message = seal(data.draw(st.builds(kind)))
    assert decode(kind.TOPIC, encode(message)) == message


def test_the_wire_form_has_its_keys_in_one_order() -> None:
    assert encode(TICK) == encode(decode(TickSeen.TOPIC, encode(TICK)))


def test_topics_tables_and_fields_are_usable_names() -> None:
    assert len(BY_TOPIC) == len(BY_TABLE) == len(MESSAGES)
    for kind in MESSAGES:
        assert kind.TABLE.replace("_", "").isalnum()
        assert len(kind.TOPIC) >= 3
        names = {column.name for column in columns(kind)}
        assert set(kind.CLUSTER) <= names
        assert len(kind.CLUSTER) <= 4  # BigQuery's limit


def test_the_event_id_is_derived_from_content_not_from_the_trace() -> None:
    assert seal(TICK, "trace-1").event_id == seal(TICK, "trace-2").event_id
    assert seal(TICK).event_id != seal(msgspec.structs.replace(TICK, yes_bid=Price(490_000))).event_id


def test_sealing_twice_changes_nothing() -> None:
    assert seal(seal(TICK, "t")) == seal(TICK, "t")


def test_messages_of_different_topics_never_share_an_event_id() -> None:
    bare = {"observed_at": 1, "ticker": "T", "event_ticker": "E"}
    sealed = [seal(msgspec.convert(bare | more, kind)) for kind, more in SHARED_FIELDS.items()]
    assert len({message.event_id for message in sealed}) == len(sealed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"observed_at": "now", "ticker": "T"}',
        b'{"observed_at": 1.5, "ticker": "T"}',
        b'{"observed_at": null, "ticker": "T"}',
        b'{"observed_at": 1, "ticker": 5}',
        b'{"observed_at": 1, "ticker": "T", "yes_bid": "0.48"}',
        b'{"observed_at": 1, "ticker": "T", "yes_bid": NaN}',
        b'{"observed_at": 1, "ticker": "T", "yes_bid": 1e999}',
        b'{"observed_at": 1, "ticker": "T", "yes_bid": [1]}',
        b'{"observed_at": 1, "ticker": "T", "schema_version": "one"}',
        b'{"observed_at": 1, "ticker": "T"} trailing',
        b'{"observed_at": 1, "ticker": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"x":' * 100_000,
        b'{"observed_at": 1, "ticker": "T", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
    ids=lambda data: data[:40].decode(errors="replace"),
)
def test_what_is_not_a_message_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(TickSeen.TOPIC, data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_input_to_quarantine(data: bytes) -> None:
    with pytest.raises(QuarantineError):
        decode(TickSeen.TOPIC, data)


@given(json_values)
def test_any_json_without_the_required_fields_is_input_to_quarantine(value: object) -> None:
    with pytest.raises(QuarantineError):
        decode(FillRecorded.TOPIC, json.dumps(value).encode())


def test_an_unknown_topic_is_malformed() -> None:
    with pytest.raises(MalformedError, match="unknown topic 'nope'"):
        decode("nope", b"{}")


def test_an_oversized_message_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MalformedError, match="over the"):
        decode(TickSeen.TOPIC, b" " * (MAX_MESSAGE_BYTES + 1))


def test_a_newer_schema_is_refused_as_such() -> None:
    data = json.dumps({"schema_version": SCHEMA_VERSION + 1, "observed_at": "in another form"}).encode()
    with pytest.raises(FutureSchemaError, match="upgrade"):
        decode(TickSeen.TOPIC, data)


def test_a_field_this_version_does_not_know_is_ignored() -> None:
    data = json.loads(encode(TICK)) | {"added_later": {"x": 1}}
    assert decode(TickSeen.TOPIC, json.dumps(data).encode()) == TICK


def test_a_word_the_venue_added_is_unknown_not_an_error() -> None:
    data = json.loads(encode(MARKET)) | {"status": "paused_for_review"}
    found = decode(MarketListed.TOPIC, json.dumps(data).encode())
    assert isinstance(found, MarketListed)
    assert found.status is MarketStatus.UNKNOWN


def test_a_side_we_do_not_know_is_malformed() -> None:
    fill = FillRecorded(
        observed_at=Instant(0),
        fill_id="f",
        order_id="o",
        signal_id="s",
        ticker="T",
        event_ticker="E",
        side=Side.YES,
        price=Price(1),
        quantity=Quantity(1),
        fee=Usd(0),
    )
    data = json.loads(encode(fill)) | {"side": "maybe"}
    with pytest.raises(MalformedError):
        decode(FillRecorded.TOPIC, json.dumps(data).encode())


def test_a_float_that_is_no_number_never_reaches_the_wire_as_one() -> None:
    market = MarketListed(
        observed_at=Instant(0), ticker="T", event_ticker="E", series_ticker="S", floor_strike=math.nan
    )
    found = decode(MarketListed.TOPIC, encode(market))
    assert isinstance(found, MarketListed)
    assert found.floor_strike is None
