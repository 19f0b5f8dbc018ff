"""Whether patches are turned follows from the strokes, and the reason is told."""

import numpy as np
import pytest
from live_runs import Canvas, Live

from napari_sashiko.checkpoints import load_card
from napari_sashiko.labels import LabelClass, labelled_voxels
from napari_sashiko.runners import Message
from napari_sashiko.training import TrainingRested, TrainingSettings, train
from napari_sashiko.volumes import as_volume

TINY = {
    "members": 1,
    "epochs": 1,
    "patch": 16,
    "batch": 2,
    "network_settings": {"depth": 2, "base_channels": 4},
}
CLASSES = tuple(LabelClass(id=n, name=f"c{n}", color="#336699") for n in (1, 2))


def plies(rng):
    """Stripes along x in the left half, along y in the right one."""
    y, x = np.mgrid[:64, :128]
    stripes = np.where(x < 64, np.sin(y * 1.2), np.sin(x * 1.2))
    return stripes + rng.normal(size=stripes.shape) * 0.3


def diagonals(rng):
    """Stripes along one diagonal in the left half, along the other in the right one."""
    y, x = np.mgrid[:64, :128]
    stripes = np.where(x < 64, np.sin((y + x) * 0.9), np.sin((y - x) * 0.9))
    return stripes + rng.normal(size=stripes.shape) * 0.3


def brightness(rng):
    """Dark in the left half, bright in the right one."""
    x = np.mgrid[:64, :128][1]
    return np.where(x < 64, 0.0, 2.0) + rng.normal(size=x.shape) * 0.3


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (plies, "flipped, not turned"),
        (diagonals, "turned upside down, not flipped"),
        (brightness, "flipped and turned"),
    ],
)
def test_the_reason_for_turning_patches_is_told(draw, said, tmp_path):
    image = draw(np.random.default_rng(0))[np.newaxis].astype(np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[0, 6:60:9, 6:52] = 1
    labels[0, 6:60:9, 76:122] = 2
    settings = TrainingSettings.checked(**TINY)
    steps = train(
        as_volume(image, axes="zyx"),
        labelled_voxels(labels),
        CLASSES,
        settings,
        tmp_path / "m",
    )
    told = [event.text for event in steps if isinstance(event, Message)]
    assert not any("all the same" in text for text in told)
    assert sum("flipped" in text for text in told) == 1
    assert any(said in text for text in told)
    assert any(
        said in reason for reason in load_card(tmp_path / "m").training["reasons"]
    )


def test_live_training_goes_on_when_the_forest_wants_slants(tmp_path):
    image = diagonals(np.random.default_rng(0))[np.newaxis].astype(np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[0, 6:60:9, 6:52] = 1
    labels[0, 6:60:9, 76:122] = 2
    with Live(Canvas(labels), tmp_path / "m", image=image, **TINY) as live:
        live.until(TrainingRested)
    reasons = load_card(tmp_path / "m").training["reasons"]
    assert any("turned upside down, not flipped" in reason for reason in reasons)


def test_a_forest_that_nobody_asked_for_is_told_of(tmp_path):
    image = brightness(np.random.default_rng(0))[np.newaxis].astype(np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[0, 6:60:9, 6:52], labels[0, 6:60:9, 76:122] = 1, 2
    settings = TrainingSettings.checked(members=0, forest=False)
    volume = as_volume(image, axes="zyx")
    steps = train(volume, labelled_voxels(labels), CLASSES, settings, tmp_path / "m")
    told = [event.text for event in steps if isinstance(event, Message)]
    assert "No networks and no forest: a forest is trained all the same." in told
    assert [member.kind for member in load_card(tmp_path / "m").members] == ["forest"]
