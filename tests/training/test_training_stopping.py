"""Laws of stopping: at any time there is a whole model, or the one before."""

import numpy as np
import pytest
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
from napari_sashiko.training import (
    EpochDone,
    MemberSaved,
    TrainingStarted,
    crew,
    train,
)
from napari_sashiko.volumes import as_volume


def stop_at(out, kind, count=1, **changes):
    """Close the run after some events of a kind."""
    settings = QUICK.model_copy(update=changes)
    labelled = labelled_voxels(make_labels())
    events = train(as_volume(make_image()), labelled, default_classes(2), settings, out)
    for event in events:
        count -= isinstance(event, kind)
        if count == 0:
            break
    events.close()


@pytest.mark.parametrize(
    ("kind", "count", "members"),
    # A network that learns beside the others may be as far as they are, unheard.
    [
        (MemberSaved, 1, {1}),
        (MemberSaved, 2, {1}),
        (EpochDone, 1, {2, 3}),
        (EpochDone, 3, {3}),
    ],
)
def test_a_closed_run_leaves_a_model_that_predicts(out, kind, count, members):
    stop_at(out, kind, count, epochs=10_000)  # nobody could wait for these
    assert len(load_card(out).members) in members
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
    events = run(out, minutes=0.05, epochs=10_000)
    last = {e.member: e for e in events if isinstance(e, EpochDone)}
    assert set(last) == {0, 1}
    assert all(e.fraction == 1.0 and e.epoch < 10_000 for e in last.values())


def test_a_model_in_the_making_can_be_used(out, monkeypatch):
    monkeypatch.setattr(crew, "TELL_EVERY", 0.0)
    labelled = labelled_voxels(make_labels())
    events = train(as_volume(make_image()), labelled, default_classes(2), QUICK, out)
    used = 0
    for event in events:
        if isinstance(event, MemberSaved):
            assert np.isfinite(probabilities(out)).all()
            used += 1
    assert used >= 4  # forest twice, networks so far, networks


def test_an_error_of_one_network_is_told_at_once_and_the_rest_kept(
    out, monkeypatch, two_threads
):
    keep = crew.fit

    def broken(*args, plan, **rest):
        if plan.member == 1:
            raise RuntimeError("no such layer")
        yield from keep(*args, plan=plan, **rest)

    monkeypatch.setattr(crew, "fit", broken)
    with pytest.raises(RuntimeError, match="no such layer"):
        run(out, epochs=10_000)  # nobody could wait for these
    assert load_card(out).members[0].kind == "forest"
    assert np.isfinite(probabilities(out)).all()
