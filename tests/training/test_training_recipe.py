"""Loss, optimiser, schedule and augmentation are the user's to choose."""

import math

import numpy as np
import pytest
import torch

from napari_sashiko import pipeline
from napari_sashiko.checkpoints import load_card
from napari_sashiko.errors import SettingsError
from napari_sashiko.labels import LabelClass, labelled_voxels
from napari_sashiko.losses import LOSSES, build_loss
from napari_sashiko.training import (
    ExploreSettings,
    RestoreSettings,
    TrainingSettings,
    TrainReconstructSettings,
    fit,
    train,
)
from napari_sashiko.training.optimisers import OPTIMISERS
from napari_sashiko.training.schedule import REDUCED, Pace
from napari_sashiko.transforms import TRANSFORMS
from napari_sashiko.volumes import as_volume

CLASSES = tuple(LabelClass(id=n, name=f"c{n}", color="#336699") for n in (1, 2))

SMALL = {
    "members": 1,
    "forest": False,
    "epochs": 2,
    "batch": 4,
    "patch": 16,
    "network": "tunet",
    "network_settings": {"depth": 2, "base_channels": 4},
    "learning_rate": 0.02,
}


def halves():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(2, 48, 48)).astype(np.float32) * 0.3
    image[:, 24:] += 1.5
    labels = np.zeros(image.shape, np.uint8)
    labels[:, 6:20:6, 4:44], labels[:, 28:44:6, 4:44] = 1, 2
    return as_volume(image, axes="zyx"), labelled_voxels(labels)


def trained(out, **settings):
    """Macro F1 of a network that learned alone, for a few epochs."""
    chosen = TrainingSettings.checked(**SMALL | settings)
    *_, done = train(*halves()[:1], halves()[1], CLASSES, chosen, out)
    return dict(done.metrics)["macro_f1"], load_card(out)


@pytest.mark.parametrize(
    ("loss", "settings"), [("focal_tversky", {"gamma": 1.5}), ("dice_bce", {})]
)
def test_another_loss_teaches(loss, settings, tmp_path):
    score, card = trained(tmp_path / "m", loss=loss, loss_settings=settings)
    assert score > 0.9
    assert card.training["settings"]["loss"] == loss


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_loss_goes_down(name):
    # Two pixels of each class, and weights that can tell them apart.
    gen = torch.Generator().manual_seed(0)
    weight = torch.zeros(2, 1, 1, 1, requires_grad=True)
    image = torch.tensor([-1.0, -0.8, 0.8, 1.0]).view(1, 1, 1, 4)
    image = image + 0.1 * torch.randn(image.shape, generator=gen)
    target = torch.tensor([1, 1, 2, 2]).view(1, 1, 4)
    optimiser, losses = OPTIMISERS["sgd"]([weight]), []
    for _ in range(30):
        loss = build_loss(name)(torch.nn.functional.conv2d(image, weight), target)
        optimiser.clear()
        loss.backward()
        optimiser.step(0.1)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("optimiser", "schedule"),
    [("adam", "one_cycle"), ("sgd", "cosine"), ("adamw", "plateau")],
)
def test_every_optimiser_and_every_schedule_learn(optimiser, schedule, tmp_path):
    score, _ = trained(tmp_path / "m", optimiser=optimiser, schedule=schedule)
    assert score > 0.9


def test_all_augmentations_together_can_be_learned_from(tmp_path):
    names = tuple(TRANSFORMS)
    score, card = trained(tmp_path / "m", augment=names, epochs=4)
    assert score > 0.8
    assert tuple(card.training["settings"]["augment"]) == names


def test_a_network_that_gets_no_better_stops_early(tmp_path):
    _, card = trained(tmp_path / "m", epochs=60, patience=1, learning_rate=1e-9)
    (history,) = card.training["history"]
    assert len(history) < 30


def test_sgd_makes_the_steps_of_torch():
    ours = [torch.nn.Parameter(torch.arange(4.0))]
    theirs = [torch.nn.Parameter(torch.arange(4.0))]
    mine = OPTIMISERS["sgd"](ours)
    other = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, nesterov=True)
    for number in range(9):
        for parameters in (ours, theirs):
            parameters[0].grad = None
            ((parameters[0] - number) ** 4).sum().mul(1e-3).backward()
        mine.step(0.1)
        other.step()
    torch.testing.assert_close(ours[0], theirs[0])


def test_a_plateau_lowers_the_rate_each_time_it_lasts():
    pace = Pace("plateau", wait=2)
    rates = []
    for loss in (1.0, 0.9, 0.95, math.nan, 0.95, 0.95, 0.8, 0.9, 0.95, 0.99):
        pace.note(loss)
        rates.append(round(math.log(pace.rate(0.5), REDUCED)))
    assert rates == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    pace.begin()
    assert pace.rate(0.5) == 1.0


