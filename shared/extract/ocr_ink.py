"""Ink that no line of recognised text covers: small print or handwriting that was not found.

The engine looks for text in a reduced picture and may miss what is small. So what is dark (or
light) against its surroundings is counted outside the boxes, after single specks and ruled lines
are taken away; where more is left than twelve small digits need, the page is not called read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

SIDE = 1800  # pixels: the longer side of what is looked at
CONTRAST = 40  # of 255, against the ground
COARSE = 6  # the ground is seen in a picture so many times smaller,
WIDE = 7  # as the median of so many of its pixels, each way
RULE = 64  # pixels: straight ink longer than this is a ruled line
SPECK = 3  # pixels of nine: with fewer about it, a dark pixel is dust or noise
ENOUGH = 120  # pixels of ink: twelve digits of 7 x 5 pixels have more

type Mask = NDArray[np.bool_]


def unread(image: Image.Image, boxes: list[tuple[float, float, float, float]]) -> bool:
    """Whether there is ink outside the boxes (pixels of ``image``: left, top, right, bottom)."""
    share = min(1.0, SIDE / max(image.size))
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    grey = image.convert("L").resize(size, Image.Resampling.BOX)
    around = _ground(grey)
    dark = ImageChops.difference(grey, around).point(lambda value: 255 * (value > CONTRAST))
    crowd = np.asarray(dark.filter(ImageFilter.BoxBlur(1)))  # mean of nine pixels
    ink: Mask = (np.asarray(dark) > 0) & (crowd >= SPECK * 255 // 9)
    ink &= ~(_long(ink) | _long(ink.T).T)
    for left, top, right, bottom in boxes:
        margin = (min(bottom - top, right - left) / 3 + 2) * share
        ink[
            max(0, int(top * share - margin)) : int(bottom * share + margin) + 1,
            max(0, int(left * share - margin)) : int(right * share + margin) + 1,
        ] = False
    return int(ink.sum()) > ENOUGH


def _ground(grey: Image.Image) -> Image.Image:
    """The paper behind the ink: the median around each place (a mean has halos round letters)."""
    size = (max(1, grey.width // COARSE), max(1, grey.height // COARSE))
    small = grey.resize(size, Image.Resampling.BOX).filter(ImageFilter.MedianFilter(WIDE))
    return small.resize(grey.size, Image.Resampling.BILINEAR)


def _long(ink: Mask) -> Mask:
    """The pixels in runs of at least RULE along a row (and their neighbours above and below)."""
    if ink.shape[1] < RULE:
        return np.zeros_like(ink)
    sums = np.cumsum(np.pad(ink.astype(np.int16), ((0, 0), (1, RULE))), axis=1)
    starts = sums[:, RULE:] - sums[:, :-RULE] == RULE  # a run begins at this column
    starts = np.pad(starts, ((0, 0), (RULE - 1, 0)))
    reach = np.cumsum(starts.astype(np.int16), axis=1)
    reach = np.pad(reach, ((0, 0), (1, 0)))
    width = ink.shape[1]
    lines: Mask = (reach[:, RULE : RULE + width] - reach[:, :width]) > 0
    return lines
