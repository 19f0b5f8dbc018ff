"""Augmented patches to be looked at: the patch in view, and changes of it."""

import numpy as np
import pytest

from napari_sashiko.errors import SettingsError
from napari_sashiko.pipeline import TrainingSettings, as_volume, augmented_patches
from napari_sashiko.pipeline.augmenting import COLUMNS, GAP, ROWS

EDGE = 16
MIDDLE = (2, 20, 25)


def image(shape=(4, 40, 50)):
    return np.random.default_rng(0).normal(100, 10, shape).astype(np.float32)


def patches(page, edge=EDGE):
    step = edge + GAP
    return [
        page[y * step : y * step + edge, x * step : x * step + edge]
        for y in range(ROWS)
        for x in range(COLUMNS)
    ]


def shown(array, center=MIDDLE, **changes):
    settings = TrainingSettings(patch=EDGE, **changes)
    return augmented_patches(as_volume(array), settings, center)


def test_the_first_is_the_patch_in_view():
    page = shown(image())
    # Outliers are cut off, as networks see them.
    np.testing.assert_allclose(patches(page)[0], image()[2, 12:28, 17:33], atol=12)
    assert np.isnan(page[EDGE : EDGE + GAP]).all()


def test_flips_and_rotations_keep_the_grey_values():
    first, *others = patches(shown(image(), augment=()))
    for other in others:
        np.testing.assert_allclose(
            np.sort(other.ravel()), np.sort(first.ravel()), rtol=1e-5
        )
    assert any(not np.allclose(other, first) for other in others)


def test_what_is_named_changes_them():
    plain, noisy = (
        patches(shown(image(), augment=augment)) for augment in ((), ("noise",))
    )
    np.testing.assert_array_equal(plain[0], noisy[0])
    assert not np.allclose(plain[1], noisy[1])


def test_a_patch_never_sticks_out():
    assert np.isfinite(patches(shown(image(), (0, 0, 49)))[0]).all()
    small = shown(image((1, 10, 12)), (0, 5, 5))
    assert np.isfinite(small[:10, :12]).all()


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(SettingsError, match="frost"):
        shown(image(), augment=("frost",))
