"""Epochs are saved as they end, cheaply, and in whole."""

import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from training_runs import QUICK, make_image, make_labels

from napari_sashiko.checkpoints import load_card, load_ensemble
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.training import (
    EpochDone,
    MemberSaved,
    TrainingSettings,
    _writing,
    crew,
    train,
)
from napari_sashiko.volumes import as_volume


def steps(out, **changes):
    settings = TrainingSettings(**QUICK.model_dump() | changes)
    volume = as_volume(make_image())
    labelled = labelled_voxels(make_labels())
    return train(volume, labelled, default_classes(2), settings, out)


def test_who_hears_of_an_epoch_finds_it_in_the_model(out, monkeypatch):
    monkeypatch.setattr(crew, "MOST_SAVING", math.inf)
    heard = {}
    for event in steps(out, forest=False, epochs=4):
        if isinstance(event, EpochDone):
            heard[event.member] = event.epoch
            history = load_card(out).training["history"]
            assert all(len(history[m]) >= epoch for m, epoch in heard.items())
            assert len(load_ensemble(out).members) >= len(heard)
    assert heard == {0: 4, 1: 4}


def test_members_that_learned_nothing_new_are_not_written_again(out, monkeypatch):
    monkeypatch.setattr(crew, "MOST_SAVING", math.inf)
    written, save_model = [], _writing.save_model

    def watch(folder, card, tensors):
        written.append([arrays is not None for arrays in tensors])
        return save_model(folder, card, tensors)

    monkeypatch.setattr(_writing, "save_model", watch)
    for _ in steps(out, epochs=3):
        pass
    assert len(written) > 4
    assert [row[0] for row in written].count(True) == 1  # the forest, once
    named = {member.file for member in load_card(out).members}
    assert {path.name for path in out.glob("*.safetensors")} == named
    load_ensemble(out)


def test_saving_more_often_makes_no_more_news_for_the_preview(out, monkeypatch):
    monkeypatch.setattr(crew, "MOST_SAVING", math.inf)
    monkeypatch.setattr(crew, "TELL_EVERY", math.inf)
    events = list(steps(out, forest=False, epochs=4))
    told = [event.what for event in events if isinstance(event, MemberSaved)]
    assert told == ["networks"] * (len(told) or 1)


@pytest.mark.parametrize(
    ("waited", "cost", "changed", "due"),
    [
        (0.5, 0.01, True, True),
        (0.5, 0.5, True, False),
        (1.5, 0.5, True, True),  # no epoch waits for longer than a second
        (1.5, 0.01, False, False),
        (math.inf, 0.0, True, True),
    ],
)
def test_saving_takes_a_small_share_of_the_time_unless_a_second_is_over(
    monkeypatch, waited, cost, changed, due
):
    monkeypatch.setattr(crew, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    desk = SimpleNamespace(saved=1000.0 - waited, cost=cost, changed=changed)
    assert crew.is_due(desk) is due


def test_a_failed_save_is_tried_again(out, monkeypatch):
    monkeypatch.setattr(crew, "MOST_SAVING", math.inf)
    fsync, left = os.fsync, [3]

    def full_for_a_while(number):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, "No space left on device")
        fsync(number)

    monkeypatch.setattr(os, "fsync", full_for_a_while)
    work = steps(out, forest=False, epochs=2)
    with pytest.raises(Exception, match="No space left"):
        for _ in work:
            pass
    # What the end of the run saved once more, when there was room again.
    assert np.isfinite(load_card(out).members[0].weight)
    load_ensemble(out)
