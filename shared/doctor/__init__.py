"""What is wrong with a deployment, in words that say what to do: ``sekisho doctor``.

Each check looks and changes nothing. It names a thing that a person can act on; where it cannot
tell from where it stands, it says so (``unknown``) rather than that all is well.
"""

from shared.doctor.examine import examine
from shared.doctor.result import Result, State
from shared.doctor.surroundings import Surroundings

__all__ = ["Result", "State", "Surroundings", "examine"]
