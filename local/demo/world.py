"""The accounts of the day, and how each sample reaches the system."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local.graph.process import GraphProcess
from local.samples import DRIVE, MAIL, Sample

USERS = {"関所 花子": "hanako@city.example", "関所 太郎": "taro@city.example"}
WATCHED, UPLOADER = USERS.values()
COLUMN = "SekishoVerdict"  # a library without this column cannot show a file's verdict
SUBSCRIPTIONS_EACH = 3  # mail, drive, calendar
SUBSCRIPTIONS_ALL = 2  # the channels and the chats of the tenant


@dataclass(frozen=True, slots=True)
class Sent:
    """A sample on its way: the product's source and id for it, where it was put, and when."""

    sample: Sample
    item_id: str
    owner: str
    drive_id: str
    at: float


class World:
    """The stand-in's admin side and the landing container, as the outside world uses them."""

    def __init__(self, graph: GraphProcess, storage: str, user_ids: dict[str, str]) -> None:
        self._graph = graph
        self._blobs = BlobServiceClient.from_connection_string(storage)
        self._user_ids = user_ids

    def state(self) -> dict[str, Any]:
        """Everything that the stand-in holds."""
        found: dict[str, Any] = self._graph.admin("GET", "state")
        return found

    def prepare(self) -> None:
        """Give each library the verdict's column, as an administrator does once."""
        for user in self.state()["users"]:
            path = f"drives/{user['drive_id']}/columns"
            self._graph.admin("POST", path, json_body={"name": COLUMN})

    def enrolled(self) -> int:
        """How many subscriptions the product has made so far."""
        return len(self.state()["subscriptions"])

    @property
    def wanted(self) -> int:
        """How many subscriptions watch everything."""
        return SUBSCRIPTIONS_EACH * len(self._user_ids) + SUBSCRIPTIONS_ALL

    def send(self, sample: Sample) -> Sent:
        """Let a sample happen."""
        if sample.source == MAIL:
            return self._mail(sample)
        return self._file(sample) if sample.source == DRIVE else self._upload(sample)

    def _mail(self, sample: Sample) -> Sent:
        user = self._user_ids[WATCHED]
        at = time.time()
        made = self._graph.admin("POST", f"users/{user}/messages", data=sample.data)
        return Sent(sample, made["id"], user, "", at)

    def _file(self, sample: Sample) -> Sent:
        user = self._user_ids[WATCHED]
        at = time.time()
        query = urlencode({"name": sample.file_name})
        made = self._graph.admin("POST", f"users/{user}/files?{query}", data=sample.data)
        if sample.link:
            path = f"drives/{made['drive_id']}/items/{made['id']}/links"
            self._graph.admin("POST", path, json_body={"type": "view", "scope": sample.link})
        return Sent(sample, made["id"], user, made["drive_id"], at)

    def _upload(self, sample: Sample) -> Sent:
        """The envelope first, then the blob: whoever is woken by the blob finds the envelope."""
        folder, ending = ("mail", ".eml") if sample.is_mail else ("files", "")
        name = f"{folder}/{uuid.uuid4().hex}{ending}"
        envelope = {
            "recipients": [UPLOADER],
            "path": "" if sample.is_mail else f"庁内から/{sample.file_name}",
            "via": "relay" if sample.is_mail else "push",
        }
        at = time.time()
        self._put("envelopes", f"{name}.json", json.dumps(envelope).encode())
        self._put("landing", name, sample.data)
        return Sent(sample, name, self._user_ids[UPLOADER], "", at)

    def _put(self, container: str, name: str, data: bytes) -> None:
        client = self._blobs.get_container_client(container)
        with suppress(ResourceExistsError):
            client.create_container()
        client.upload_blob(name, data)
