"""Laws of training while paint goes on changing."""

import threading

import numpy as np
import pytest
import torch
from live_runs import BAND, THIRD, Canvas, Live, banded, heritage_of
from small_networks import SMALL
from training_runs import (
    make_labels,
    probabilities,
    run,
    tensors,
)

from napari_sashiko.checkpoints import load_card
from napari_sashiko.errors import ModelError
from napari_sashiko.networks import NETWORKS, build_network
from napari_sashiko.runners import Message, Tick
from napari_sashiko.training import (
    EpochDone,
    Heritage,
    MemberSaved,
    TrainingRested,
    TrainingStarted,
    TrainingWaits,
    _desk,
    crew,
)

pytestmark = pytest.mark.usefixtures("hurry")


def test_it_rests_when_all_is_learned_and_wakes_for_new_paint(out, monkeypatch):
    monkeypatch.setattr(crew, "TELL_LIVE", 0.1)
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        first = load_card(out).training["labels"]
        canvas.paint((1, slice(4, 20), 5), 1)
        live.until(EpochDone)
        rested = live.until(TrainingRested)
        # Nothing is new while it rests: a preview of older news would say so.
        assert {type(event) for event in live.for_seconds(1.0)} == {Tick}
    assert rested.path == out
    assert dict(rested.metrics)["macro_f1"] > 0
    assert load_card(out).training["labels"]["1"] == first["1"] + 16


def test_new_paint_makes_the_forest_grow_anew_at_once(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out, epochs=1000) as live:
        live.until(EpochDone)
        before = tensors(out)[0]
        canvas.paint((1, slice(4, 20), slice(30, 40)), 1)
        live.until(MemberSaved, what="forest")
        after = tensors(out)[0]
        assert any(not np.array_equal(before[n], after[n]) for n in before)
        assert np.isfinite(probabilities(out)).all()


def test_a_stop_is_heard_while_very_much_paint_is_dealt(out, monkeypatch):
    gate, began, ended = (threading.Event() for _ in range(3))
    deal = _desk.fold_labelled

    def slow(*args, **options):
        began.set()
        gate.wait(60)
        ended.set()
        return deal(*args, **options)

    canvas = Canvas(make_labels())
    with Live(canvas, out, epochs=1000) as live:
        live.until(EpochDone)
        monkeypatch.setattr(_desk, "fold_labelled", slow)
        canvas.paint((1, slice(4, 20), slice(30, 40)), 1)
        while not began.is_set():
            next(live.steps)
        assert {type(event) for event in live.for_seconds(0.5)} == {Tick}
        live.steps.close()
        assert not ended.is_set()
    gate.set()
    assert np.isfinite(probabilities(out)).all()


def test_networks_go_on_with_new_paint_without_a_stop(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out, epochs=1000) as live:
        live.until(EpochDone, epoch=2)
        canvas.paint((1, slice(4, 20), 5), 1)
        live.until(MemberSaved, what="forest")
        live.until(EpochDone)
    numbers = {}
    for event in live.seen:
        if isinstance(event, EpochDone):
            assert event.epoch == numbers.get(event.member, 0) + 1
            numbers[event.member] = event.epoch


def test_a_class_that_is_added_is_learned_and_the_others_are_kept(out, monkeypatch):
    monkeypatch.setattr(crew, "TELL_LIVE", 0.0)  # any old news would be told first
    canvas = Canvas(make_labels())
    with Live(canvas, out, banded()) as live:
        live.until(TrainingRested)
        assert len(load_card(out).classes) == 2
        canvas.paint(THIRD, 3)
        live.until(MemberSaved)
        # At once, and what networks knew is in it.
        card = load_card(out)
        assert [c.id for c in card.classes] == [1, 2, 3]
        assert {m.kind for m in card.members} == {"forest", "network"}
        live.until(TrainingRested)
    texts = [event.text for event in live.seen if isinstance(event, Message)]
    assert any("class 3" in text for text in texts)
    said = probabilities(out, banded()).argmax(0) + 1
    painted = canvas.labels > 0
    assert (said == canvas.labels)[painted].mean() > 0.9
    assert (said[:, :, BAND] == 3).mean() > 0.8


def test_a_class_whose_paint_is_erased_is_left_out(out):
    labels = make_labels()
    labels[THIRD] = 3
    canvas = Canvas(labels)
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        assert len(load_card(out).classes) == 3
        canvas.paint(labels == 3, 0)
        live.until(TrainingRested)
    assert [c.id for c in load_card(out).classes] == [1, 2]


def test_it_waits_for_two_classes(out):
    canvas = Canvas(np.zeros((5, 40, 44), np.uint8))
    with Live(canvas, out) as live:
        assert "Nothing is labelled" in live.until(TrainingWaits).text
        canvas.paint((2, 4, slice(3, 10)), 1)
        assert "Only class 1" in live.until(TrainingWaits).text
        assert not out.exists()
        canvas.paint((2, 4, slice(30, 40)), 2)
        live.until(TrainingStarted)
        live.until(MemberSaved)


