"""How much forest, how much network: decided on strokes that neither has seen."""

from dataclasses import dataclass

import numpy as np

TEMPERATURES = np.geomspace(0.5, 4.0, 25)
WEIGHTS = np.linspace(0.0, 1.0, 41)
FLOOR = 1e-4  # a tree's leaf may say 0; nobody is that sure after a few strokes


@dataclass(frozen=True)
class Blend:
    """Shares and temperatures of the two families.

    Attributes
    ----------
    forest : float
        The forest's share of the mean, in [0, 1]; the networks have the rest.
    forest_temperature, network_temperature : float
        Logits are divided by them.
    probabilities : numpy.ndarray
        ``(N, K)``: what the blend says about the held-out voxels.
    """

    forest: float
    forest_temperature: float
    network_temperature: float
    probabilities: np.ndarray


def blend(
    truth: np.ndarray,
    forest: np.ndarray | None,
    logits: np.ndarray | None,
) -> Blend:
    """Choose temperatures and shares by the log likelihood of held-out voxels.

    Parameters
    ----------
    truth : numpy.ndarray
        ``(N,)`` channel of each voxel.
    forest : numpy.ndarray or None
        ``(N, K)`` probabilities of forests that have not seen the voxel's stroke.
    logits : numpy.ndarray or None
        ``(N, K)`` of the network that has not seen it.

    Returns
    -------
    Blend
        One family alone has the whole say.
    """
    votes = None if forest is None else np.log(np.clip(forest, FLOOR, None))
    t_forest, p_forest = _temper(truth, votes)
    t_network, p_network = _temper(truth, logits)
    if p_forest is None or p_network is None:
        only = p_forest if p_network is None else p_network
        share = 1.0 if p_network is None else 0.0
        return Blend(share, t_forest, t_network, np.asarray(only))
    rows = np.arange(len(truth))
    a, b = p_forest[rows, truth], p_network[rows, truth]
    scores = [np.log(np.clip(w * a + (1 - w) * b, 1e-9, None)).mean() for w in WEIGHTS]
    share = float(WEIGHTS[int(np.argmax(scores))])
    return Blend(share, t_forest, t_network, share * p_forest + (1 - share) * p_network)


def _temper(
    truth: np.ndarray, logits: np.ndarray | None
) -> tuple[float, np.ndarray | None]:
    """Temperature scaling (Guo et al., ICML 2017, section 4.2)."""
    if logits is None:
        return 1.0, None
    rows = np.arange(len(truth))
    losses = []
    for temperature in TEMPERATURES:
        p = _softmax(logits / temperature)
        losses.append(-np.log(np.clip(p[rows, truth], 1e-9, None)).mean())
    best = float(TEMPERATURES[int(np.argmin(losses))])
    return best, _softmax(logits / best)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
