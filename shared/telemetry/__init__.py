"""One trace from notification to audit over the queues, and counts by disposition, gap and stage.

A trace is the envelope's (``Envelope.trace``): each stage is a span in it. Nothing of an item's
content is ever in an attribute: keys are the few of ``attributes``, values are short tokens of our
own code, and an error is its class alone (law: no name, no value, no text leaves the pipeline).

Without ``configure`` everything here does nothing and costs next to nothing.
"""

from shared.telemetry.observe import observe
from shared.telemetry.setup import Target, configure
from shared.telemetry.spans import alerted, born, message, oldest, poisoned, stage

__all__ = [
    "Target",
    "alerted",
    "born",
    "configure",
    "message",
    "observe",
    "oldest",
    "poisoned",
    "stage",
]
