"""Two bars in the dark as arrays, and settings that train in a second."""

import numpy as np
import pytest

SHAPE = (10, 40, 40)


@pytest.fixture(scope="session")
def arrays():
    """Image, labels and truth."""
    rng = np.random.default_rng(0)
    truth = np.ones(SHAPE, np.uint8)
    truth[:, 6:16, 6:34] = 2
    truth[2:8, 24:34, 6:26] = 2
    image = np.where(truth == 2, 130, 60) + rng.normal(0, 12, SHAPE)
    labels = np.zeros(SHAPE, np.uint8)
    for z in (3, 5, 7):
        labels[z, 9:12, 8:32] = 2
        labels[z, 28:31, 8:24] = 2
        labels[z, 2:4, 4:36] = 1
        labels[z, 19:21, 4:36] = 1
    return image.clip(0, 255).astype(np.uint8), labels, truth


@pytest.fixture(scope="session")
def fast():
    """Settings of a forest alone."""
    return {"members": 0, "trees": 4, "device": "cpu"}
