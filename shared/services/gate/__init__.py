"""The gate: what landed is scanned, then delivered, held or quarantined; one item a recipient.

``service`` is the pipeline's service, ``arrivals`` the way in, ``clean`` sanitising, ``masked`` the
masked copy, ``locked`` what waits for a password, ``waiting`` how long things wait.
"""

from shared.services.gate.arrivals import DROP, FILES, MAIL
from shared.services.gate.service import GateService

__all__ = ["DROP", "FILES", "MAIL", "GateService"]
