"""Laws of restoring: nearer to the truth than before, measured voxels stay."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from small_pictures import BEYOND, fenced

from napari_sashiko.checkpoints import (
    MemberCard,
    ModelCard,
    Restoring,
    load_card,
    load_ensemble,
    save_model,
)
from napari_sashiko.errors import SettingsError, VolumeError
from napari_sashiko.networks import build_network
from napari_sashiko.runners import Progress
from napari_sashiko.training import (
    EpochDone,
    RestoreSettings,
    TrainingDone,
    TrainingStarted,
    train_restoring,
)
from napari_sashiko.training.image_tiles import ImagePair, read_image_tiles
from napari_sashiko.volumes import Normalisation, as_volume, measure_normalisation

SHAPE = (6, 56, 60)
QUICK = RestoreSettings(
    members=2, epochs=2, minutes=None, patch=16, batch=8, device="cpu"
)
BARS = (slice(None), slice(None), slice(20, 23))


def make_clean():
    """Blobs in grey values far from 0."""
    rng = np.random.default_rng(0)
    blobs = gaussian_filter(rng.normal(size=SHAPE), 3)
    return (1000 + 100 * blobs / blobs.std()).astype(np.float32)


def make_noisy(scale=80.0):
    rng = np.random.default_rng(1)
    return make_clean() + rng.normal(0, scale, SHAPE).astype(np.float32)


def ended(steps):
    """What a generator returns when it has ended."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def error(image):
    return float(np.sqrt(np.mean((image - make_clean()) ** 2)))


def learn(out, image, *, clean=None, **changes):
    target = None if clean is None else as_volume(clean)
    settings = RestoreSettings(**{**QUICK.model_dump(), **changes})
    return list(train_restoring(as_volume(image), settings, out, target=target))


def restored(out, image):
    """Mean and deviation of the whole image at once."""
    ensemble = load_ensemble(out)
    known = ensemble.card.normalisation
    patch = known.apply(np.asarray(image)[None])
    if ensemble.card.restoring.fills_gaps:
        patch[~known.known(np.asarray(image)[None])] = np.nan
    mean, std = ensemble.predict(patch)
    return mean[0], std[0]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "restore.sashiko-model"


@pytest.fixture(scope="module")
def blind(tmp_path_factory):
    """A model that has seen the noisy image only, and what it said on the way."""
    path = tmp_path_factory.mktemp("blind") / "blind.sashiko-model"
    return path, learn(path, make_noisy())


def test_nothing_is_learned_of_what_lies_beyond_pictures():
    volume = fenced(((40, 48), (16, 48), (40, 19)))
    plain = Normalisation(low=(0.0,), high=(9.0,), center=(0.0,), scale=(1.0,))
    pair = ImagePair(volume, volume, plain, plain)
    steps = read_image_tiles(pair, (1, 16, 16), 0, 0)
    tiles = ended(steps)
    assert not any((tile.image == BEYOND).any() for tile in tiles)
    pixels = 40 * 48 + 16 * 48 + 40 * 19
    seen = np.unique(np.concatenate([tile.image.ravel() for tile in tiles]))
    assert len(seen) == pixels


def test_noise_is_taken_away_without_a_clean_image(blind):
    mean, _ = restored(blind[0], make_noisy())
    assert error(mean) < 0.6 * error(make_noisy())


def test_a_clean_image_beside_it_teaches_more(out, blind):
    learn(out, make_noisy(), clean=make_clean(), epochs=4)
    mean, _ = restored(out, make_noisy())
    assert error(mean) < error(restored(blind[0], make_noisy())[0])


def test_grey_values_come_back_as_they_were(blind):
    """Also those that a segmentation would take for outliers."""
    bright = make_noisy()
    bright[2:4, 20:40, 20:40] += 5000
    mean, _ = restored(blind[0], bright)
    # Of 1 in 200 voxels, a segmentation would take the grey value for an outlier.
    assert np.median(mean[2:4, 25:35, 25:35]) > 2500


