"""A box on a page, as it stands in a location."""

from __future__ import annotations

INCH = 25.4  # millimetres
FAR = 9_999  # millimetres: what is drawn further away is said to be there


def box(left: float, top: float, right: float, bottom: float) -> str:
    """The upper left and the lower right corner: ``(30,52)-(95,57)mm``; edges in millimetres."""
    corners = [round(max(-FAR, min(FAR, edge))) for edge in (left, top, right, bottom)]
    return "({},{})-({},{})mm".format(*corners)
