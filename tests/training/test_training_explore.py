"""Laws of exploring: patches are made again, and strange ones are told from known."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_sashiko.checkpoints import (
    load_card,
    load_ensemble,
    load_explorer,
    mend_model,
    model_digest,
)
from napari_sashiko.errors import ModelError, SettingsError, VolumeError
from napari_sashiko.training import (
    EpochDone,
    ExploreSettings,
    TrainingDone,
    TrainingStarted,
    train_exploring,
)
from napari_sashiko.volumes import as_volume

SHAPE = (4, 60, 70)
QUICK = ExploreSettings(
    epochs=4,
    minutes=None,
    patch=16,
    latent=6,
    batch=16,
    device="cpu",
    network_settings={"base_channels": 8, "depth": 2},
)


def make_blobs(seed=0):
    rng = np.random.default_rng(seed)
    blobs = gaussian_filter(rng.normal(size=SHAPE), (0, 4, 4))
    return (1000 + 100 * blobs / blobs.std()).astype(np.float32)


def make_stripes():
    """Of the same grey values, but nothing like blobs."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    stripes = 1000 + 140 * np.sin(x * 1.6) * np.sin(y * 1.6)
    return np.broadcast_to(stripes, SHAPE).astype(np.float32)


def learn(out, image, **changes):
    settings = ExploreSettings(**{**QUICK.model_dump(), **changes})
    return list(train_exploring(as_volume(image), settings, out))


def test_slices_that_are_too_wide_are_shrunk_and_seen_as_a_whole(tmp_path):
    """The mean of 40 x 40 voxels is one: what is learned is what means would teach."""
    means = make_blobs()[:, :16, :16]
    wide = np.kron(means, np.ones((1, 40, 40), np.float32))
    wide += np.tile(np.array([[-30, 30], [30, -30]], np.float32), (320, 320))
    quick = {"patch": None, "epochs": 1, "batch": 4}
    out, other = tmp_path / "a.sashiko-model", tmp_path / "b.sashiko-model"
    said = learn(out, wide, shrink=40, **quick)
    text = next(each.text for each in said if isinstance(each, TrainingStarted))
    assert "Whole slices, 16 voxels wide, each the mean of 40 x 40." in text
    exploring = load_card(out).exploring
    assert (exploring.edge, exploring.shrink) == (16, 40)
    seen = learn(other, means, **quick)
    assert dict(said[-1].metrics)["held_out_loss"] == pytest.approx(
        dict(seen[-1].metrics)["held_out_loss"], rel=0.1
    )
    assert "shrink" not in repr(load_card(other).exploring)


def test_an_image_that_is_too_small_is_not_shrunk(tmp_path):
    with pytest.raises(VolumeError, match=r"only 60 voxels .* 61 times"):
        learn(tmp_path / "a.sashiko-model", make_blobs(), shrink=61)


def scores(path, image, edge=16):
    """Scores of patches on a grid."""
    explorer = load_explorer(path)
    seen = explorer.card.normalisation.apply(image[None])[0]
    patches = np.stack(
        [
            seen[z, y : y + edge, x : x + edge]
            for z in range(len(seen))
            for y in range(0, SHAPE[1] - edge + 1, edge)
            for x in range(0, SHAPE[2] - edge + 1, edge)
        ]
    )[:, None]
    return explorer.outside(explorer.look(patches, np.ones(patches.shape, bool)))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "explore.sashiko-model"


@pytest.fixture(scope="module", params=["autoencoder", "vae"])
def learned(request, tmp_path_factory):
    """A model of blobs, and what it said on the way."""
    path = tmp_path_factory.mktemp("explore") / f"{request.param}.sashiko-model"
    return path, learn(path, make_blobs(), network=request.param)


def test_patches_are_made_again(learned):
    done = learned[1][-1]
    assert isinstance(done, TrainingDone)
    assert dict(done.metrics)["correlation"] > 0.7


