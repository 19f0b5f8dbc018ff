"""Laws of levelled pictures: each by itself, the same whichever part is read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.volumes import (
    LevelledVolume,
    Normalisation,
    as_seen,
    as_volume,
    full_region,
    levelled,
    measure_normalisation,
)


def pictures(count=4, height=30, width=40, seed=0):
    """One scene, each time in another light."""
    rng = np.random.default_rng(seed)
    scene = rng.normal(size=(height, width))
    light = rng.uniform(-50, 50, (count, 1, 1))
    return (light + rng.uniform(1, 9, (count, 1, 1)) * scene).astype(np.float32)


def whole(volume):
    return volume.read(full_region(volume.shape))


def test_light_and_contrast_do_not_matter():
    seen = whole(LevelledVolume(as_volume(pictures())))[0]
    for picture in seen[1:]:
        np.testing.assert_allclose(picture, seen[0], atol=1e-4)
    assert abs(float(seen[0].mean())) < 0.05
    assert abs(float(seen[0].std()) - 1) < 0.05


@given(
    low=st.tuples(st.integers(0, 3), st.integers(0, 29), st.integers(0, 39)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(1, 40)),
)
@settings(max_examples=20, deadline=None)
def test_a_part_is_what_it_is_in_the_whole(low, size):
    volume = LevelledVolume(as_volume(pictures()))
    region = tuple(
        slice(a, min(a + n, most))
        for a, n, most in zip(low, size, volume.shape, strict=True)
    )
    np.testing.assert_array_equal(volume.read(region), whole(volume)[:, *region])


def test_a_picture_is_seen_the_same_in_any_stack():
    stack = pictures()
    alone = LevelledVolume(as_volume(stack[2:3]))
    np.testing.assert_array_equal(
        whole(alone)[:, 0], whole(LevelledVolume(as_volume(stack)))[:, 2]
    )


def test_large_pictures_are_measured_in_blocks(monkeypatch):
    whole_one = whole(LevelledVolume(as_volume(pictures(1, 300, 310))))
    monkeypatch.setattr(levelled, "WHOLE", 100)
    monkeypatch.setattr(levelled, "EDGE", 32)
    volume = LevelledVolume(as_volume(pictures(1, 300, 310)))
    np.testing.assert_allclose(whole(volume), whole_one, atol=0.2)


def test_what_nobody_measured_stays_so():
    stack = pictures()
    stack[1, 3, 4] = np.nan
    stack[3] = np.nan
    seen = whole(LevelledVolume(as_volume(stack)))[0]
    assert np.array_equal(np.isnan(seen), np.isnan(stack))


def test_a_levelled_volume_is_the_same_image():
    volume = as_volume(pictures().astype(np.int16), voxel_size=(3.0, 2.0, 2.0))
    seen = LevelledVolume(volume)
    assert seen.digest() == volume.digest()
    assert seen.content_digest() == volume.content_digest()
    assert (seen.shape, seen.voxel_size) == (volume.shape, volume.voxel_size)
    assert whole(seen).dtype == seen.dtype == np.float32


def test_constants_tell_what_they_were_measured_on():
    volume = as_volume(pictures())
    plain = measure_normalisation(volume)
    known = measure_normalisation(LevelledVolume(volume))
    assert (plain.levelled, known.levelled) == (False, True)
    assert as_seen(volume, plain) is volume
    seen = as_seen(volume, known)
    assert seen.levelled
    assert as_seen(seen, known) is seen
    assert Normalisation(**known.model_dump()) == known


@pytest.mark.parametrize("value", [False, True])
def test_digests_of_older_models_stay(value):
    known = Normalisation(low=(0,), high=(1,), center=(0,), scale=(1,), levelled=value)
    assert ("levelled" in repr(known)) == value