def test_a_plateau_waits_as_long_as_it_is_told(tmp_path, monkeypatch):
    rates = []
    learn = fit._learn

    def watched(network, batch, optimiser, rate, plan):
        rates.append(rate)
        return learn(network, batch, optimiser, rate, plan)

    monkeypatch.setattr(fit, "_learn", watched)
    told = {"schedule": "plateau", "plateau_wait": 1, "plateau_factor": 0.1}
    # Nothing is learned at such rates: the first epoch stays the best.
    trained(tmp_path / "m", epochs=60, patience=3, learning_rate=1e-9, **told)
    fallen = sorted({round(math.log10(rate), 2) for rate in rates}, reverse=True)
    assert fallen[:2] == [-9, -10]
    assert all(-12 <= power <= -9 for power in fallen)


def test_patience_begins_anew_with_each_better_epoch():
    pace = Pace(patience=2)
    over = []
    for loss in (1.0, 1.1, 0.9, 1.0, 1.0, 0.5):
        pace.note(loss)
        over.append(pace.over)
    assert over == [False, False, False, False, True, False]
    assert not Pace().over


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "magic"}, "no loss named 'magic'"),
        ({"loss_settings": {"gamma": 2}}, "no setting 'gamma'"),
        ({"loss": "focal", "loss_settings": {"delta": 2}}, "Known settings: .*gamma"),
        ({"loss": "dice_bce", "loss_settings": {"share": "abc"}}, "share = 'abc'"),
        ({"loss": "focal", "loss_settings": {"gamma": -3}}, "gamma = -3"),
        ({"augment": ("flips", "fog")}, "no transform named 'fog'"),
        ({"network": "tunet", "network_settings": {"wings": 2}}, "'wings'"),
    ],
)
def test_parts_that_do_not_exist_are_refused_before_training(settings, words, tmp_path):
    volume, paint = halves()
    chosen = TrainingSettings.checked(**settings)
    with pytest.raises(SettingsError, match=words):
        list(pipeline.train_steps(volume, paint, CLASSES, chosen, tmp_path / "m"))
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("kind", "name", "who"),
    [
        (TrainingSettings, "seed", "The setting seed decides it"),
        (TrainingSettings, "dims", "The setting dims decides it"),
        (TrainingSettings, "in_channels", "The image decides it"),
        (TrainingSettings, "name", "The setting network decides it"),
        (RestoreSettings, "seed", "The setting seed decides it"),
        (ExploreSettings, "edge", "The setting patch decides it"),
        (ExploreSettings, "latent", "The setting latent decides it"),
        (ExploreSettings, "dims", "The network, which looks at slices, decides it"),
        (TrainReconstructSettings, "size", "The volume of slices decides it"),
        (TrainReconstructSettings, "seed", "The setting seed decides it"),
    ],
)
def test_what_the_program_supplies_is_no_setting_of_a_network(kind, name, who):
    words = f"network_settings.{name} is no setting of the network. {who}"
    with pytest.raises(SettingsError) as caught:
        kind.checked(network_settings={"depth": 3, name: 1})
    assert words in str(caught.value)


def test_what_a_restorer_has_of_its_own_may_be_set():
    chosen = RestoreSettings.checked(network="vae", network_settings={"latent": 4})
    assert chosen.network_settings == {"latent": 4}


def test_the_name_of_a_loss_is_none_of_its_settings(tmp_path):
    with pytest.raises(SettingsError, match="no setting 'name'"):
        trained(tmp_path / "m", loss_settings={"name": "dice"})


def test_settings_of_a_loss_reach_it():
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    target = torch.ones(2, 8, 8).long()
    plain, sharp = (build_loss("focal", gamma=gamma) for gamma in (0.0, 5.0))
    assert sharp(logits, target) < plain(logits, target)


def test_augmentations_may_be_named_in_one_text():
    assert TrainingSettings.checked(augment="noise, blur").augment == ("noise", "blur")
    assert TrainingSettings.checked(augment="").augment == ()


def test_class_weights_that_do_not_fit_the_classes_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="3 class weights for 2 classes"):
        trained(tmp_path / "m", loss_settings={"class_weights": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize(
    ("chosen", "edge"),
    [
        ({"network": "auto", "network_settings": {}}, 32),
        ({"network": "auto", "network_settings": {}, "dims": "3"}, 64),
        ({"network": "smsnet", "network_settings": {"depth": 20}}, 64),
        ({"network": "smsnet", "network_settings": {"depth": 20}, "patch": 24}, 24),
    ],
)
def test_networks_that_look_far_learn_from_larger_patches(
    chosen, edge, tmp_path, monkeypatch
):
    monkeypatch.setattr(fit, "STEPS", 1)
    few = {"epochs": 1, "batch": 1, "patch": None}
    _, card = trained(tmp_path / "m", **few | chosen)
    assert card.patch["edge"] == edge