def test_paint_that_is_erased_to_one_class_stops_nothing(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        kept = canvas.labels.copy()
        canvas.paint(kept == 2, 0)
        assert "Only class 1" in live.until(TrainingWaits).text
        assert len(load_card(out).classes) == 2
        canvas.paint(kept == 2, 2)
        live.until(TrainingRested)


def test_a_forest_alone_follows_the_paint_too(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out, members=0) as live:
        live.until(TrainingRested)
        canvas.paint((1, slice(4, 20), 5), 1)
        live.until(TrainingRested)
    assert load_card(out).training["labels"]["1"] > (make_labels() == 1).sum()


def test_what_a_network_is_judged_on_was_never_learned(out, monkeypatch):
    """Also when strokes are joined by later ones."""
    from napari_sashiko.training.paint_crew import PaintCrew  # noqa: PLC0415

    learned, judged = {}, {}
    keep = PaintCrew._material

    def spying(self, tiles, images, number):
        made = keep(self, tiles, images, number)
        coords = self.desk.labelled.coords
        train = self.desk.folds.train[number]
        learned.setdefault(number, set()).update(map(tuple, coords[train].tolist()))
        held = coords[made.held_out.rows]
        judged.setdefault(number, []).append(set(map(tuple, held.tolist())))
        return made

    monkeypatch.setattr(PaintCrew, "_material", spying)
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        for z in range(0, 5, 2):
            canvas.paint((z, slice(4, 37), 6), 1)
            canvas.paint((z, slice(4, 37), 36), 2)
        live.until(TrainingRested)
    for number, sets in judged.items():
        assert len(sets) >= 2
        assert all(sets)
        assert not sets[-1] & learned[number]


# ---- what is handed on ----------------------------------------------------------


def test_training_goes_on_from_an_earlier_model(trained, tmp_path):
    """Before anything is learned it says what the earlier networks said."""
    path, _ = trained
    out = tmp_path / "more.sashiko-model"
    events = run(out, heritage=heritage_of(path), epochs=1, learning_rate=1e-9)
    assert any(isinstance(event, EpochDone) for event in events)
    for one, two in zip(tensors(path)[1:], tensors(out)[1:], strict=True):
        weights = [n for n in one if "running" not in n and "num_batches" not in n]
        for name in weights:
            np.testing.assert_allclose(one[name], two[name], atol=1e-3)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("dims", [2, 3])
def test_an_heir_knows_the_classes_of_before(name, dims):
    old = build_network(name, 1, 3, dims=dims, seed=3, **SMALL[name]).eval()
    heritage = Heritage(old.spec, old.state_dict(), (1, 5, 7))
    heir = heritage.network((5, 6, 1, 7), channels=1, dims=dims).eval()
    size = (1, 1, 16, 16) if dims == 2 else (1, 1, 8, 16, 16)
    image = torch.randn(size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = old(image), heir(image)
    assert after.shape[1] == 4
    torch.testing.assert_close(after[:, [2, 0, 3]], before, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize(("before", "after"), [(0, 2), (1, 3), (2, 0)])
def test_an_heir_that_sees_other_slices_says_the_same_at_first(name, before, after):
    channels = 2
    planes = [2 * n + 1 for n in (before, after)]
    old = build_network(name, channels * planes[0], 2, dims=2, seed=3, **SMALL[name])
    heritage = Heritage(old.spec, old.state_dict(), (1, 2))
    how = {"channels": channels, "dims": 2, "neighbours": after}
    heir = heritage.network((2, 1), **how).eval()
    assert heir.in_channels == channels * planes[1]
    generator = torch.Generator().manual_seed(0)
    image = torch.randn((1, channels, planes[1], 16, 16), generator=generator)
    common = min(before, after)
    known = torch.zeros(1, channels, planes[0], 16, 16)
    inner = image[:, :, after - common : after + common + 1]
    known[:, :, before - common : before + common + 1] = inner
    with torch.no_grad():
        said = old.eval()(known.flatten(1, 2))
        answer = heir(image.flatten(1, 2))
    # Slices that only one of them sees are empty here.
    torch.testing.assert_close(answer[:, [1, 0]], said, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("facts", [{"channels": 2}, {"dims": 3}])
def test_a_heritage_of_another_kind_is_refused(facts):
    old = build_network("tunet", 1, 2, dims=2, seed=0, depth=2)
    heritage = Heritage(old.spec, old.state_dict(), (1, 2))
    with pytest.raises(ModelError, match="model to begin with"):
        heritage.network((1, 2), **{"channels": 1, "dims": 2} | facts)
