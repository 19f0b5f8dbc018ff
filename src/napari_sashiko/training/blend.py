"""How much forest, how much network: decided on strokes that neither has seen."""

import numpy as np
from numpy.typing import NDArray

SHARES = np.linspace(0.0, 1.0, 41)[1:-1]
# Means of unlike members are better than either, and a few strokes say little about a
# volume: they lie where things are clear, and look like those that were learned from.
# So shares are drawn to the even one, as if this many strokes had spoken for each.
PRIOR = 4.0
FLOOR = 1e-4  # a tree's leaf may say 0; nobody is that sure after a few strokes


def forest_share(
    truth: NDArray[np.intp],
    forest: NDArray[np.floating],
    network: NDArray[np.floating],
    *,
    strokes: NDArray[np.integer],
) -> float:
    """Choose the forest's share by what held-out voxels say, and how many said it.

    The share of largest posterior probability: each stroke is one observation, whose
    log likelihood is the mean over its voxels; before any, the share has a symmetric
    beta distribution worth ``PRIOR`` strokes for either family.

    Parameters
    ----------
    truth : numpy.ndarray
        ``(N,)`` channel of each voxel.
    forest : numpy.ndarray
        ``(N, K)`` probabilities of forests that have not seen the voxel's stroke.
    network : numpy.ndarray
        ``(N, K)`` probabilities of the network that has not seen it.
    strokes : numpy.ndarray
        ``(N,)`` number of the stroke that each voxel belongs to.

    Returns
    -------
    float
        The forest's share of the mean, in (0, 1); the networks have the rest.
    """
    rows = np.arange(len(truth))
    a, b = np.clip(forest[rows, truth], FLOOR, 1.0), network[rows, truth]
    _, place, counts = np.unique(strokes, return_inverse=True, return_counts=True)
    once = 1.0 / counts[place]  # a stroke speaks once, however long it is
    said = np.array([once @ np.log(w * a + (1 - w) * b + 1e-9) for w in SHARES])
    prior = PRIOR * (np.log(SHARES) + np.log(1 - SHARES))
    return float(SHARES[(said + prior).argmax()])
