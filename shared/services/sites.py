"""SharePoint sites: their document libraries are found and watched as users' drives are.

The files of Teams channels are in them: a team has a site, a private or a shared channel one of its
own. ``SEKISHO_SITES`` is ``all``, or the ids of some. A site is an account of source ``site``: each
look at it (a timer's sweep) finds the libraries that it has now, each an account of source
``library`` with a subscription, a delta and a sweep.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.codec import encode
from shared.errors import GoneError, PermanentError
from shared.graph import calls
from shared.graph.client import Graph
from shared.graph.subscriptions import Account, Subscriptions
from shared.graph.webhook import job
from shared.model import Envelope
from shared.ports import Clock, Queue

ALL = "all"
_AT_ONCE = 25  # enrolments a second


@dataclass(frozen=True, slots=True)
class Sites:
    """``wanted``: the sites' ids, or ``all`` alone, or none. Every method may run twice."""

    graph: Graph
    subscriptions: Subscriptions
    jobs: Queue
    clock: Clock
    wanted: tuple[str, ...] = ()

    async def enrol_all(self) -> int:
        """A job for each site that is new or wanted no more, and each library that is due.

        Where the sites cannot be listed, nobody's watch ends.
        """
        names = tuple([each async for each in self._ids()])
        count = 0
        async for each in self.subscriptions.jobs({"site": names}):
            count = await self._put(each, count)
        async for each in self.subscriptions.due("library"):
            count = await self._put(each, count)
        return 0

    async def look(self, site: Account) -> int:
        """A job for each library that came or went since. How many items: none.

        PermanentError where a site that the setting names does not exist.
        """
        known = {each.drive: each.ref async for each in self.subscriptions.libraries(site.ref)}
        try:
            found = [each async for each in self._libraries(site.user)]
        except GoneError:
            if self.wanted != (ALL,):
                message = "SEKISHO_SITES names a site that does not exist"
                raise PermanentError(message) from None
            found = []
        count = 0
        for drive in found:
            if known.pop(drive, None) is None:
                made = await self.subscriptions.register_library(site.ref, drive)
                count = await self._put(job("enrol", "library", made.ref, self.clock()), count)
        for ref in known.values():
            count = await self._put(job("end", "library", ref, self.clock()), count)
        return 0

    async def end(self, ref: str) -> None:
        """The libraries of a site are watched no more."""
        for each in [each async for each in self.subscriptions.libraries(ref)]:
            await self.subscriptions.end("library", each.ref)

    async def _ids(self) -> AsyncIterator[str]:
        """Each site's id. People's own sites are their OneDrives, which accounts enrol."""
        if self.wanted != (ALL,):
            for each in self.wanted:
                yield each
            return
        query = {"select": "id,isPersonalSite"}
        async for page in self.graph.pages(calls.SITES, {}, query=query):
            for each in page.get("value", []):
                if not each.get("isPersonalSite"):
                    yield str(each["id"])

    async def _libraries(self, site: str) -> AsyncIterator[str]:
        query = {"select": "id,driveType"}
        async for page in self.graph.pages(calls.SITE_DRIVES, {"site": site}, query=query):
            for each in page.get("value", []):
                if each.get("driveType") == "documentLibrary":
                    yield str(each["id"])

    async def _put(self, envelope: Envelope, count: int) -> int:
        """Graph takes 1,000 subscriptions in 20 seconds, so the jobs are spread over time."""
        await self.jobs.put(encode(envelope), delay=count // _AT_ONCE)
        return count + 1
