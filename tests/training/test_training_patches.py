"""Laws of tiles and training patches: paint where it was painted, and no other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.forests import FilterBank
from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.networks import build_network
from napari_sashiko.patches import Folds
from napari_sashiko.training import held_out, tiles
from napari_sashiko.training.held_out import (
    cross_fit,
    features_at,
    without_direction,
    without_slants,
)
from napari_sashiko.training.sampler import Sampler, held_out_logits
from napari_sashiko.training.tiles import read_tiles
from napari_sashiko.volumes import Normalisation, as_volume

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 40))


def counted(shape):
    """A volume in which each voxel tells its place; nothing is normalised away."""
    image = 1 + np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    top = float(image.max())
    plain = Normalisation(low=(0.0,), high=(top,), center=(0.0,), scale=(1.0,))
    return as_volume(image), plain


def painted(shape, share=0.2, seed=0):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < share
    mask.flat[0] = True
    coords = np.argwhere(mask).astype(np.int32)
    values = rng.integers(1, 4, len(coords)).astype(np.uint8)
    return LabelledVoxels(coords, values, shape)


def read(volume, plain, labelled, *, dims=2, margin=(0, 4, 4), seed=0):
    return list(
        read_tiles(volume, plain, labelled, dims=dims, margin=margin, seed=seed)
    )


@given(shape=SHAPES, dims=st.sampled_from([2, 3]), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_every_labelled_voxel_is_in_one_tile(shape, dims, seed):
    labelled = painted(shape, seed=seed)
    found = read(*counted(shape), labelled, dims=dims, seed=seed)
    rows = np.concatenate([tile.rows for tile in found])
    assert sorted(rows.tolist()) == list(range(len(labelled)))


@given(
    shape=SHAPES,
    dims=st.sampled_from([2, 3]),
    margin=st.tuples(*[st.integers(0, 9)] * 3),
)
@settings(max_examples=25, deadline=None)
def test_a_tile_is_a_crop_of_the_mirrored_volume(shape, dims, margin):
    volume, plain = counted(shape)
    image = volume.read(tuple(slice(0, n) for n in shape))[0]
    padded = np.pad(image, [(m, m) for m in margin], mode="symmetric")
    labelled = painted(shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "EDGE", 16)
        found = read(volume, plain, labelled, dims=dims, margin=margin)
    for tile in found:
        assert tile.shape == tuple(
            n - 2 * m for n, m in zip(tile.image.shape[1:], margin, strict=True)
        )
        start = labelled.coords[tile.rows[0]] - tile.coords[0]
        crop = padded[
            tuple(
                slice(s, s + n + 2 * m)
                for s, n, m in zip(start, tile.shape, margin, strict=True)
            )
        ]
        assert np.array_equal(tile.image[0], crop)
        assert np.array_equal(tile.coords + start, labelled.coords[tile.rows])


def test_tiles_stop_when_memory_is_used_up(monkeypatch):
    monkeypatch.setattr(tiles, "EDGE", 8)
    labelled = painted((4, 40, 40))
    everything = read(*counted((4, 40, 40)), labelled)
    monkeypatch.setattr(tiles, "MEMORY", 3 * everything[0].image.nbytes)
    some = read(*counted((4, 40, 40)), labelled)
    assert 3 <= len(some) < len(everything)


def sampler_of(shape, patch, neighbours=0, seed=0):
    volume, plain = counted(shape)
    labelled = painted(shape, seed=seed)
    train = np.random.default_rng(seed).random(len(labelled)) < 0.6
    train[0] = True
    flat = patch[0] == 1
    margin = (neighbours if flat else patch[0] // 2, patch[1] // 2, patch[2] // 2)
    found = read(volume, plain, labelled, dims=2 if flat else 3, margin=margin)
    sampler = Sampler(found, labelled.values, train, patch, neighbours)
    truth = np.zeros(np.prod(shape) + 1, np.uint8)  # by grey value
    flat_places = np.ravel_multi_index(labelled.coords[train].T, shape)
    truth[flat_places + 1] = labelled.values[train]
    return sampler, truth, train


def test_samplers_share_images_that_are_there_already():
    volume, plain = counted((4, 40, 40))
    labelled = painted((4, 40, 40))
    found = read(volume, plain, labelled, dims=2, margin=(0, 4, 4))
    shared = [torch.full(tile.image.shape, 7.0) for tile in found]
    train = np.ones(len(labelled), bool)
    one = Sampler(found, labelled.values, train, (1, 8, 8), 0, images=shared)
    images, _ = one.draw(4, np.random.default_rng(0))
    assert (images == 7).all()


@given(
    shape=SHAPES,
    patch=st.sampled_from([(1, 8, 8), (1, 16, 16), (4, 8, 8)]),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_targets_are_the_paint_under_them_and_never_held_out(shape, patch, seed):
    sampler, truth, _ = sampler_of(shape, patch, seed=seed)
    images, targets = sampler.draw(16, np.random.default_rng(seed))
    places, targets = images.numpy().astype(int)[:, 0], targets.numpy()
    assert places.shape == targets.shape
    assert np.all((targets == 0) | (targets == truth[places]))


@given(shape=SHAPES, patch=st.sampled_from([(1, 8, 8), (4, 8, 8)]))
@settings(max_examples=25, deadline=None)
def test_every_patch_has_paint(shape, patch):
    sampler, _, _ = sampler_of(shape, patch)
    _, targets = sampler.draw(32, np.random.default_rng(0))
    assert (targets.flatten(1) > 0).any(dim=1).all()


def test_every_voxel_that_may_be_learned_from_is_drawn():
    shape = (3, 20, 20)
    sampler, _, train = sampler_of(shape, (1, 8, 8))
    assert len(sampler) == train.sum()
    images, targets = sampler.draw(3000, np.random.default_rng(0))
    seen = np.unique(images.numpy()[:, 0][targets.numpy() > 0])
    assert len(seen) == train.sum()


@pytest.mark.parametrize("neighbours", [0, 1, 3])
def test_neighbours_of_a_slice_are_its_channels(neighbours):
    shape = (4, 24, 24)
    sampler, _, _ = sampler_of(shape, (1, 8, 8), neighbours)
    images, _ = sampler.draw(20, np.random.default_rng(0))
    assert images.shape == (20, 2 * neighbours + 1, 8, 8)
    depth = (images[:, :, 4, 4].numpy().astype(int) - 1) // (24 * 24)
    middle = depth[:, neighbours]
    for offset in range(-neighbours, neighbours + 1):
        wanted = (middle + offset) % (2 * shape[0])
        mirrored = np.minimum(wanted, 2 * shape[0] - 1 - wanted)
        assert np.array_equal(depth[:, neighbours + offset], mirrored)


def test_a_seed_draws_the_same_patches_again():
    sampler, _, _ = sampler_of((3, 20, 20), (1, 8, 8))
    one, two, other = (sampler.draw(9, np.random.default_rng(n))[0] for n in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("dims", [2, 3])
def test_held_out_voxels_are_judged_as_in_the_whole_volume(dims):
    shape = (5, 30, 30)
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    labelled = painted(shape, 0.05)
    given = {"depth": 3, "max_dilation": 2}
    network = build_network(
        "msdnet", 3 if dims == 2 else 1, 2, dims=dims, seed=0, **given
    )
    network.eval()
    reach = network.receptive_radius
    margin = (1, reach, reach) if dims == 2 else (reach,) * 3
    plain = Normalisation(low=(-9.0,), high=(9.0,), center=(0.0,), scale=(1.0,))
    (tile, *others) = read(
        as_volume(image), plain, labelled, dims=dims, margin=margin, seed=0
    )
    with torch.no_grad():
        found = held_out_logits(network, tile, np.arange(len(tile.rows)))
        # The tile is mirrored at the faces of the volume; so is the whole here.
        padded = np.pad(image, [(m, m) for m in margin], mode="symmetric")
        start = labelled.coords[tile.rows[0]] - tile.coords[0]
        x = torch.from_numpy(padded)[None]
        z, y, c = (labelled.coords[tile.rows] + margin).T
        if dims == 2:
            slab = x[0, start[0] : start[0] + 3]
            expected = network(slab[None])[0][:, y, c]
        else:
            expected = network(x[None])[0][:, z, y, c]
    torch.testing.assert_close(found, expected.T, atol=1e-4, rtol=1e-4)
    assert bool(others) == (dims == 2)


# Forests


def test_features_at_paint_are_those_of_the_whole_volume(monkeypatch):
    monkeypatch.setattr(held_out, "EDGE", 16)
    shape = (5, 30, 37)
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    plain = Normalisation(low=(-9.0,), high=(9.0,), center=(0.0,), scale=(1.0,))
    labelled = painted(shape, 0.1)
    bank = FilterBank(sigmas=(0.7, 1.6), textures=(2.0,))
    whole = bank.features(
        torch.from_numpy(image)[None], tuple((0, size) for size in shape)
    ).numpy()
    asked = np.zeros(len(labelled), int)
    for rows, features in features_at(as_volume(image), plain, labelled, bank):
        asked[rows] += 1
        expected = whole[:, *labelled.coords[rows].T].T
        np.testing.assert_allclose(features, expected, atol=2e-3)
    assert (asked == 1).all()


def test_a_forest_is_asked_only_about_what_it_has_not_seen():
    rng = np.random.default_rng(0)
    # A feature that names the voxel: whoever has seen it knows the answer by heart.
    features = rng.permutation(60)[:, None].astype(np.float32)
    channels = rng.integers(0, 2, 60)
    fold = np.repeat([0, 1, 2], 20).astype(np.int8)
    train = np.stack([fold != n for n in range(3)])
    bank = FilterBank()
    votes = np.full((60, 2), np.nan)
    parts = cross_fit(
        features,
        channels,
        Folds(fold, train, ""),
        bank,
        asked=3,
        trees=20,
        seed=0,
        threads=1,
    )
    for rows, probabilities, forest in parts:
        assert np.isnan(votes[rows]).all()
        votes[rows] = probabilities
        assert np.array_equal(forest.classify(features[rows]), probabilities)
    assert np.isfinite(votes).all()
    right = (votes.argmax(axis=1) == channels).mean()
    assert 0.2 < right < 0.8  # guessing


def test_a_class_that_a_forest_never_saw_has_no_share():
    features = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    channels = np.repeat([0, 1, 2], 10)
    fold = np.repeat([0, 1], [25, 5]).astype(np.int8)
    train = np.stack([np.arange(30) >= 25, np.arange(30) < 20])
    folds = Folds(fold, train, "")
    grow = {"trees": 4, "seed": 0, "threads": 1}
    parts = cross_fit(features, channels, folds, FilterBank(), asked=2, **grow)
    answers = [probabilities for _, probabilities, _ in parts]
    assert answers[0].shape == (25, 3)
    assert not answers[0][:, :2].any()
    assert not answers[1][:, 2].any()
    assert np.allclose(answers[1].sum(axis=1), 1)
    parts = cross_fit(features, channels, folds, FilterBank(), asked=1, **grow)
    assert [rows.tolist() for rows, _, _ in parts] == [list(range(25))]


def test_few_voxels_are_all_learned_from_and_many_are_thinned(monkeypatch):
    monkeypatch.setattr(held_out, "MOST_VOXELS", 50)
    monkeypatch.setattr(held_out, "LEAST", 5)
    assert np.array_equal(held_out.subsample(np.zeros(50, int), 0), np.arange(50))
    rows = held_out.subsample(np.zeros(400, int), 0)
    assert len(np.unique(rows)) == 50
    assert np.array_equal(rows, np.sort(rows))
    assert rows.max() > 300
    rare = np.zeros(400, int)
    rare[[7, 390]], rare[100:110] = 1, 2
    kept = np.bincount(rare[held_out.subsample(rare, 0)])
    assert kept[1] == 2
    assert kept[2] >= 5
    assert kept.sum() <= 57


def test_of_very_much_paint_forests_are_asked_about_a_part(monkeypatch):
    mask = np.zeros((1, 400, 400), bool)
    mask[0, :200] = True
    values = np.ones(mask.sum(), np.uint8)
    values[:6000] = 2
    paint = LabelledVoxels(np.argwhere(mask).astype(np.int32), values, mask.shape)
    assert np.array_equal(held_out.asked_rows(paint, 0), np.arange(80_000))
    monkeypatch.setattr(held_out, "MOST_ASKED", 20_000)
    monkeypatch.setattr(held_out, "FEWEST", 3000)
    rows = held_out.asked_rows(paint, 0)
    kept = np.bincount(paint.values[rows])
    assert abs(kept[1] - 74_000 / 4) < 600
    assert abs(kept[2] - 3000) < 200  # not a quarter of 6000
    assert not np.array_equal(rows, held_out.asked_rows(paint, 1))
    # Each place has its own say: paint that follows changes few of them.
    more = mask.copy()
    more[0, 200:210] = True
    later = LabelledVoxels(
        np.argwhere(more).astype(np.int32), np.append(values, [1] * 4000), mask.shape
    )
    again = held_out.asked_rows(later, 0)
    assert np.isin(again[again < 80_000], rows).all()


@pytest.mark.parametrize("slants", [False, True])
def test_without_direction_a_turn_changes_nothing(slants):
    bank = FilterBank(sigmas=(0.7,), textures=(2.0, 3.0), slants=slants)
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.normal(size=(2, 6, 16, 16)).astype(np.float32))
    box = ((0, 6), (0, 16), (0, 16))
    here = bank.features(image, box)[:, 3, 5, 7].numpy()[None]
    turned = image.rot90(1, (2, 3)).contiguous()
    there = bank.features(turned, box)[:, 3, 15 - 7, 5].numpy()[None]
    assert not np.allclose(here, there, atol=1e-3)
    np.testing.assert_allclose(
        without_direction(here, bank, 2), without_direction(there, bank, 2), atol=2e-3
    )


def test_a_bank_without_slants_says_the_rest():
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.normal(size=(2, 6, 16, 16)).astype(np.float32))
    box = ((0, 6), (0, 16), (0, 16))
    bank = FilterBank(sigmas=(0.7,), textures=(2.0, 3.0), slants=True)
    plain = bank.model_copy(update={"slants": False})
    full, some = (
        each.features(image, box).flatten(1).numpy().T for each in (bank, plain)
    )
    np.testing.assert_array_equal(without_slants(full, bank, 2), some)
