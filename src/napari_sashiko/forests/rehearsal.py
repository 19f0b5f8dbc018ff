"""A forest of nothing, so that what is compiled at its first use is compiled."""

import numpy as np
import torch

from napari_sashiko.forests.filters import FilterBank
from napari_sashiko.forests.forest import Forest

EDGE = 16  # voxels


def rehearse(dims: int) -> None:
    """Filter some noise, grow two trees on it, and ask them.

    Parameters
    ----------
    dims : int
        2 or 3: what filters run along.
    """
    shape = (EDGE,) * 3 if dims == 3 else (1, EDGE, EDGE)
    noise = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    patch = torch.from_numpy(noise)
    core = tuple((0, n) for n in shape)
    bank = FilterBank(dims=dims)
    features = bank.features(patch, core).flatten(1).T.numpy()
    classes = (features[:, 0] > 0).astype(np.intp)
    forest = Forest.fit(bank, np.ascontiguousarray(features), classes, trees=2)
    forest.classify(features[:EDGE])
    forest.voices(patch, core, lambda shares: shares)
