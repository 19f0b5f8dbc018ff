"""Laws of learning to reconstruct: slices come back, sizes that do not fit do not."""

import numpy as np
import pytest
import torch
from small_phantoms import ANGLES, SIDE, make_sinograms, make_slices

from napari_sashiko.checkpoints import (
    load_card,
    load_ensemble,
    load_reconstructors,
    mend_model,
    model_digest,
)
from napari_sashiko.errors import DeviceError, ModelError, SettingsError, VolumeError
from napari_sashiko.runners import Message
from napari_sashiko.training import (
    EpochDone,
    TrainingDone,
    TrainingStarted,
    TrainReconstructSettings,
    fit,
    train_reconstructing,
)
from napari_sashiko.training.slice_material import SliceMaterial, SlicePairs
from napari_sashiko.volumes import as_volume

SLICES = make_slices(60)
SINOGRAMS = make_sinograms(SLICES)
OTHERS = make_slices(12, seed=1)
SMALL = {
    "automap": {"channels": 4},
    "conv_reconstruct": {"base_channels": 4},
    "dense_reconstruct": {"hidden": 128},
}
QUICK = {"members": 1, "epochs": 1, "minutes": None, "batch": 8, "device": "cpu"}
QUICK |= {"network": "dense_reconstruct", "network_settings": {"hidden": 16}}


def learn(out, sinograms=SINOGRAMS, slices=SLICES, *, angles=None, **changes):
    settings = TrainReconstructSettings(**{**QUICK, **changes})
    steps = train_reconstructing(
        as_volume(sinograms), as_volume(slices), settings, out, angles=angles
    )
    return list(steps)