def test_where_networks_differ_is_said(blind):
    _, std = restored(blind[0], make_noisy())
    assert std.shape == SHAPE
    assert 0 < std.mean() < 80


def test_what_it_says_on_the_way(blind):
    _, events = blind
    kinds = [type(event) for event in events]
    assert Progress in kinds
    started = next(e for e in events if isinstance(e, TrainingStarted))
    assert started.members == 2
    assert "noisy image alone" in started.text
    epochs = [e for e in events if isinstance(e, EpochDone)]
    assert np.isfinite([[e.loss, e.valid_loss] for e in epochs]).all()
    assert {e.member for e in epochs} == {0, 1}
    done = events[-1]
    assert isinstance(done, TrainingDone)
    best = [min(e.valid_loss for e in epochs if e.member == m) for m in (0, 1)]
    assert dict(done.metrics)["held_out_loss"] == pytest.approx(np.mean(best))


def test_the_card_says_what_it_is(blind):
    card = load_card(blind[0])
    assert card.classes == ()
    assert card.restoring is not None
    assert not card.restoring.fills_gaps
    assert card.outputs == 1
    assert card.restoring.target == card.normalisation
    assert len(card.training["history"][0]) == 2
    assert card.training["settings"]["members"] == 2


def test_equal_seeds_restore_alike(out, blind):
    learn(out, make_noisy())
    torch.testing.assert_close(
        restored(out, make_noisy())[0], restored(blind[0], make_noisy())[0]
    )


def test_gaps_are_filled_from_what_is_around(out):
    image = make_clean()
    image[BARS] = np.nan
    learn(out, image, gaps=True, epochs=4)
    assert load_card(out).restoring.fills_gaps
    mean, _ = restored(out, image)
    found, truth = mean[BARS], make_clean()[BARS]
    best_constant = truth.std()
    assert np.sqrt(np.mean((found - truth) ** 2)) < 0.7 * best_constant


@pytest.mark.parametrize("how", [{"dims": "2", "neighbours": 1}, {"dims": "3"}])
def test_gaps_are_shown_in_neighbouring_slices_and_in_blocks(out, how):
    image = make_clean()
    image[BARS] = np.nan
    learn(out, image, gaps=True, epochs=1, members=1, **how)
    card = load_card(out)
    assert card.restoring.shows_gaps
    planes = 2 * how.get("neighbours", 0) + 1
    assert card.members[0].spec["in_channels"] == 2 * planes
    mean, _ = restored(out, image)
    assert np.isfinite(mean).all()


def test_a_model_that_is_not_shown_the_gaps_fills_them_still(out):
    """As models from before."""
    image = make_clean()
    image[BARS] = np.nan
    network = build_network("tunet", 1, 1, dims=2, seed=0, depth=2, base_channels=4)
    known = measure_normalisation(as_volume(image), clip=False)
    member = MemberCard(kind="network", weight=1.0, spec=network.spec)
    card = ModelCard(
        name="before",
        created="2020-01-01T00:00:00+00:00",
        classes=(),
        restoring=Restoring(target=known, fills_gaps=True),
        channels=1,
        voxel_size=(1.0, 1.0, 1.0),
        unit="pixel",
        dims=2,
        normalisation=known,
        members=(member,),
    )
    tensors = {k: v.numpy() for k, v in network.state_dict().items()}
    save_model(out, card, [tensors])
    assert not load_card(out).restoring.shows_gaps
    assert "shows_gaps" not in repr(load_card(out).restoring)
    mean, _ = restored(out, image)
    assert np.isfinite(mean[BARS]).all()


def test_a_grey_value_may_mark_what_is_missing(out):
    image = make_clean().astype(np.uint16)
    image[BARS] = 0
    learn(out, image, gaps=True, missing=0, epochs=1)
    card = load_card(out)
    assert card.normalisation.missing == 0
    # What is missing is not what the image is like.
    assert card.normalisation.center[0] == pytest.approx(1000, abs=60)


