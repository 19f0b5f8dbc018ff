"""Laws of a training run: repeatable, told in order, judged by unseen paint."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_runs import (
    QUICK,
    make_image,
    make_labels,
    probabilities,
    run,
    same,
    tensors,
)

from napari_sashiko.checkpoints import load_card
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.runners import Message, Progress, Tick
from napari_sashiko.training import (
    EpochDone,
    TrainingDone,
    TrainingStarted,
    crew,
    paint_crew,
    train,
)
from napari_sashiko.volumes import as_volume

COUNTS = {str(n): int((make_labels() == n).sum()) for n in (1, 2)}


def test_a_run_learns_what_was_painted(trained):
    path, events = trained
    mean = probabilities(path)
    classes = mean.argmax(axis=0)
    assert (classes[..., :18] == 0).mean() > 0.9
    assert (classes[..., -18:] == 1).mean() > 0.9
    assert dict(events[-1].metrics)["macro_f1"] > 0.9


def test_labels_that_were_thinned_are_told_of(tmp_path):
    paint = replace(labelled_voxels(make_labels()), total=5_000_000)
    volume, settings = as_volume(make_image()), QUICK.model_copy(update={"epochs": 1})
    list(train(volume, paint, default_classes(2), settings, tmp_path / "m"))
    reasons = load_card(tmp_path / "m").training["reasons"]
    assert any("Of 5,000,000 labelled voxels" in reason for reason in reasons)


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
    curves = card.training["held_out_curves"]
    assert set(curves) == {"calibration", "confusion"}
    matrix = np.array(curves["confusion"]["counts"])
    metrics = card.training["held_out"]
    assert curves["confusion"]["classes"] == [1, 2]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(metrics["accuracy"])
    bins = [
        (said, right, count)
        for said, right, count in zip(*curves["calibration"].values(), strict=True)
        if count
    ]
    assert sum(count for _, _, count in bins) == matrix.sum()
    gaps = sum(count * abs(right - said) for said, right, count in bins)
    error = gaps / matrix.sum()
    assert error == pytest.approx(metrics["calibration_error"])
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

    class Spy(paint_crew.Sampler):
        def __init__(self, tiles, values, train, *rest, **more):
            super().__init__(tiles, values, train, *rest, **more)
            seen = np.zeros(len(values), bool)
            for tile, target in zip(tiles, self._targets, strict=True):
                places = tile.coords + [(p // 2) for p in self.patch]
                seen[tile.rows] = target[tuple(places.T)] > 0
            targets[len(targets)] = (seen, train)

    judged = {}  # by member: networks begin in any order
    keep = crew.fit

    def fit(network, supply, *, plan, **rest):
        held_out = supply.material.held_out
        rows = [tile.rows[rows] for tile, rows in held_out.tiles]
        judged[plan.member] = np.concatenate(rows)
        return keep(network, supply, plan=plan, **rest)

    monkeypatch.setattr(paint_crew, "Sampler", Spy)
    monkeypatch.setattr(crew, "fit", fit)
    run(out, epochs=1)
    assert len(judged) == len(targets) == 2
    coords = labelled_voxels(make_labels()).coords
    for member, (learned, train_mask) in targets.items():
        rows = judged[member]
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
    # Far from all paint, beyond any patch; the same grey values in another order, so
    # that normalisation stays as it is.
    wide = np.concatenate([image, image], axis=2)
    wide_labels = np.zeros(wide.shape, np.uint8)
    wide_labels[:, :, : labels.shape[2]] = labels
    changed = wide.copy()
    changed[:, 20:, -6:] = wide[:, :19:-1, -6:]
    assert not np.array_equal(changed, wide)
    run(out, wide, wide_labels, teacher=0)
    again = out.with_name("again.sashiko-model")
    run(again, changed, wide_labels, teacher=0)
    assert same(tensors(out), tensors(again))
