"""How sure the members may be: one temperature for all, chosen by how far they agree.

A teacher makes networks hesitate: its probabilities are those of a forest, and a few
trees always disagree. The mean over unlike members hesitates once more. Such an
ensemble is right more often than it says, by as much on one volume as on another; a
power above 1 of its members' probabilities takes that back. It changes no member's mind
about which class is the most probable one.

Held-out strokes cannot tell which power: there are few, and they lie where things are
clear. What can be told without any truth is how often two predictors that were made
independently differ, and that is about how often one of them is wrong: Jiang et al.,
arXiv 2106.13799 (2022). Forest and networks are made as unlike as can be, so the
temperature is the one at which the ensemble says it is wrong that often.

Temperature scaling: Guo et al., arXiv 1706.04599 (2017), equation 9.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

USUAL = 0.6  # until there is something to compare
ALIKE = 1.1  # errors per difference, as forest and networks may be wrong alike
ALIKE_ALONE = 1.4  # the same where each class has one stroke: both know too little
RANGE = (0.25, 2.0)

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


def agreed_temperature(
    forests: Sequence[Family], networks: Sequence[Family], *, alike: float = ALIKE
) -> float:
    """Choose the temperature at which the ensemble doubts as much as families differ.

    Parameters
    ----------
    forests, networks : sequence of (weight, probabilities)
        Weight in the ensemble's mean, all of them adding to 1, and ``(N, K)`` corrected
        probabilities of each member, of voxels from all over the volume.
    alike : float
        Errors of the ensemble for each voxel where the families differ.

    Returns
    -------
    float
        In ``RANGE``; below 1 the members are made surer.
    """
    one, other = (mix(each, 1.0).argmax(axis=1) for each in (forests, networks))
    sure = 1.0 - alike * float((one != other).mean())

    def surer(log_temperature: float) -> float:
        said = mix([*forests, *networks], float(np.exp(log_temperature)))
        return float(said.max(axis=1).mean()) - sure

    low, high = np.log(RANGE)
    if surer(low) <= 0:
        return RANGE[0]
    if surer(high) >= 0:
        return RANGE[1]
    return float(np.exp(brentq(surer, low, high, xtol=0.01)))