def error(found):
    return float(np.sqrt(np.mean((found - OTHERS) ** 2)))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "learned.sashiko-model"


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A quick model of two networks, and what was said on the way."""
    path = tmp_path_factory.mktemp("learned") / "learned.sashiko-model"
    return path, learn(path, members=2, epochs=2)


@pytest.mark.parametrize("name", SMALL)
def test_slices_that_nobody_showed_are_found(out, name):
    learn(out, network=name, network_settings=SMALL[name], epochs=8)
    mean, _ = load_reconstructors(out).predict(make_sinograms(OTHERS))
    best_constant = float(OTHERS.std())
    assert error(mean) < 0.8 * best_constant


def test_grey_values_come_back_as_they_were(out):
    learn(out, 50 * SINOGRAMS + 7, 1000 + 50 * SLICES, epochs=4)
    mean, _ = load_reconstructors(out).predict(50 * make_sinograms(OTHERS) + 7)
    assert mean.mean() == pytest.approx(1000 + 50 * OTHERS.mean(), abs=5)


def test_where_networks_differ_is_said(learned):
    model = load_reconstructors(learned[0])
    sinograms = make_sinograms(OTHERS[:3])
    mean, std = model.predict(sinograms)
    assert mean.shape == std.shape == (3, SIDE, SIDE)
    with torch.inference_mode():
        seen = model.card.normalisation.apply(sinograms[None])[0][:, None]
        each = np.stack([n(torch.from_numpy(seen))[:, 0] for n in model.networks])
    grey = model.made.target.undo(each)
    np.testing.assert_allclose(mean, grey.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(std, grey.std(0), rtol=1e-3, atol=1e-5)


def test_what_it_says_on_the_way(learned):
    started = next(e for e in learned[1] if isinstance(e, TrainingStarted))
    assert started.members == 2
    assert "24 x 24" in started.text
    epochs = [e for e in learned[1] if isinstance(e, EpochDone)]
    assert {e.member for e in epochs} == {0, 1}
    done = learned[1][-1]
    assert isinstance(done, TrainingDone)
    best = [min(e.valid_loss for e in epochs if e.member == m) for m in (0, 1)]
    assert dict(done.metrics)["held_out_loss"] == pytest.approx(np.mean(best))


def test_the_card_says_what_it_is(learned):
    card = load_card(learned[0])
    assert card.classes == ()
    assert card.restoring is None
    made = card.reconstructing
    assert (len(made.angles), made.detectors, made.size) == (ANGLES, SIDE, SIDE)
    assert made.angles[1] == 180 / ANGLES
    assert card.outputs == 1


def test_angles_belong_to_the_model(out, learned):
    ways = np.linspace(0, 179, ANGLES)
    learn(out, angles=ways, members=2, epochs=2)
    assert load_card(out).reconstructing.angles == tuple(ways)
    assert model_digest(out) != model_digest(learned[0])


def test_equal_seeds_learn_alike(out, learned):
    learn(out, members=2, epochs=2)
    sinograms = make_sinograms(OTHERS[:2])
    first, second = (
        load_reconstructors(path).predict(sinograms)[0] for path in (out, learned[0])
    )
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


def test_other_doors_are_closed_to_it(learned):
    with pytest.raises(ModelError, match="sashiko reconstruct"):
        load_ensemble(learned[0])


def test_a_damaged_network_is_left_out(out):
    learn(out, members=2)
    first, second = load_card(out).members
    (out / first.file).write_bytes((out / first.file).read_bytes()[:100])
    with pytest.raises(ModelError, match=first.file):
        load_reconstructors(out)
    assert "1 of 2 members" in mend_model(out)
    assert [each.file for each in load_card(out).members] == [second.file]
    assert load_reconstructors(out).predict(SINOGRAMS[:1])[1].max() == 0


def test_a_network_that_is_too_large_is_refused_with_the_number(out, monkeypatch):
    def build(*_, **__):
        raise AssertionError("nothing may be built")

    monkeypatch.setattr(
        "napari_sashiko.training.reconstruct.build_reconstructor", build
    )
    # 256^4 weights and as many again from the sinogram, in six copies of four bytes.
    big = np.broadcast_to(np.float32(0), (2, 256, 256))
    weights = 2 * 256**4
    with pytest.raises(DeviceError, match=rf"{24 * weights / 1e9:.3g} GB of memory, "):
        learn(out, big, big, network="automap", network_settings={})
    assert not out.exists()


def test_a_gpu_needs_room_in_main_memory_too(out, monkeypatch):
    monkeypatch.setattr(
        "napari_sashiko.runners.devices.free_memory",
        lambda device: 700 if device == "cpu" else 10**12,
    )
    monkeypatch.setattr(
        "napari_sashiko.training.reconstruct.choose_device",
        lambda _: torch.device("cuda", 0),
    )
    with pytest.raises(DeviceError, match=r"free on cpu"):
        learn(out)
    assert not out.exists()


def test_members_are_counted(out, monkeypatch):
    monkeypatch.setattr("napari_sashiko.runners.devices.free_memory", lambda _: 800_000)
    weights = 18 * 24 * 16 + 16 + 16 * 16 + 16 + 16 * 576 + 576
    assert 24 * weights < 800_000 < 48 * weights
    learn(out)
    with pytest.raises(DeviceError, match=r"0\.0008 GB are free"):
        learn(out, members=2)


@pytest.mark.parametrize(
    ("sinograms", "slices", "why"),
    [
        (SINOGRAMS, SLICES[1:], "60 sinograms .* and 59 slices"),
        (SINOGRAMS, SLICES[:, 1:], "square"),
        (SINOGRAMS[:1], SLICES[:1], "single sinogram"),
        (SINOGRAMS.swapaxes(0, 1), SLICES, "order"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(out, sinograms, slices, why):
    with pytest.raises(VolumeError, match=why):
        learn(out, sinograms, slices)
    assert not out.exists()


def test_projections_teach_as_sinograms_do(out, learned):
    turned = np.ascontiguousarray(SINOGRAMS.swapaxes(0, 1))
    events = learn(out, turned, order="projections", members=2, epochs=2)
    assert load_card(out).reconstructing == load_card(learned[0]).reconstructing
    assert isinstance(events[-1], TrainingDone)


def test_pairs_with_gaps_are_left_out(out):
    broken = SINOGRAMS.copy()
    broken[3, 0, 0] = np.nan
    notes = [e.text for e in learn(out, broken) if isinstance(e, Message)]
    assert any("59 of 60 slices" in note for note in notes)
    assert np.isfinite(load_reconstructors(out).predict(SINOGRAMS[:1])[0]).all()


def test_gaps_everywhere_teach_nothing(out):
    broken = SINOGRAMS.copy()
    broken[1:, 0, 0] = np.nan
    with pytest.raises(VolumeError, match="Only 1 slice"):
        learn(out, broken)


def test_a_stopped_training_keeps_the_best_so_far(out):
    settings = TrainReconstructSettings(**{**QUICK, "epochs": 50})
    steps = train_reconstructing(as_volume(SINOGRAMS), as_volume(SLICES), settings, out)
    for event in steps:
        if isinstance(event, EpochDone):
            break
    steps.close()
    assert np.isfinite(load_reconstructors(out).predict(SINOGRAMS[:1])[0]).all()


def test_sums_of_slices_are_slices(monkeypatch):
    """A mixed pair is what the tomograph would have made of the mixed slice."""
    pairs = SlicePairs(SINOGRAMS, SLICES)
    material = SliceMaterial(pairs, [], None, torch.device("cpu"), mixing=1.0)
    batch = material.draw(6, np.random.default_rng(0), torch.Generator())
    expected = make_sinograms(batch.targets[:, 0].numpy())
    np.testing.assert_allclose(batch.images[:, 0], expected, atol=1e-3)
    single = SliceMaterial(pairs, [], None, torch.device("cpu"))
    for image in single.draw(6, np.random.default_rng(0), None).targets[:, 0].numpy():
        assert (image == SLICES).all((1, 2)).any()


def test_memory_bounds_the_pairs_that_are_held(out, monkeypatch):
    monkeypatch.setattr(fit, "STEPS", 1)
    pixels = ANGLES * SIDE + SIDE**2
    monkeypatch.setattr(
        "napari_sashiko.training.slice_material.MEMORY", 10 * 4 * pixels
    )
    notes = [e.text for e in learn(out) if isinstance(e, Message)]
    assert any("10 of 60 slices" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "value"),
    [("members", 0), ("loss", "dice"), ("mixing", 2), ("order", "zyx"), ("patch", 8)],
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        TrainReconstructSettings.checked(**{name: value})