def test_what_it_says_on_the_way(learned):
    _, events = learned
    started = next(e for e in events if isinstance(e, TrainingStarted))
    assert started.members == 1
    assert "6 numbers" in started.text
    assert "Patches of 16 x 16" in started.text
    epochs = [e for e in events if isinstance(e, EpochDone)]
    assert len(epochs) == 4
    assert epochs[-1].valid_loss < epochs[0].valid_loss
    best = min(e.valid_loss for e in epochs)
    assert dict(events[-1].metrics)["held_out_loss"] == pytest.approx(best)


def test_the_card_says_what_it_is(learned):
    card = load_card(learned[0])
    assert card.classes == ()
    assert card.restoring is None
    assert card.exploring.edge == 16
    assert card.exploring.latent == 6
    assert 0 < card.exploring.chance < 0.1
    assert card.outputs == 1
    assert card.training["settings"]["latent"] == 6
    assert card.training["correlation"] > 0.7
    assert not list(learned[0].glob("*.pkl"))


def test_more_of_the_same_is_inside_and_what_is_strange_outside(learned):
    path, _ = learned
    assert (scores(path, make_blobs(seed=1)) > 1).mean() < 0.3
    assert (scores(path, make_stripes()) > 1).mean() > 0.9


def test_known_latents_are_those_of_training_patches(learned):
    explorer = load_explorer(learned[0])
    known = explorer.known
    assert known.shape[1] == 6
    assert 100 < len(known) <= 2048
    assert len(torch.unique(known, dim=0)) == len(known)


def test_it_is_no_ensemble_and_says_so(learned):
    with pytest.raises(ModelError, match=r"explores images.*sashiko embed"):
        load_ensemble(learned[0])
    assert len(model_digest(learned[0])) == 64


def test_a_whole_one_needs_no_mending_and_a_damaged_one_is_told(learned, out):
    assert mend_model(learned[0]) == ""
    learn(out, make_blobs(), epochs=1)
    tensors = next(out.glob("*.safetensors"))
    tensors.write_bytes(tensors.read_bytes()[:-9])
    with pytest.raises(ModelError, match="damaged"):
        load_explorer(out)


def test_equal_seeds_learn_alike(out, tmp_path):
    other = tmp_path / "other.sashiko-model"
    for path in (out, other):
        learn(path, make_blobs(), epochs=1, network="vae")
    image = make_blobs(seed=2)
    np.testing.assert_allclose(scores(out, image), scores(other, image), rtol=1e-4)


def test_a_stopped_training_keeps_the_best_so_far(out):
    steps = train_exploring(as_volume(make_blobs()), QUICK, out)
    for event in steps:
        if isinstance(event, EpochDone):
            break
    steps.close()
    assert np.isfinite(scores(out, make_blobs())).all()


def test_small_slices_are_taken_as_a_whole(out):
    image = make_blobs().reshape(4 * 6, 10, 70)[:, :, :24]
    events = learn(out, image, epochs=1, patch=None)
    assert load_card(out).exploring.edge == 24
    started = next(e for e in events if isinstance(e, TrainingStarted))
    assert "Whole slices" in started.text


def test_patches_are_taken_of_small_slices_when_asked(out):
    learn(out, make_blobs()[:, :40, :40], epochs=1)
    assert load_card(out).exploring.edge == 16


def test_what_was_not_measured_does_not_count(out):
    image = make_blobs()
    image[:, 20:28] = np.nan
    learn(out, image, epochs=1)
    card = load_card(out)
    assert np.isfinite(card.exploring.error_limit)
    assert card.normalisation.center[0] == pytest.approx(1000, abs=30)


def test_an_image_that_nobody_measured_is_refused(out):
    with pytest.raises(VolumeError, match="no finite voxel"):
        learn(out, np.full(SHAPE, np.nan, np.float32))
    assert not out.exists()


def test_channels_are_looked_at_together(out):
    image = np.stack([make_blobs(), -make_blobs(1)])
    volume = as_volume(image, axes="czyx")
    list(train_exploring(volume, QUICK.model_copy(update={"epochs": 1}), out))
    assert load_card(out).channels == 2
    assert load_explorer(out).network.in_channels == 2


@pytest.mark.parametrize(
    ("name", "value"), [("latent", 0), ("patch", 4), ("members", 2)]
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        ExploreSettings.checked(**{name: value})
