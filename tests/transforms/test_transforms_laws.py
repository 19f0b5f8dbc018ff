"""Image and labels move together, and only as the voxels allow."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import SettingsError
from napari_sashiko.transforms import TRANSFORMS, build_transforms, equal_planes

every = pytest.mark.parametrize("name", list(TRANSFORMS))


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(batch, size):
    """Every voxel has its own number, in image and target alike."""
    count = torch.Size(size).numel()
    target = torch.arange(count).view(1, *size).repeat(batch, *(1,) * len(size))
    image = torch.stack((target.float(), -target.float()), dim=1)
    return image, target


@every
@settings(max_examples=20, deadline=None)
@given(
    size=st.lists(st.integers(1, 6), min_size=2, max_size=3),
    batch=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_every_voxel_keeps_its_label(name, size, batch, seed):
    image, target = numbered(batch, size)
    kept = image.clone(), target.clone()
    transform = TRANSFORMS[name](len(size), (1.0, 1.0, 1.0))
    new_image, new_target = transform(image, target, gen(seed))
    assert new_target.shape == target.shape
    assert torch.equal(new_image[:, 0].long(), new_target)
    assert torch.equal(new_image[:, 1].long(), -new_target)
    assert torch.equal(new_target.flatten(1).sort().values, target.flatten(1))
    assert torch.equal(image, kept[0])
    assert torch.equal(target, kept[1])


@every
def test_the_generator_decides_alone(name):
    image, target = numbered(16, (4, 4))
    transform = TRANSFORMS[name](2, (1.0, 1.0, 1.0))
    before = torch.get_rng_state()
    one, same, other = (transform(image, target, gen(s))[1] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


@every
def test_patches_of_a_batch_are_drawn_one_by_one(name):
    image, target = numbered(64, (3, 3))
    _, moved = TRANSFORMS[name](2, (1.0, 1.0, 1.0))(image, target, gen())
    assert len({tuple(patch.flatten().tolist()) for patch in moved}) == 4


def test_flips_and_rotations_reach_all_eight_symmetries_of_a_square_evenly():
    image, target = numbered(4000, (3, 3))
    transform = build_transforms(["flips", "rotations"], 2)
    _, moved = transform(image, target, gen())
    seen = Counter(tuple(patch.flatten().tolist()) for patch in moved)
    assert len(seen) == 8
    assert min(seen.values()) > 400


def test_flips_and_rotations_reach_all_48_symmetries_of_a_cube():
    image, target = numbered(4000, (2, 2, 2))
    transform = build_transforms(["flips", "rotations"], 3)
    _, moved = transform(image, target, gen())
    assert len({tuple(patch.flatten().tolist()) for patch in moved}) == 48


def test_axes_of_different_voxel_size_are_never_exchanged():
    image, target = numbered(500, (3, 3, 3))
    transform = build_transforms(["flips", "rotations"], 3, (2.0, 1.0, 1.0))
    _, moved = transform(image, target, gen())
    planes = moved // 9
    assert (planes.amin(dim=(2, 3)) == planes.amax(dim=(2, 3))).all()
    assert len({tuple(patch.flatten().tolist()) for patch in moved}) == 16


@pytest.mark.parametrize(
    ("dims", "voxel_size", "planes"),
    [
        (2, (5.0, 1.0, 1.0), ((-2, -1),)),
        (2, (1.0, 1.0, 2.0), ()),
        (3, (1.0, 1.0, 1.0), ((-3, -2), (-3, -1), (-2, -1))),
        (3, (1.02, 1.0, 1.0), ((-3, -2), (-3, -1), (-2, -1))),
        (3, (2.0, 1.0, 1.0), ((-2, -1),)),
        (3, (1.0, 2.0, 1.0), ((-3, -1),)),
        (3, (1.0, 2.0, 3.0), ()),
    ],
)
def test_planes_are_those_with_square_voxels(dims, voxel_size, planes):
    assert equal_planes(dims, voxel_size) == planes


def test_oblong_patches_turn_by_half_turns_only():
    image, target = numbered(200, (2, 3))
    _, moved = TRANSFORMS["rotations"](2, (1.0, 1.0, 1.0))(image, target, gen())
    seen = {tuple(patch.flatten().tolist()) for patch in moved}
    assert seen == {(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0)}


def test_no_transform_leaves_patches_as_they_are():
    image, target = numbered(2, (3, 4))
    same = build_transforms([], 2)(image, target, gen())
    assert torch.equal(same[0], image)
    assert torch.equal(same[1], target)


def test_an_unknown_transform_is_answered_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"'noise'.*flips, rotations"):
        build_transforms(["noise"], 2)
