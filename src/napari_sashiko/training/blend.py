"""How much forest, how much network: decided on strokes that neither has seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = np.linspace(0.0, 1.0, 41)
# A held-out stroke is judged by one network, a prediction is the mean of all of them,
# and means of unlike members are better than either: near ties go to the even share.
TIE = 0.12
FLOOR = 1e-4  # a tree's leaf may say 0; nobody is that sure after a few strokes


@dataclass(frozen=True)
class Blend:
    """Shares of the two families.

    Attributes
    ----------
    forest : float
        The forest's share of the mean, in [0, 1]; the networks have the rest.
    probabilities : numpy.ndarray
        ``(N, K)``: what the blend says about the held-out voxels.
    """

    forest: float
    probabilities: NDArray[np.float64]


def blend(
    truth: NDArray[np.intp],
    forest: NDArray[np.floating] | None,
    network: NDArray[np.floating] | None,
) -> Blend:
    """Choose the forest's share by the log likelihood of held-out voxels.

    Of all shares within ``TIE`` of the best likelihood the one nearest to a half is
    taken. Temperatures for the members were tried and cost calibration.

    Parameters
    ----------
    truth : numpy.ndarray
        ``(N,)`` channel of each voxel.
    forest : numpy.ndarray or None
        ``(N, K)`` probabilities of forests that have not seen the voxel's stroke.
    network : numpy.ndarray or None
        ``(N, K)`` probabilities of the network that has not seen it. At least one of
        the two is given.

    Returns
    -------
    Blend
        One family alone has the whole say.
    """
    if network is None:
        return Blend(1.0, np.asarray(forest, np.float64))
    if forest is None:
        return Blend(0.0, np.asarray(network, np.float64))
    rows = np.arange(len(truth))
    a, b = np.clip(forest[rows, truth], FLOOR, 1.0), network[rows, truth]
    losses = np.array([-np.log(w * a + (1 - w) * b + 1e-9).mean() for w in SHARES])
    best = losses.min()  # a hair below 0 where all voxels are certain
    ties = SHARES[losses <= best + TIE * abs(best)]
    share = float(ties[np.abs(ties - 0.5).argmin()])
    return Blend(share, share * forest + (1 - share) * network)
