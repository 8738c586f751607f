"""What people granted in the cloud, fetched from inside: the values that count as none, for now.

A list that is late, gone, damaged or not the cloud's own is as if nothing were granted.
"""

from __future__ import annotations

import asyncio
import logging

from relay.cloud import Cloud
from shared.errors import GoneError, MalformedError, TransientError
from shared.policy.exemption import Exemption
from shared.ports import Clock
from shared.services.relay_granted import Granted, unseal

LOOK = 60.0  # seconds between two looks
log = logging.getLogger("sekisho.relay")


class Exceptions:
    """``keys`` are those under which a list may have been sealed."""

    def __init__(self, cloud: Cloud, keys: tuple[bytes, ...], clock: Clock) -> None:
        self._cloud = cloud
        self._keys = keys
        self._clock = clock
        self._known: Granted | None = None

    def now(self) -> tuple[Exemption, ...]:
        """What applies at this moment; nothing once the list has run out."""
        return self._known.exemptions(self._clock()) if self._known else ()

    async def look(self) -> None:
        """Fetch the list; what cannot be read leaves the last one until its own end."""
        try:
            self._known = unseal(await self._cloud.granted(), self._keys)
        except GoneError:
            self._known = None
        except MalformedError as error:
            self._known = None
            log.error("the list of exceptions is not taken: %s", error)  # noqa: TRY400 - no traceback
        except TransientError as error:
            log.warning("the cloud is away (%s): the last list of exceptions runs out", error)

    async def work(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the next look may go better
                log.error("exceptions could not be read: %s", type(error).__name__)  # noqa: TRY400
            await asyncio.sleep(LOOK)
