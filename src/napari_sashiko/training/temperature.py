"""How sure the members may be: one temperature for all, chosen on held-out strokes.

A teacher makes networks hesitate: its probabilities are those of a forest, and a few
trees always disagree. The mean over unlike members hesitates once more. Such an
ensemble is right more often than it says, by as much on one volume as on another; a
power above 1 of its members' probabilities takes that back. It changes no member's mind
about which class is the most probable one.

Temperature scaling: Guo et al., arXiv 1706.04599 (2017), equation 9.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

# Held-out strokes lie where things are clear and say little about doubt. So what they
# say starts from what eight volumes said, as the mean of a normal distribution of the
# temperature's logarithm.
USUAL = 0.6
SPREAD = 0.15
RANGE = (0.25, 2.0)
FLOOR = 1e-6

Family = tuple[float, NDArray[np.floating]]


def sharpen(
    probabilities: NDArray[np.floating], temperature: float
) -> NDArray[np.float64]:
    """Raise probabilities ``(N, K)`` to ``1 / temperature``, and normalise them."""
    powers = probabilities.astype(np.float64) ** (1.0 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True).clip(1e-12))


def mix(families: Sequence[Family], temperature: float) -> NDArray[np.float64]:
    """Mean ``(N, K)`` of families' probabilities, each sharpened, by their shares."""
    heard = [(share, said) for share, said in families if share > 0]
    return np.asarray(sum(share * sharpen(said, temperature) for share, said in heard))


def fit_temperature(
    truth: NDArray[np.intp],
    families: Sequence[Family],
    *,
    strokes: NDArray[np.integer],
) -> float:
    """Choose the temperature of largest posterior probability.

    Each stroke is one observation, whose log likelihood is the mean over its voxels.

    Parameters
    ----------
    truth : numpy.ndarray
        ``(N,)`` channel of each held-out voxel.
    families : sequence of (share, probabilities)
        Share of the mean, and ``(N, K)`` probabilities of members that have not seen
        the voxel's stroke.
    strokes : numpy.ndarray
        ``(N,)`` number of the stroke that each voxel belongs to.

    Returns
    -------
    float
        In ``RANGE``; below 1 the members are made surer.
    """
    rows = np.arange(len(truth))
    _, place, counts = np.unique(strokes, return_inverse=True, return_counts=True)
    once = 1.0 / counts[place]  # a stroke speaks once, however long it is

    def surprise(log_temperature: float) -> float:
        right = mix(families, float(np.exp(log_temperature)))[rows, truth]
        doubt = (log_temperature - np.log(USUAL)) / SPREAD
        return float(doubt**2 / 2 - once @ np.log(right + FLOOR))

    found = minimize_scalar(
        surprise, bounds=np.log(RANGE), method="bounded", options={"xatol": 0.01}
    )
    return float(np.exp(found.x))
