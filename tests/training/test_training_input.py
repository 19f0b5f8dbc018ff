"""Laws of what training is given: classes, members, odd images, refusals."""

import numpy as np
import pytest
from training_runs import make_image, make_labels, probabilities, run, same, tensors

from napari_sashiko.checkpoints import load_card
from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.labels import LabelClass
from napari_sashiko.runners import Message
from napari_sashiko.training import EpochDone, TrainingStarted


def class_named(number, name):
    return LabelClass(id=number, name=name, color="#0072b2")


CLASSES = (class_named(1, "pore"), class_named(3, "matrix"), class_named(7, "fibre"))


def test_a_class_without_paint_is_left_out_and_ids_stay(out):
    labels = make_labels()
    labels[labels == 2] = 7
    run(out, labels=labels, classes=CLASSES, members=1, epochs=1)
    card = load_card(out)
    assert [(c.id, c.name) for c in card.classes] == [(1, "pore"), (7, "fibre")]
    assert probabilities(out).shape[0] == 2
    assert set(card.training["held_out"]) >= {"f1 pore", "f1 fibre"}


def test_the_order_of_classes_does_not_matter(out):
    labels = make_labels()
    labels[labels == 2] = 7
    run(out, labels=labels, classes=CLASSES, members=1, epochs=1)
    other = out.with_name("other.sashiko-model")
    run(other, labels=labels, classes=CLASSES[::-1], members=1, epochs=1)
    assert load_card(out).classes == load_card(other).classes
    assert same(tensors(out), tensors(other))


def test_one_voxel_a_class_is_enough(tmp_path):
    labels = np.zeros((5, 40, 44), np.uint8)
    labels[2, 20, 4], labels[2, 20, 40] = 1, 2
    for seed in range(3):  # seeds decide who would have been held out
        out = tmp_path / str(seed)
        events = run(out, labels=labels, epochs=1, batch=1, seed=seed)
        assert any("one voxel only" in e.text for e in events if type(e) is Message)
        assert np.isfinite(probabilities(out)).all()


def test_the_forest_alone_is_a_model(out):
    for forest in (True, False):
        events = run(out, members=0, forest=forest)
        (member,) = load_card(out).members
        assert (member.kind, member.weight) == ("forest", 1.0)
        (started,) = [e for e in events if type(e) is TrainingStarted]
        assert started.members == 1


def test_networks_alone_are_a_model(out):
    run(out, forest=False)
    assert [m.kind for m in load_card(out).members] == ["network"] * 2
    assert [m.weight for m in load_card(out).members] == [0.5, 0.5]


@pytest.mark.parametrize("network", ["smsnet", "msdnet"])
def test_any_network_can_be_trained(out, network):
    given = {"depth": 4} if network == "smsnet" else {"depth": 4, "max_dilation": 2}
    run(out, network=network, network_settings=given, members=1, epochs=1)
    assert load_card(out).members[1].spec["name"] == network


def test_blocks_can_be_trained(out):
    run(out, dims="3", members=1, epochs=1)
    card = load_card(out)
    assert card.dims == 3
    assert card.members[1].spec["dims"] == 3
    assert np.isfinite(probabilities(out)).all()


# Images that are not as they should be


@pytest.mark.parametrize("dims", ["2", "3"])
def test_a_constant_image_trains_and_says_so(out, dims):
    image = np.full((5, 40, 44), 7, np.uint8)
    events = run(out, image, dims=dims, members=1, epochs=1)
    said = [e.text for e in events if isinstance(e, Message) and e.level == "warning"]
    assert any("same value everywhere" in text for text in said)
    assert np.isfinite(probabilities(out, image)).all()


def test_voxels_that_are_no_numbers_do_no_harm(out):
    image = make_image()
    image[:, ::7, ::5] = np.nan
    image[:, 1::9, 3::8] = np.inf
    image[1] = -np.inf
    events = run(out, image)
    losses = [e.loss for e in events if isinstance(e, EpochDone)]
    assert np.isfinite(losses).all()
    assert np.isfinite(probabilities(out, image)).all()


@pytest.mark.parametrize("shape", [(1, 9, 11), (2, 8, 8), (3, 40, 5)])
def test_an_image_smaller_than_a_patch_trains(out, shape):
    image = make_image(shape)
    labels = np.zeros(shape, np.uint8)
    labels[0, :4, 0], labels[0, :4, -1] = 1, 2
    run(out, image, labels, members=1, epochs=1, patch=32)
    assert probabilities(out, image).shape == (2, *shape)


# Refusals


def refusal(out, error=LabelError, **changes):
    with pytest.raises(error) as caught:
        run(out, **changes)
    assert not out.exists()
    return str(caught.value)


def test_no_labels_are_refused(out):
    text = refusal(out, labels=np.zeros((5, 40, 44), np.uint8))
    assert "Nothing is labelled" in text
    assert "Paint at least two classes" in text


def test_one_class_is_refused(out):
    labels = (make_labels() == 2) * np.uint8(2)
    text = refusal(out, labels=labels)
    assert "Only class 2 is painted" in text
    assert "background is a class" in text


def test_labels_of_another_shape_are_refused(out):
    text = refusal(out, labels=make_labels((5, 40, 46)))
    assert "(5, 40, 46)" in text
    assert "(5, 40, 44)" in text


def test_a_label_without_class_is_refused(out):
    labels = make_labels()
    labels[0, 0, 0] = 9
    assert "Label 9 belongs to no class. Classes: 1, 2." in refusal(out, labels=labels)


def test_unknown_settings_of_a_network_are_refused_before_anything_is_learned(out):
    text = refusal(out, SettingsError, network_settings={"depht": 3})
    assert "depht" in text
    assert "nonet" in refusal(out, SettingsError, network="nonet")
