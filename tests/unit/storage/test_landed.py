"""Event Grid's word that a blob has landed: both schemas, and everything else is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.codec import encode
from shared.errors import MalformedError
from shared.model import Envelope
from shared.storage.landed import KIND, envelope_of, names_of

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
SUBJECT = "/blobServices/default/containers/landing/blobs/mail/m1.eml"


def grid(**changes):
    event = {
        "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
        "subject": SUBJECT,
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": "e1",
        "eventTime": "2026-04-01T08:59:58.1234567Z",
        "data": {"api": "PutBlob", "url": "https://a.blob.core.windows.net/landing/mail/m1.eml"},
        "dataVersion": "",
        "metadataVersion": "1",
    }
    return {**event, **changes}


def cloud(**changes):
    event = {
        "specversion": "1.0",
        "source": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
        "subject": SUBJECT,
        "type": "Microsoft.Storage.BlobCreated",
        "id": "e1",
        "time": "2026-04-01T08:59:58Z",
        "data": {"api": "PutBlob"},
    }
    return {**event, **changes}


@pytest.mark.parametrize("made", [grid(), cloud(), [grid()]], ids=["grid", "cloud", "list of one"])
def test_landed_event_names_the_blob_and_its_time(made):
    envelope = envelope_of(json.dumps(made).encode(), NOW)
    assert (envelope.kind, envelope.body) == (KIND, {"name": "mail/m1.eml"})
    assert NOW - envelope.first_seen < timedelta(seconds=3)


def test_landed_event_of_the_future_counts_from_now():
    made = json.dumps(grid(eventTime="2030-01-01T00:00:00Z")).encode()
    assert envelope_of(made, NOW).first_seen == NOW


@pytest.mark.parametrize("time", ["soon", None, 5, "2026-04-01T08:59:58"])
def test_landed_event_with_an_odd_time_is_still_taken(time):
    assert envelope_of(json.dumps(grid(eventTime=time)).encode(), NOW).first_seen <= NOW


def test_landed_envelope_that_was_put_back_is_taken_as_it_is():
    ours = Envelope(KIND, first_seen=NOW, body={"name": "files/f1"}, revived=2)
    assert envelope_of(encode(ours), NOW) == ours


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        json.dumps([grid(), grid()]).encode(),
        json.dumps(grid(eventType="Microsoft.Storage.BlobDeleted")).encode(),
        json.dumps(grid(subject="/blobServices/default/containers/evidence/blobs/x")).encode(),
        json.dumps(grid(subject="/blobServices/default/containers/landing/blobs/")).encode(),
        json.dumps(grid(subject=SUBJECT + "x" * 1100)).encode(),
        json.dumps(cloud(type="Microsoft.Storage.BlobTierChanged")).encode(),
        encode(Envelope("item", first_seen=NOW)),
    ],
    ids=range(11),
)
def test_landed_refuses_what_is_not_a_blob_created_in_landing(raw):
    with pytest.raises(MalformedError):
        envelope_of(raw, NOW)


def test_landed_names_are_tried_as_told_and_decoded():
    subject = SUBJECT.replace("mail/m1.eml", "drop/a%40b.example/%E4%BB%B6.txt")
    envelope = envelope_of(json.dumps(grid(subject=subject)).encode(), NOW)
    assert names_of(envelope)[1] == "drop/a@b.example/件.txt"
    assert len(names_of(envelope_of(json.dumps(grid()).encode(), NOW))) == 1