def test_an_image_without_gaps_teaches_nothing_about_them(out):
    with pytest.raises(VolumeError, match=r"No gaps were found.*missing"):
        learn(out, make_clean(), gaps=True)
    assert not out.exists()


def blocks_of(patch):
    """Places in the volume of each voxel of the blocks that are read, in order."""
    numbered = as_volume(np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE))
    plain = Normalisation(low=(0.0,), high=(1e9,), center=(0.0,), scale=(1.0,))
    pair = ImagePair(numbered, numbered, plain, plain)
    tiles = ended(read_image_tiles(pair, patch, 0, QUICK.seed))
    return [tile.target[0].astype(int) for tile in tiles]


def pierced(places):
    """Take a few voxels out of an image."""
    image = make_clean()
    image.flat[places.ravel()[:40]] = np.nan
    return image


def test_a_gap_in_the_block_that_is_held_out_is_found(out):
    held, *others = blocks_of((16, 16, 16))
    image = pierced(held)
    assert not np.isnan(image.flat[np.concatenate([o.ravel() for o in others])]).any()
    done = learn(out, image, gaps=True, dims="3", epochs=1, members=1)[-1]
    assert np.isfinite(dict(done.metrics)["held_out_loss"])


def test_a_gap_in_a_block_that_had_no_room_is_found(out, monkeypatch):
    everywhere = blocks_of((16, 16, 16))
    monkeypatch.setattr("napari_sashiko.training.image_tiles.MEMORY", 0)
    read = blocks_of((16, 16, 16))
    assert len(read) == 2 < len(everywhere)
    events = learn(
        out, pierced(everywhere[-1]), gaps=True, dims="3", epochs=1, members=1
    )
    said = {event.what for event in events if isinstance(event, Progress)}
    assert "looking for gaps" in said
    assert np.isfinite(dict(events[-1].metrics)["held_out_loss"])


@pytest.mark.parametrize("gaps", [False, True])
def test_an_image_of_one_grey_value_is_refused(out, gaps):
    """Its loss would be 0, which looks like success."""
    image = np.full(SHAPE, 7.0, np.float32)
    if gaps:
        image[BARS] = np.nan
    with pytest.raises(VolumeError, match=r"one grey value.*nothing to learn"):
        learn(out, image, gaps=gaps)
    assert not out.exists()


@pytest.mark.parametrize("flat", ["image", "clean"])
def test_a_pair_with_one_grey_value_is_refused(out, flat):
    pair = {"image": make_noisy(), "clean": make_clean()}
    pair[flat] = np.zeros(SHAPE, np.float32)
    with pytest.raises(VolumeError, match="one grey value"):
        learn(out, pair["image"], clean=pair["clean"])


def test_an_image_that_was_hardly_measured_is_refused(out):
    image = np.full(SHAPE, np.nan, np.float32)
    image[0, :2, :2] = [[1, 2], [3, 4]]
    with pytest.raises(VolumeError, match=r"Most of .* was not measured"):
        learn(out, image)
    assert not out.exists()


def test_images_of_different_shapes_are_refused(out):
    with pytest.raises(VolumeError, match=r"\(6, 56, 59\)"):
        learn(out, make_noisy(), clean=make_clean()[..., 1:])


def test_gaps_need_no_clean_image(out):
    with pytest.raises(VolumeError, match="without a clean image"):
        learn(out, make_noisy(), clean=make_clean(), gaps=True)


def test_a_stopped_training_keeps_the_best_so_far(out):
    steps = train_restoring(as_volume(make_noisy()), QUICK, out)
    for event in steps:
        if isinstance(event, EpochDone):
            break
    steps.close()
    assert np.isfinite(restored(out, make_noisy())[0]).all()


@pytest.mark.parametrize("dims", ["2", "3"])
def test_slices_and_blocks_are_restored(out, dims):
    learn(out, make_noisy(), dims=dims, epochs=1, members=1)
    assert load_card(out).dims == int(dims)
    assert restored(out, make_noisy())[0].shape == SHAPE


