"""Laws of a training run: repeatable, usable at any time, judged by unseen paint."""

import time

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from napari_sashiko.checkpoints import load_card
from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.labels import LabelClass, default_classes, labelled_voxels
from napari_sashiko.runners import Message, Progress, Tick
from napari_sashiko.training import (
    EpochDone,
    MemberSaved,
    TrainingDone,
    TrainingStarted,
    crew,
    train,
)
from napari_sashiko.volumes import as_volume

from conftest import QUICK, make_image, make_labels, probabilities, run  # isort: skip


COUNTS = {str(n): int((make_labels() == n).sum()) for n in (1, 2)}


def tensors(path):
    return [load_file(path / member.file) for member in load_card(path).members]


def same(one, two):
    return all(
        a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
        for a, b in zip(one, two, strict=True)
    )


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_run_learns_what_was_painted(trained):
    path, events = trained
    mean = probabilities(path)
    classes = mean.argmax(axis=0)
    assert (classes[..., :18] == 0).mean() > 0.9
    assert (classes[..., -18:] == 1).mean() > 0.9
    assert dict(events[-1].metrics)["macro_f1"] > 0.9


def test_the_story_is_told_in_order(trained):
    path, events = trained
    told = [event for event in events if not isinstance(event, (Tick, Message))]
    assert isinstance(told[0], TrainingStarted)
    assert told[0].members == 3
    assert told[0].parameters > 0
    assert "random forest and 2 x tunet on cpu" in told[0].text
    assert isinstance(told[-1], TrainingDone)
    assert told[-1].path == path
    for member in range(2):
        epochs = [e for e in told if isinstance(e, EpochDone) and e.member == member]
        assert [e.epoch for e in epochs] == [1, 2]
        assert [e.fraction for e in epochs] == [0.5, 1.0]
        assert all(
            np.isfinite([e.loss, e.valid_loss, e.macro_f1]).all() for e in epochs
        )


def test_progress_only_rises(out, two_threads):
    progress = [e for e in run(out, epochs=3) if isinstance(e, Progress)]
    done = [event.done for event in progress]
    assert done == sorted(done)
    assert (done[-1], progress[-1].total) == (200, 200)


def test_the_card_says_what_was_trained_on(trained):
    path, events = trained
    card = load_card(path)
    assert [member.kind for member in card.members] == ["forest", "network", "network"]
    assert sum(member.weight for member in card.members) == pytest.approx(1)
    assert card.training["labels"] == COUNTS
    assert card.training["held_out"] == dict(events[-1].metrics)
    assert [len(history) for history in card.training["history"]] == [2, 2]
    assert len(card.correction) == 2


def test_a_seed_gives_the_same_tensors_again(trained, out, two_threads):
    # The second time members learn side by side, and may end in any order.
    path, _ = trained
    run(out)
    assert same(tensors(path), tensors(out))
    assert load_card(out).correction == pytest.approx(load_card(path).correction)


def test_another_seed_gives_another_model(trained, out):
    path, _ = trained
    run(out, seed=1)
    assert not same(tensors(path)[:1], tensors(out)[:1])
    assert not same(tensors(path)[1:2], tensors(out)[1:2])


def test_members_differ(trained):
    _, one, two = tensors(trained[0])
    assert not same([one], [two])


