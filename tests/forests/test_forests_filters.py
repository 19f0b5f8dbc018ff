"""Laws of the filter bank: local, the same in every patch, fair to axes and spacing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.forests import FilterBank
from napari_sashiko.forests._eigenvalues import symmetric_eigenvalues

SMALL = FilterBank(sigmas=(0.7, 1.6), textures=(2.0,))
SLANTED = SMALL.model_copy(update={"slants": True})
FLAT = SMALL.model_copy(update={"dims": 2})
COARSE = SMALL.model_copy(update={"spacing": (3.0, 1.0, 1.0)})
BANKS = pytest.mark.parametrize(
    "bank", [SMALL, FLAT, COARSE, SLANTED], ids=["3d", "2d", "z3", "slanted"]
)
SCALE = 4 + 3  # features of one scale in 3D
PLACES = st.tuples(st.integers(0, 23), st.integers(0, 29), st.integers(0, 31))


def noise(*shape, seed=0):
    return torch.from_numpy(
        np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    )


def whole(image):
    return tuple((0, size) for size in image.shape[1:])


def box_around(place, shape):
    return tuple((p, min(p + 3, n)) for p, n in zip(place, shape, strict=True))


@BANKS
@given(place=PLACES)
@settings(max_examples=15, deadline=None)
def test_voxels_beyond_the_halo_change_nothing(bank, place):
    image = noise(1, 24, 30, 32)
    core = box_around(place, image.shape[1:])
    far = torch.ones(image.shape[1:], dtype=torch.bool)
    far[
        tuple(
            slice(max(low - reach, 0), high + reach)
            for (low, high), reach in zip(core, bank.halo, strict=True)
        )
    ] = False
    changed = torch.where(far, noise(*image.shape, seed=1) * 1e6, image)
    before, after = bank.features(image, core), bank.features(changed, core)
    torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-5)


@BANKS
@given(place=PLACES)
@settings(max_examples=15, deadline=None)
def test_a_patch_with_its_halo_gives_the_features_of_the_whole(bank, place):
    image = noise(2, 24, 30, 32)
    core = box_around(place, image.shape[1:])
    read = [
        (max(low - reach, 0), min(high + reach, size))
        for (low, high), reach, size in zip(
            core, bank.halo, image.shape[1:], strict=True
        )
    ]
    patch = image[(slice(None), *(slice(*span) for span in read))]
    inside = tuple(
        (low - start, high - start)
        for (low, high), (start, _) in zip(core, read, strict=True)
    )
    expected = bank.features(image, whole(image))
    crop = (slice(None), *(slice(*span) for span in core))
    torch.testing.assert_close(
        bank.features(patch, inside), expected[crop], atol=2e-3, rtol=1e-4
    )


def test_every_voxel_within_the_smallest_scale_counts():
    image = noise(1, 9, 9, 9)
    core = ((4, 5), (4, 5), (4, 5))
    before = SMALL.features(image, core)
    for axis in range(3):
        changed = image.clone()
        place = [0, 4, 4, 4]
        place[axis + 1] += 1
        changed[tuple(place)] += 5
        assert not torch.allclose(SMALL.features(changed, core), before, atol=0.1)


def test_turning_the_image_turns_the_features():
    image = noise(1, 12, 20, 20)
    features = SMALL.features(image, whole(image))
    turned = SMALL.features(image.rot90(1, (2, 3)).contiguous(), whole(image))
    back = turned.rot90(-1, (2, 3))
    invariant = slice(0, 1 + 2 * SCALE)
    torch.testing.assert_close(
        back[invariant], features[invariant], atol=2e-3, rtol=1e-4
    )
    # Slopes along y and x change places: this is how directions are told apart.
    along_y, along_x = features[-2], features[-1]
    torch.testing.assert_close(back[-2], along_x, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(back[-1], along_y, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(along_x, along_y, atol=0.1)


def test_stripes_have_slopes_across_and_none_along():
    x = torch.arange(40.0)
    image = torch.sin(x).expand(1, 8, 30, 40)
    *_, along_y, along_x = SMALL.features(image, ((4, 5), (10, 20), (10, 30)))
    assert along_y.max() < 1e-4
    assert along_x.min() > 0.2


def test_a_slant_says_which_diagonal_stripes_follow():
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    core = ((4, 5), (10, 30), (10, 30))
    falling, rising = (
        SLANTED.features(torch.sin(stripes).expand(1, 8, 40, 40), core)
        for stripes in (y + x, y - x)
    )
    assert falling[-1].min() > 0.9
    assert rising[-1].max() < -0.9
    # Nothing else tells them apart.
    one, other = (each[1:-1].mean((1, 2, 3)) for each in (falling, rising))
    torch.testing.assert_close(one, other, atol=0.05, rtol=0.05)


def test_in_2d_other_slices_do_not_count():
    image, other = noise(1, 5, 16, 16), noise(1, 5, 16, 16, seed=1)
    other[:, 2] = image[:, 2]
    core = ((2, 3), (0, 16), (0, 16))
    assert torch.equal(FLAT.features(image, core), FLAT.features(other, core))
    assert not torch.allclose(SMALL.features(image, core), SMALL.features(other, core))
    assert FLAT.halo[0] == 0


@pytest.mark.parametrize("thickness", [1.0, 2.0, 4.0])
def test_slopes_are_measured_in_physical_units(thickness):
    bank = SMALL.model_copy(update={"spacing": (thickness, 1.0, 1.0)})
    depth = int(48 / thickness)
    ramp = 0.5 * thickness * torch.arange(float(depth))
    image = ramp[:, None, None].expand(1, depth, 8, 8)
    middle = ((depth // 2, depth // 2 + 1), (4, 5), (4, 5))
    features = bank.features(image, middle).flatten()
    for number, sigma in enumerate(bank.sigmas):
        gradient = features[1 + SCALE * number + 2]
        assert gradient == pytest.approx(0.5 * sigma, rel=1e-3)


def test_thick_slices_need_fewer_of_them():
    assert COARSE.halo[0] < SMALL.halo[0]
    assert COARSE.halo[1:] == SMALL.halo[1:]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 7), (3, 1, 2), (2, 2, 40)])
@BANKS
def test_volumes_smaller_than_the_filters_have_finite_features(bank, shape):
    image = noise(1, *shape)
    features = bank.features(image, whole(image))
    assert features.shape[1:] == shape
    assert torch.isfinite(features).all()


@given(value=st.floats(-10, 10, width=32))
@settings(max_examples=15, deadline=None)
def test_a_constant_image_has_no_texture(value):
    image = torch.full((1, 6, 8, 9), value)
    features = SMALL.features(image, whole(image))
    assert torch.allclose(features[0], image[0])
    # The mean is in place 1 and 1 + SCALE; all else measures change.
    rest = [f for n, f in enumerate(features) if n not in (0, 1, 1 + SCALE)]
    assert torch.stack(rest).abs().max() < 0.02


def test_channels_lie_behind_each_other():
    image = noise(2, 6, 8, 9)
    both = SMALL.features(image, whole(image))
    single = [SMALL.features(image[c : c + 1], whole(image)) for c in range(2)]
    assert torch.equal(both, torch.cat(single))


def test_work_can_be_stopped_between_scales():
    seen = []

    def tick():
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SMALL.features(noise(1, 6, 8, 9), ((0, 6), (0, 8), (0, 9)), tick)


@given(
    size=st.sampled_from([2, 3]),
    values=st.lists(st.floats(-100, 100, width=32), min_size=9, max_size=9),
)
@settings(max_examples=100, deadline=None)
def test_eigenvalues_are_those_of_lapack(size, values):
    square = np.array(values, np.float64).reshape(3, 3)[:size, :size]
    square = (square + square.T) / 2
    entries = {
        (i, j): torch.tensor(square[i, j]) for i in range(size) for j in range(i, size)
    }
    found = [float(value) for value in symmetric_eigenvalues(entries)]
    expected = np.linalg.eigvalsh(square)[::-1]
    np.testing.assert_allclose(found, expected, atol=1e-4 * (1 + abs(square).max()))