def test_a_single_slice_is_enough(out):
    image = make_noisy()[:1]
    learn(out, image, epochs=1, members=1)
    assert load_card(out).patch["neighbours"] == 0
    assert restored(out, image)[0].shape == image.shape


def test_channels_are_restored_together(out):
    image = np.stack([make_noisy(), -make_noisy(40)])
    volume = as_volume(image, axes="czyx")
    settings = QUICK.model_copy(update={"epochs": 1, "members": 1})
    list(train_restoring(volume, settings, out))
    ensemble = load_ensemble(out)
    mean, _ = ensemble.predict(ensemble.card.normalisation.apply(image))
    assert mean.shape == image.shape
    assert mean[0].mean() > 500
    assert mean[1].mean() < -500


def test_an_image_smaller_than_a_patch_is_mirrored(out):
    learn(out, make_noisy()[:2, :12, :14], epochs=1, members=1)
    assert np.isfinite(restored(out, make_noisy())[0]).all()


def test_flatter_images_when_asked(out, tmp_path):
    flat = tmp_path / "flat.sashiko-model"
    learn(out, make_noisy(), members=1)
    learn(flat, make_noisy(), members=1, total_variation=3.0)
    rough, smooth = (
        np.abs(np.diff(restored(path, make_noisy())[0], axis=2)).mean()
        for path in (out, flat)
    )
    assert smooth < 0.8 * rough


FEW = {"edge": 16, "latent": 8, "depth": 2, "base_channels": 8}


@pytest.fixture(scope="module", params=["autoencoder", "vae"])
def squeezed(request, tmp_path_factory):
    """A model that keeps few numbers of patches of the noisy image."""
    path = tmp_path_factory.mktemp("squeezed") / f"{request.param}.sashiko-model"
    given = {"network": request.param, "network_settings": FEW}
    return path, learn(path, make_noisy(), **given, epochs=6)


def test_noise_does_not_fit_through_few_numbers(squeezed):
    path, events = squeezed
    mean, std = restored(path, make_noisy())
    assert error(mean) < 0.8 * error(make_noisy())
    clean = make_clean().ravel()
    before, after = (
        np.corrcoef(each.ravel(), clean)[0, 1] for each in (make_noisy(), mean)
    )
    assert after > before
    assert std.mean() > 0
    started = next(e for e in events if isinstance(e, TrainingStarted))
    assert "few numbers" in started.text


def test_what_squeezes_restores_the_same_each_time(squeezed):
    """Nothing is drawn where a model is used, and it is the same from disk."""
    first, second = (restored(squeezed[0], make_noisy())[0] for _ in range(2))
    assert np.array_equal(first, second)
    card = load_card(squeezed[0])
    assert card.members[0].spec["name"] == squeezed[0].name.split(".")[0]
    assert card.members[0].spec["settings"]["edge"] == FEW["edge"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 9, 31), (5, 40, 17)])
def test_sizes_that_patches_do_not_divide_are_restored(squeezed, shape):
    image = make_noisy()[tuple(slice(0, n) for n in shape)]
    mean, _ = restored(squeezed[0], image)
    assert mean.shape == shape
    assert np.isfinite(mean).all()


@pytest.mark.parametrize("dims", ["2", "3"])
def test_what_squeezes_learns_of_pairs_and_in_blocks(out, dims):
    few = {**FEW, "edge": 8}
    given = {"network": "vae", "network_settings": few, "members": 1, "epochs": 1}
    learn(out, make_noisy(), clean=make_clean(), dims=dims, **given)
    assert load_card(out).dims == int(dims)
    assert restored(out, make_noisy())[0].shape == SHAPE


def test_gaps_can_be_filled_from_few_numbers(out):
    image = make_clean()
    image[BARS] = np.nan
    given = {"network": "autoencoder", "network_settings": FEW, "members": 1}
    learn(out, image, gaps=True, epochs=1, **given)
    assert np.isfinite(restored(out, image)[0]).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("members", 0), ("loss", "dice"), ("total_variation", -1), ("missing", np.nan)],
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        RestoreSettings.checked(**{name: value})
