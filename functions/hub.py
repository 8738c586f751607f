"""Graph's notifications by Event Hubs: no address of ours need be reachable from outside.

Only where ``SEKISHO_NOTIFICATIONS`` is ``eventhub``; the webhooks are not there then. The same
Intake takes the same bodies, clientState and all.
(learn.microsoft.com/graph/change-notifications-delivery-event-hubs)
"""

from __future__ import annotations

import os

import azure.functions as func

from shared.bootstrap import intake

bp = func.Blueprint()


async def hub_notifications(events: list[func.EventHubEvent]) -> None:
    """Change and lifecycle notifications → graph-hints, graph-jobs.

    What cannot be kept now raises, and the batch is tried again for as long as it takes: a hub's
    position moves on after a failure, and nothing would bring the batch back.
    """
    for event in events:
        await intake().receive(event.get_body())


if os.environ.get("SEKISHO_NOTIFICATIONS") == "eventhub":
    bp.function_name("hub_notifications")(
        bp.event_hub_message_trigger(
            arg_name="events",
            event_hub_name="%SEKISHO_NOTIFICATION_HUB%",
            connection="SEKISHO_HUB",
            cardinality=func.Cardinality.MANY,
        )(
            bp.retry(
                strategy="exponential_backoff",
                max_retry_count="-1",
                minimum_interval="00:00:05",
                maximum_interval="00:05:00",
            )(hub_notifications)
        )
    )
