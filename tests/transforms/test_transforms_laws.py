"""Image and labels move together, and only as the voxels allow."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.errors import SettingsError
from napari_sashiko.transforms import TRANSFORMS, build_transforms, equal_planes

every = pytest.mark.parametrize("name", list(TRANSFORMS))
MOVING = ("flips", "half_turns", "rotations")  # each voxel to another place
GREY = ("blur", "gamma", "noise")  # other values at the same places
BENDING = ("elastic", "scale", "turns")  # read between the voxels
moving = pytest.mark.parametrize("name", MOVING)
grey = pytest.mark.parametrize("name", GREY)
bending = pytest.mark.parametrize("name", BENDING)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(batch, size):
    """Every voxel has its own number, in image and target alike."""
    count = torch.Size(size).numel()
    target = torch.arange(count).view(1, *size).repeat(batch, *(1,) * len(size))
    image = torch.stack((target.float(), -target.float()), dim=1)
    return image, target


def test_all_transforms_have_their_laws():
    assert {*MOVING, *GREY, *BENDING} == set(TRANSFORMS)


@moving
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
    image, target = numbered(16, (9, 9))
    transform = TRANSFORMS[name](2, (1.0, 1.0, 1.0))
    before = torch.get_rng_state()
    one, same, other = (transform(image, target, gen(s))[0] for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


@moving
def test_patches_of_a_batch_are_drawn_one_by_one(name):
    image, target = numbered(64, (3, 3))
    _, moved = TRANSFORMS[name](2, (1.0, 1.0, 1.0))(image, target, gen())
    ways = {"half_turns": 2}.get(name, 4)
    assert len({tuple(patch.flatten().tolist()) for patch in moved}) == ways


@pytest.mark.parametrize("name", [*GREY, *BENDING])
def test_patches_are_changed_by_different_amounts(name):
    image, target = scene((20, 20))
    image, target = image[:1].repeat(8, 1, 1, 1), target[:1].repeat(8, 1, 1)
    changed, _ = TRANSFORMS[name](2)(image, target, gen())
    assert len({round(float(patch.std()), 5) for patch in changed}) > 3


def test_flips_and_rotations_reach_all_eight_symmetries_of_a_square_evenly():
    image, target = numbered(4000, (3, 3))
    transform = build_transforms(["flips", "rotations"], 2)
    _, moved = transform(image, target, gen())
    seen = Counter(tuple(patch.flatten().tolist()) for patch in moved)
    assert len(seen) == 8
    assert min(seen.values()) > 400


def test_half_turns_turn_half_of_the_patches_upside_down():
    image, target = numbered(400, (4, 5))
    _, moved = build_transforms(["half_turns"], 2)(image, target, gen())
    stayed = (moved == target).flatten(1).all(1)
    turned = (moved == target.flip((-2, -1))).flatten(1).all(1)
    assert bool((stayed ^ turned).all())
    assert 150 < int(turned.sum()) < 250


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
    with pytest.raises(SettingsError, match=r"'fog'.*flips.*rotations"):
        build_transforms(["fog"], 2)


def scene(size, batch=3, channels=2, seed=0):
    """Smooth noise and two classes with something unlabelled between."""
    image = torch.randn((batch, channels, *size), generator=gen(seed))
    target = torch.zeros((batch, *size), dtype=torch.long)
    target[..., : size[-1] // 3], target[..., -(size[-1] // 3) :] = 1, 2
    return image, target


@grey
@pytest.mark.parametrize("size", [(12, 9), (5, 12, 9)])
def test_grey_values_change_and_nothing_moves(name, size):
    image, target = scene(size)
    kept = image.clone()
    changed, told = TRANSFORMS[name](len(size))(image, target, gen(2))
    assert told is target
    assert changed.shape == image.shape
    assert torch.equal(image, kept)
    assert not torch.equal(changed, image)
    assert torch.isfinite(changed).all()


def test_gamma_keeps_the_order_of_grey_values_and_both_ends():
    image, target = scene((15, 15))
    changed, _ = TRANSFORMS["gamma"](2)(image, target, gen())
    for before, after in zip(image.flatten(0, 1), changed.flatten(0, 1), strict=True):
        order = before.flatten().argsort()
        assert (after.flatten()[order].diff() >= -1e-6).all()
        torch.testing.assert_close(after.amin(), before.amin())
        torch.testing.assert_close(after.amax(), before.amax())


def test_a_flat_patch_stays_flat():
    flat, target = torch.full((4, 1, 8, 8), 0.7), torch.ones(4, 8, 8).long()
    for name in ("gamma", "blur"):
        changed, _ = TRANSFORMS[name](2)(flat, target, gen())
        torch.testing.assert_close(changed, flat)


def test_blur_mixes_fewer_voxels_along_long_ones():
    dot = torch.zeros(64, 1, 15, 15, 15)
    dot[:, :, 7, 7, 7] = 1.0
    transform = TRANSFORMS["blur"](3, (4.0, 1.0, 1.0))
    spread, _ = transform(dot, torch.zeros(64, 15, 15, 15), gen())
    total = spread.sum(dim=(1, 2, 3, 4))
    torch.testing.assert_close(total, torch.ones(64))
    at = torch.arange(15.0) - 7
    width = [
        (spread.sum(dim=axes) * at.square()).sum(-1).sqrt().max()
        for axes in ((1, 3, 4), (1, 2, 3))
    ]
    assert width[1] == pytest.approx(1.2, abs=0.1)
    assert width[0] < width[1] / 3


@bending
@pytest.mark.parametrize("size", [(24, 20), (7, 24, 20)])
def test_image_and_labels_are_bent_together(name, size):
    image, target = scene(size)
    # Grey values say where they are from: labels must agree, up to half a voxel.
    image = torch.zeros_like(image)
    image[:, :] = (target == 2).float().unsqueeze(1)
    changed, told = TRANSFORMS[name](len(size))(image, target, gen(3))
    assert told.dtype == target.dtype
    assert set(told.unique().tolist()) <= {0, 1, 2}
    seen = changed[:, 0]
    assert ((seen > 0.75) | (told != 2)).float().mean() > 0.97
    assert not torch.equal(told, target)


@bending
def test_probabilities_are_bent_as_labels_are(name):
    image, target = scene((24, 20))
    soft = torch.stack([(target == k).float() for k in (0, 1, 2)], dim=1)
    transform = TRANSFORMS[name](2)
    _, told = transform(image, target, gen(5))
    _, chances = transform(image, soft, gen(5))
    assert chances.shape == soft.shape
    sums = chances.sum(1)
    assert (sums < 1 + 1e-5).all()
    inside = sums > 0.999
    same = chances.argmax(1) == told
    assert same[inside].float().mean() > 0.97


def test_turns_leave_planes_of_long_voxels_alone():
    image, target = scene((12, 12))
    same, _ = TRANSFORMS["turns"](2, (1.0, 4.0, 1.0))(image, target, gen())
    assert torch.equal(same, image)
    # A column along the long axis stays on its axis: only the others turn.
    column = torch.zeros(4, 1, 6, 13, 13)
    column[..., 6, 6] = 1.0
    turned, _ = TRANSFORMS["turns"](3, (4.0, 1.0, 1.0))(
        column, torch.zeros(4, 6, 13, 13), gen()
    )
    torch.testing.assert_close(turned[..., 6, 6], torch.ones(4, 1, 6))


@bending
def test_nothing_is_labelled_where_there_was_nothing(name):
    image, target = scene((16, 16))
    _, told = TRANSFORMS[name](2)(image, torch.zeros_like(target), gen())
    assert not told.any()
