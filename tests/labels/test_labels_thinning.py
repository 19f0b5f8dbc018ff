"""Of dense labels, squares are kept; which ones is known before a picture is read."""

import numpy as np
import pytest

from napari_sashiko.labels import kept_pixels, may_keep

SIZES = ((20, 30), (64, 64), (70, 100), (1, 200))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 1.0])
def test_a_picture_is_read_just_where_something_of_it_may_be_kept(share):
    shares, told = np.zeros(256), set()
    shares[3] = share
    for seed in range(40):
        for size in SIZES:
            ids = np.full(size, 3, np.uint8)
            rngs = [np.random.default_rng((seed, size[0])) for _ in range(2)]
            kept = kept_pixels(ids, shares, rngs[0])[1]
            assert may_keep(size, shares, rngs[1]) == bool(len(kept))
            told.add(bool(len(kept)))
    assert told == {0.0: {False}, 1.0: {True}}.get(share, {False, True})
