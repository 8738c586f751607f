"""The services and the resolver over given parts, for the composition root and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from shared.graph.client import Graph
from shared.graph.rich import Rich
from shared.graph.subscriptions import Subscriptions
from shared.model import Envelope
from shared.ports import Clock, Ledger, Queue, Service
from shared.services.baseline import Routes
from shared.services.calendar import CalendarService
from shared.services.cohorts import GROUP
from shared.services.common import Onward, Redigest, Sends
from shared.services.deltas import DriveDelta, MailDelta
from shared.services.drive import DriveService
from shared.services.drive_tag import Tags
from shared.services.event_delta import EventDelta
from shared.services.mail import MailService
from shared.services.marker import Markers
from shared.services.reach import Reach
from shared.services.release_header import ReleaseHeader
from shared.services.replays import Replays
from shared.services.resolve import Refresh, Resolver
from shared.services.rounds import Links
from shared.services.seals import Seals
from shared.services.sites import Sites
from shared.services.teams import TeamsService
from shared.services.teams_hints import TeamsHints
from shared.services.teams_sweep import TeamsSweep
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Watched:
    """What a deployment watches: accounts and groups, whether Teams' messages, which sites."""

    accounts: tuple[str, ...]
    teams: bool
    cohorts: bool = False
    sites: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of each account."""
        return ("mail", "drive", "calendar", *(("chats",) if self.teams else ()))

    @property
    def tenant(self) -> tuple[str, ...]:
        """The users of source ``teams``: what the whole tenant is watched by."""
        return ("teams", "chats") if self.teams else ()

    async def due(self, subscriptions: Subscriptions, clock: Clock) -> AsyncIterator[Envelope]:
        """Jobs for what is new, due or watched no more.

        Named groups are asked for in a job, because a timer must not wait for Graph.
        """
        if any(each.startswith(GROUP) for each in self.accounts):
            yield Envelope("job", first_seen=clock(), body={"job": "enrol_all"})
        else:
            wanted = dict.fromkeys(self.sources, self.accounts)
            async for each in subscriptions.jobs(wanted):
                yield each
        if self.cohorts:
            yield Envelope("job", first_seen=clock(), body={"job": "cohorts"})
        if self.sites:
            yield Envelope("job", first_seen=clock(), body={"job": "enrol_sites"})
        ended: dict[str, tuple[str, ...]] = {} if self.sites else {"site": ()}
        async for each in subscriptions.jobs({"teams": self.tenant, **ended}):
            yield each


def watch_services(
    graph: Graph,
    *,
    evidence: Evidence,
    quarantine: Evidence,
    onward: Onward,
    markers: Markers,
    policy_version: str,
    redigest: Redigest,
    limit: int,
    tenant: str,
    tags: Tags,
    clock: Clock,
    passed: ReleaseHeader | None = None,
    inside: Sequence[str] = (),
) -> dict[str, Service]:
    """One a source of the watch; ``inside`` are our own mail domains."""
    reach = Reach(graph, clock, tenant)
    mail = MailService(
        graph,
        evidence=evidence,
        onward=onward,
        markers=markers,
        policy_version=policy_version,
        limit=limit,
        redigest=redigest,
        passed=passed,
    )
    calendar = CalendarService(
        graph,
        evidence=evidence,
        onward=onward,
        markers=markers,
        policy_version=policy_version,
        limit=limit,
        redigest=redigest,
    )
    drive = DriveService(
        graph,
        quarantine=quarantine,
        onward=onward,
        markers=markers,
        tags=tags,
        reach=reach,
        inside=inside,
        limit=limit,
        redigest=redigest,
    )
    teams = TeamsService(
        graph, evidence=evidence, onward=onward, tenant=tenant, reach=reach, limit=limit
    )
    return {"mail": mail, "calendar": calendar, "drive": drive, "teams": teams}


def resolver(
    graph: Graph,
    *,
    subscriptions: Subscriptions,
    links: Links,
    onward: Onward,
    ledger: Ledger,
    jobs: Queue,
    aside: ClaimCheck,
    alerts: Alerts | None = None,
    bulk: Sends | None = None,
    rich: Rich | None = None,
    seals: Seals | None = None,
    watched: Watched | None = None,
    refresh: Refresh | None = None,
    inside: Sequence[str] = (),
) -> Resolver:
    """The resolver with every source's delta.

    ``inside`` are our own mail domains; ``bulk`` takes what was there before it was watched.
    """
    swept = replace(onward, found="sweep")
    there = replace(onward, found="baseline")  # a first enumeration finds what was there
    routes = Routes(swept, there, bulk or there, links.clock)
    sweep = TeamsSweep(graph, links, routes)
    return Resolver(
        graph=graph,
        subscriptions=subscriptions,
        drives=DriveDelta(graph, links, routes, ledger, inside),
        mails=MailDelta(graph, links, routes, ledger),
        onward=onward,
        jobs=jobs,
        ledger=ledger,
        clock=links.clock,
        events=EventDelta(graph, links, routes, ledger),
        teams=TeamsHints(graph, sweep, onward, aside, rich, seals),
        replays=Replays(alerts) if alerts else None,
        refresh=refresh,
        watch=watched.accounts if watched else (),
        sources=watched.sources if watched else (),
        sites=Sites(graph, subscriptions, jobs, links.clock, watched.sites if watched else ()),
    )
