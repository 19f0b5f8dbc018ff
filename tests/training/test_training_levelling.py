"""Pictures that were taken one by one are seen in one light."""

import numpy as np
import pytest
from training_runs import make_image, probabilities, run

from napari_sashiko.checkpoints import load_card
from napari_sashiko.training import TrainingStarted
from napari_sashiko.volumes import Time, Volume, as_volume


def pictures(count=6, seed=0):
    """Bright on the right, each in another light; and strokes on the first two."""
    rng = np.random.default_rng(seed)
    scene = rng.normal(size=(count, 40, 44)) / 2
    scene[..., 22:] += 2
    light = np.linspace(0, 60, count)[:, None, None]
    labels = np.zeros(scene.shape, np.uint8)
    labels[:2, 4:36:6, 3:18] = 1
    labels[:2, 4:36:6, 26:41] = 2
    return (light + scene).astype(np.float32), labels


def stack(image, **more):
    return Volume(image, axes="zyx", separate=True, **more)


def told(events):
    return next(e.text for e in events if isinstance(e, TrainingStarted))


def test_pictures_in_another_light_are_known(tmp_path):
    image, labels = pictures()
    events = run(tmp_path / "m", stack(image), labels, members=0)
    assert "one mean and contrast" in told(events)
    assert load_card(tmp_path / "m").normalisation.levelled
    found = probabilities(tmp_path / "m", stack(image)).argmax(0)
    truth = np.broadcast_to(np.arange(44) >= 22, found.shape)
    assert (found == truth).mean(axis=(1, 2)).min() > 0.9
    run(tmp_path / "n", stack(image), labels, members=0, levelling="no")
    plain = probabilities(tmp_path / "n", stack(image)).argmax(0)
    assert (plain == truth).mean(axis=(1, 2)).min() < 0.9


def test_slices_of_a_block_keep_their_light(tmp_path):
    events = run(tmp_path / "m", members=0)
    assert "contrast" not in told(events)
    assert not load_card(tmp_path / "m").normalisation.levelled


def test_time_points_keep_their_light(tmp_path):
    image, labels = pictures()
    series = Volume(image, axes="tyx", time=Time())
    events = run(tmp_path / "m", series, labels, members=0)
    assert "contrast" not in told(events)


@pytest.mark.parametrize("members", [0, 1])
def test_levelling_can_be_set(members, tmp_path):
    events = run(tmp_path / "m", members=members, epochs=1, levelling="yes")
    assert "one mean and contrast, as set" in told(events)
    assert probabilities(tmp_path / "m").shape[1:] == make_image().shape


def test_a_levelled_model_levels_any_volume(tmp_path):
    image, labels = pictures()
    run(tmp_path / "m", stack(image), labels, members=0)
    alone = probabilities(tmp_path / "m", as_volume(image[4:5] * 3 - 7))
    among = probabilities(tmp_path / "m", stack(image))[:, 4:5]
    np.testing.assert_allclose(alone, among, atol=0.02)
