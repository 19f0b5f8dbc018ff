"""Where a segmentation is wrong, drawn over the picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FALSE_POSITIVE = (0, 255, 0)  # green
FALSE_NEGATIVE = (255, 0, 255)  # magenta
OPACITY = 0.6  # so that the picture is seen beneath
TAILS = (0.5, 99.5)  # percentiles of the grey scale
SAMPLE = 1 << 20  # pixels that the grey scale is taken from


def draw_overlay(
    picture: NDArray[Any],
    found: NDArray[np.bool_],
    true: NDArray[np.bool_],
    scored: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Draw false positives green and false negatives magenta over a grey picture.

    Parameters
    ----------
    picture : numpy.ndarray
        ``(Y, X)`` or ``(Y, X, 3)``.
    found, true, scored : numpy.ndarray
        ``(Y, X)`` bool: where the class was found, where it is, where that is known.

    Returns
    -------
    numpy.ndarray
        ``(Y, X, 3)`` uint8.
    """
    grey = _grey(picture)
    out = np.repeat(grey[..., None], 3, axis=2)
    wrong = (
        (found & ~true & scored, FALSE_POSITIVE),
        (true & ~found & scored, FALSE_NEGATIVE),
    )
    for where, colour in wrong:
        paint = OPACITY * np.array(colour) + (1 - OPACITY) * out[where]
        out[where] = paint.round().astype(np.uint8)
    return out


def _grey(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Stretch to 8 bits, outliers clipped."""
    plain = picture if picture.ndim == 2 else picture.mean(axis=2)
    plain = plain.astype(np.float32)
    plain[~np.isfinite(plain)] = 0
    step = max(1, plain.size // SAMPLE)
    low, high = np.percentile(plain.ravel()[::step], TAILS)
    scaled = (plain - low) / max(high - low, 1e-12)
    return np.asarray((255 * scaled).clip(0, 255).astype(np.uint8))
