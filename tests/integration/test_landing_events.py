"""The gate of a private network in the local host: Event Grid's event on a queue → the item.

And an upgrade: Flex Consumption has no slots, a deployment ends what runs; what came meanwhile
waits on the queue. (The same under load and with kills: tests/e2e/test_kills.py.)
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import Azurite
from local.environment import app_settings
from local.host.process import HostProcess
from tests.unit.storage.test_landed import SUBJECT, cloud, grid

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
NEVER = "0 0 0 1 1 *"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An emulator of its own: the product's names are fixed."""
    with Azurite(tmp_path_factory.mktemp("landing")) as azurite:
        yield Place(azurite.connection_string, tmp_path_factory.mktemp("host"))


class Place:
    def __init__(self, connection, folder):
        self.connection, self.folder = connection, folder
        self.blobs = BlobServiceClient.from_connection_string(connection)
        self.queues = QueueServiceClient.from_connection_string(connection)
        self.blobs.create_container("landing")
        for name in ("landing-events", "scan-items"):
            self.queues.create_queue(name)

    def host(self):
        env = app_settings(
            storage=self.connection,
            graph_base_url="http://127.0.0.1:1/v1.0",
            host_url="http://127.0.0.1:2",
        )
        env |= {
            "SEKISHO_ROLE": "intake",
            "SEKISHO_BLOB_SOURCE": "StorageQueue",
            "SEKISHO_TEAMS": "off",
            "SEKISHO_RENEW_SCHEDULE": NEVER,
            "SEKISHO_SWEEP_SCHEDULE": NEVER,
        }
        return HostProcess(ROOT, env=env, log_path=self.folder / "host.log")

    def upload(self, name):
        self.blobs.get_blob_client("landing", name).upload_blob(b"text")

    def tell(self, event):
        """As Event Grid puts it there: base64 of one event."""
        text = base64.b64encode(json.dumps(event).encode()).decode()
        self.queues.get_queue_client("landing-events").send_message(text, time_to_live=-1)

    def items(self, count, within=20.0):
        """The items on scan-items, taken off; fewer only when the time is over."""
        queue, found = self.queues.get_queue_client("scan-items"), []
        end = time.monotonic() + within
        while len(found) < count and time.monotonic() < end:
            for message in queue.receive_messages(max_messages=32):
                found.append(json.loads(base64.b64decode(message.content))["item"])
                queue.delete_message(message)
            time.sleep(0.1)
        return found

    def waiting(self):
        queue = self.queues.get_queue_client("landing-events")
        return queue.get_queue_properties().approximate_message_count


def test_event_on_the_queue_becomes_the_item_also_across_an_upgrade(place):
    first, second = "drop/a@city.example/件 名.txt", "drop/b@city.example/x.txt"
    with place.host():
        place.upload(first)
        place.tell(grid(subject=SUBJECT.replace("mail/m1.eml", quote(first))))
        (item,) = place.items(1)
        assert item["source"] == "gate"
        assert item["id"].startswith("files/")
    place.upload(second)  # nobody is there: a deployment
    place.tell(cloud(subject=SUBJECT.replace("mail/m1.eml", second)))
    assert place.waiting() == 1
    with place.host():
        (item,) = place.items(1)
        assert item["id"].startswith("files/")
    assert place.waiting() == 0