def test_random_states_and_threads_of_others_are_left_alone(out):
    np.random.seed(3)  # noqa: NPY002 - the global state is what is watched
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    run(out)
    assert np.array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(before[1], torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_held_out_voxels_are_never_learned_from(out, monkeypatch):
    targets = {}

    class Spy(crew.Sampler):
        def __init__(self, tiles, values, train, *rest):
            super().__init__(tiles, values, train, *rest)
            seen = np.zeros(len(values), bool)
            for tile, target in zip(tiles, self._targets, strict=True):
                places = tile.coords + [(p // 2) for p in self.patch]
                seen[tile.rows] = target[tuple(places.T)] > 0
            targets[len(targets)] = (seen, train)

    judged = []
    keep = crew.fit

    def fit(network, sampler, held_out, *rest, **plan):
        rows = [tile.rows[rows] for tile, rows in held_out.tiles]
        judged.append(np.concatenate(rows))
        return keep(network, sampler, held_out, *rest, **plan)

    monkeypatch.setattr(crew, "Sampler", Spy)
    monkeypatch.setattr(crew, "fit", fit)
    run(out, epochs=1)
    assert len(judged) == len(targets) == 2
    coords = labelled_voxels(make_labels()).coords
    for (learned, train_mask), rows in zip(targets.values(), judged, strict=True):
        assert np.array_equal(learned, train_mask)
        assert len(rows)
        assert not learned[rows].any()
        # Strokes are held out whole: what is learned from keeps its distance.
        gaps = coords[learned][:, None] - coords[rows][None]
        assert np.abs(gaps).max(axis=2).min() >= 2
    assert not np.intersect1d(*judged).size


def test_unlabelled_voxels_do_not_count(trained, out):
    image = make_image()
    labels = make_labels()
    # Far from all paint, beyond any patch: only normalisation could see it.
    wide = np.concatenate([image, image[:, :, :40] * 0 + image.mean()], axis=2)
    wide_labels = np.zeros(wide.shape, np.uint8)
    wide_labels[:, :, : labels.shape[2]] = labels
    changed = wide.copy()
    changed[:, 20:, -6:] = wide[:, ::-1][:, 20:, -6:]
    run(out, wide, wide_labels)
    again = out.with_name("again.sashiko-model")
    run(again, changed, wide_labels)
    assert same(tensors(out), tensors(again))


# Stopping


def stop_at(out, kind, count=1, **changes):
    """Close the run after some events of a kind."""
    settings = QUICK.model_copy(update=changes)
    labelled = labelled_voxels(make_labels())
    events = train(as_volume(make_image()), labelled, default_classes(2), settings, out)
    for event in events:
        count -= isinstance(event, kind)
        if count == 0:
            break
    start = time.monotonic()
    events.close()
    return time.monotonic() - start


@pytest.mark.parametrize(
    ("kind", "count", "members"),
    [(MemberSaved, 1, 1), (MemberSaved, 2, 1), (EpochDone, 1, 2), (EpochDone, 3, 3)],
)
def test_a_closed_run_leaves_a_model_that_predicts(out, kind, count, members):
    seconds = stop_at(out, kind, count, epochs=2)
    assert seconds < 1
    assert len(load_card(out).members) == members
    mean = probabilities(out)
    assert np.isfinite(mean).all()
    assert np.allclose(mean.sum(axis=0), 1, atol=1e-4)


def test_a_closed_run_keeps_the_best_epochs_so_far(out):
    stop_at(out, EpochDone, 2, epochs=2, forest=False, members=1)
    whole = out.with_name("whole.sashiko-model")
    run(whole, epochs=2, forest=False, members=1)
    assert same(tensors(out), tensors(whole))


def test_a_run_closed_before_its_first_member_leaves_nothing(out):
    stop_at(out, TrainingStarted)
    assert not out.exists()


def test_the_old_model_stays_until_there_is_a_new_one(trained, out):
    run(out)
    before = tensors(out)
    stop_at(out, TrainingStarted, seed=9)
    assert same(before, tensors(out))


def test_the_limit_of_minutes_is_kept(out):
    start = time.monotonic()
    events = run(out, minutes=0.05, epochs=10_000)
    assert time.monotonic() - start < 0.05 * 60 + 3
    last = {e.member: e for e in events if isinstance(e, EpochDone)}
    assert set(last) == {0, 1}
    assert all(e.fraction == 1.0 and e.epoch < 10_000 for e in last.values())


def test_a_model_in_the_making_can_be_used(out, monkeypatch):
    monkeypatch.setattr(crew, "SAVE_EVERY", 0.0)
    labelled = labelled_voxels(make_labels())
    events = train(as_volume(make_image()), labelled, default_classes(2), QUICK, out)
    used = 0
    for event in events:
        if isinstance(event, MemberSaved):
            assert np.isfinite(probabilities(out)).all()
            used += 1
    assert used > 4


def test_an_error_of_one_network_is_told_and_the_forest_kept(out, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("no such layer")
        yield

    monkeypatch.setattr(crew, "fit", broken)
    with pytest.raises(RuntimeError, match="no such layer"):
        run(out)
    assert [m.kind for m in load_card(out).members] == ["forest"]


# Classes


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
    for seed in range(12):
        out = tmp_path / str(seed)
        run(out, labels=labels, members=3, epochs=1, batch=1, seed=seed)
        assert np.isfinite(probabilities(out)).all()


def test_the_forest_alone_is_a_model(out):
    for forest in (True, False):
        events = run(out, members=0, forest=forest)
        (member,) = load_card(out).members
        assert (member.kind, member.weight) == ("forest", 1.0)
        assert events[0].members == 1


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
