"""Laws of what changes while training stays on: views, names, classes, too little."""

import numpy as np
import pytest
import torch
from live_runs import BAND, THIRD, Canvas, Live, banded
from training_runs import QUICK, make_image, make_labels, probabilities

from napari_sashiko.checkpoints import load_card
from napari_sashiko.labels import default_classes, labelled_voxels
from napari_sashiko.runners import Tick
from napari_sashiko.training import (
    EpochDone,
    Heritage,
    MemberSaved,
    PaintTaken,
    TrainingDecided,
    TrainingRested,
    TrainingSettings,
    TrainingWaits,
    choices,
    crew,
    fit,
    make_choices,
)
from napari_sashiko.training._course import lay_out
from napari_sashiko.training.chooser import Chooser
from napari_sashiko.training.heritage import _by_class
from napari_sashiko.training.outcome import Best, copy_state
from napari_sashiko.training.paint_crew import LEARNED, PaintCrew
from napari_sashiko.training.schedule import Clock
from napari_sashiko.volumes import as_volume

pytestmark = pytest.mark.usefixtures("hurry")


@pytest.fixture(autouse=True)
def _three_are_not_few(monkeypatch):
    monkeypatch.setattr(choices, "FEW_SLICES", 3)


FIRST = make_labels()
FIRST[[0, 4]] = 0  # paint on the middle slice alone


def networks(path):
    return [each for each in load_card(path).members if each.kind == "network"]


# ---- how networks look at the volume --------------------------------------------


def test_paint_on_more_slices_lets_networks_see_neighbours(out, monkeypatch):
    monkeypatch.setattr(crew, "TELL_LIVE", 0.0)
    canvas = Canvas(FIRST)
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        assert {each.neighbours for each in networks(out)} == {0}
        canvas.paint(make_labels() > 0, make_labels()[make_labels() > 0])
        decided = live.until(TrainingDecided)
        assert "slices on either side" in decided.text
        assert "by itself" not in decided.summary
        # Those of before answer until all of those that replace them can.
        while not isinstance(live.step(), TrainingRested):
            found = networks(out)
            assert len(found) == QUICK.members
            assert len({each.neighbours for each in found}) == 1
    assert {each.neighbours for each in networks(out)} == {4}
    card = load_card(out)
    assert card.patch["neighbours"] == 4
    assert not [reason for reason in card.training["reasons"] if "itself" in reason]
    said = probabilities(out).argmax(0) + 1
    painted = make_labels() > 0
    assert (said == make_labels())[painted].mean() > 0.9


def test_networks_that_see_neighbours_keep_them(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        live.seen.clear()
        erased = np.zeros(canvas.labels.shape, bool)
        erased[[0, 4]] = True
        canvas.paint(erased, 0)
        live.until(TrainingRested)
    assert not [e for e in live.seen if isinstance(e, TrainingDecided)]
    assert {each.neighbours for each in networks(out)} == {4}


def smooth():
    z, y, x = np.indices((12, 48, 48))
    return as_volume(np.sin(z / 3 + y / 4) + np.cos(x / 4))


def paint_of(*slices):
    labels = np.zeros((12, 48, 48), np.uint8)
    labels[list(slices), 2:5, 2:5], labels[list(slices), 20:23, 2:5] = 1, 2
    return labelled_voxels(labels)


FLAT, THICK, LITTLE = (0, 3, 6), (0, 1, 2), (5,)


@pytest.mark.parametrize(
    ("device", "painted", "views"),
    [
        ("cpu", [LITTLE, FLAT, THICK, LITTLE], [(2, 0), (2, 4), (2, 4), (2, 4)]),
        ("cuda", [LITTLE, FLAT, THICK, FLAT], [(2, 0), (2, 4), (3, 0), (3, 0)]),
        ("cuda", [THICK, FLAT, THICK, LITTLE], [(3, 0), (2, 4), (2, 4), (2, 4)]),
        ("cuda", [FLAT, LITTLE, FLAT], [(2, 4), (2, 4), (2, 4)]),
    ],
)
def test_no_view_is_come_back_to(device, painted, views):
    chooser = Chooser(smooth(), TrainingSettings(), device)
    assert [chooser.choose(paint_of(*each)).view for each in painted] == views


def test_a_view_that_was_set_or_begun_with_stays():
    chooser = Chooser(smooth(), TrainingSettings(neighbours=0), "cpu")
    first = chooser.choose(paint_of(*LITTLE))
    assert chooser.choose(paint_of(*FLAT)) is first
    chooser = Chooser(smooth(), TrainingSettings(), "cuda", settled=True)
    first = chooser.choose(paint_of(*LITTLE))
    assert chooser.choose(paint_of(*THICK)) is first


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_filters_and_spacing_do_not_depend_on_paint(device):
    """So a forest, its features and the folds outlive another view."""
    made = [
        make_choices(smooth(), paint_of(*each), TrainingSettings(), device)
        for each in (LITTLE, FLAT, THICK)
    ]
    assert len({(each.filter_dims, each.spacing) for each in made}) == 1


# ---- names ----------------------------------------------------------------------


def test_a_new_name_reaches_the_model_and_disturbs_nobody(out, monkeypatch):
    rewound = []
    monkeypatch.setattr(Clock, "rewind", lambda *args: rewound.append(args))
    canvas = Canvas(make_labels())
    with Live(canvas, out, epochs=1000) as live:
        live.until(MemberSaved, what="forest, judged on held-out strokes")
        live.until(EpochDone, epoch=2)
        live.seen.clear()
        canvas.call(1, "vessel")
        for _ in range(40):  # those that were told of before do not know it
            live.until(EpochDone)
            if load_card(out).classes[1].name == "vessel":
                break
        assert load_card(out).classes[1].name == "vessel"
    assert not [e for e in live.seen if isinstance(e, (PaintTaken, TrainingDecided))]
    assert not rewound


def test_a_new_name_at_rest_is_in_the_scores_at_once(out, monkeypatch):
    learned = []
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        monkeypatch.setattr(fit, "_learn", lambda *_: learned.append(1))
        canvas.call(0, "paper")
        rested = live.until(TrainingRested)
    assert "f1 paper" in dict(rested.metrics)
    assert load_card(out).classes[0].name == "paper"
    assert not learned


def test_a_class_without_paint_is_no_news(out):
    canvas = Canvas(make_labels())
    with Live(canvas, out) as live:
        live.until(TrainingRested)
        canvas.classes = default_classes(4)
        canvas.version += 1
        assert {type(event) for event in live.for_seconds(0.3)} == {Tick}


# ---- too little paint -----------------------------------------------------------


def test_erased_paint_is_not_learned_while_it_waits_for_more(out, monkeypatch):
    steps, rewound, held = [], [], set()
    keep, rewind, look = fit._learn, Clock.rewind, fit._Learner._look_at_supply

    def look_and_tell(learner):
        if learner.supply.held_back:
            held.add(learner.plan.member)
        yield from look(learner)

    monkeypatch.setattr(fit, "_learn", lambda *a: steps.append(1) or keep(*a))
    monkeypatch.setattr(fit._Learner, "_look_at_supply", look_and_tell)
    monkeypatch.setattr(
        Clock, "rewind", lambda *args: rewound.append(1) or rewind(*args)
    )
    canvas = Canvas(make_labels())
    with Live(canvas, out, epochs=1000) as live:
        live.until(EpochDone, epoch=2)
        canvas.paint(make_labels() == 2, 0)
        live.until(TrainingWaits)
        while len(held) < QUICK.members:  # a step or epoch that was begun ends
            next(live.steps)
        before = len(steps)
        assert {type(event) for event in live.for_seconds(0.5)} == {Tick}
        assert len(steps) == before
        # Undo: as if nothing had been.
        canvas.paint(make_labels() == 2, 2)
        live.until(PaintTaken)
        while len(steps) == before:  # the first may be told of one of before
            live.until(EpochDone)
        assert not rewound
        canvas.paint(make_labels() == 2, 0)
        live.until(TrainingWaits)
        canvas.paint((2, slice(4, 30), slice(30, 34)), 2)
        live.until(PaintTaken)
        live.until(MemberSaved, what="forest")
        live.until(EpochDone)
    numbers = {}
    for event in live.seen:
        if isinstance(event, EpochDone):
            assert event.epoch == numbers.get(event.member, 0) + 1
            numbers[event.member] = event.epoch


# ---- other classes --------------------------------------------------------------


def crew_of(out, labels, classes=3, origins=(), members=3):
    """Networks that have not begun."""
    settings = QUICK.model_copy(update={"members": members})
    painted = labelled_voxels(labels), default_classes(classes)
    volume = as_volume(banded())
    desk = lay_out(volume, painted, settings, out, live=True, settled=bool(origins))
    found = PaintCrew(desk, origins)
    found.enlist()
    return found


def with_third():
    labels = make_labels()
    labels[THIRD] = 3
    return labelled_voxels(labels)


def same_trunk(network, state):
    """Whether all weights are the same but those that belong to a class."""
    mine, by_class = network.state_dict(), _by_class(network.spec)
    return all(torch.equal(mine[name], state[name]) for name in {*mine} - by_class)


def test_networks_inherit_from_themselves(out):
    one = crew_of(out, make_labels(), classes=2)
    learned = {}
    for number, fraction in ((0, 0.1), (2, 1.0)):
        member = one.desk.networks[number]
        with torch.no_grad():
            for each in member.network.parameters():
                each.add_(number + 1.0)
        learned[number] = copy_state(member.network)
        member.outcome.best = Best(learned[number])
        member.fraction = fraction
    fresh = copy_state(one.desk.networks[1].network)
    one.desk.take(with_third(), default_classes(3))
    one.enlist()
    zero, first, second = one.desk.networks
    assert same_trunk(zero.network, learned[0])
    assert same_trunk(second.network, learned[2])
    # It had learned nothing, and has all before it.
    assert same_trunk(first.network, fresh)
    assert first.outcome.best is None
    assert [each.fraction for each in one.desk.networks] == [0.1, 0.0, LEARNED]


def test_others_have_all_the_time_that_was_set(out, monkeypatch):
    plans = []
    monkeypatch.setattr(crew, "Plan", lambda **facts: plans.append(facts))
    monkeypatch.setattr(crew, "fit", lambda *_, **__: iter(()))
    one = crew_of(out, make_labels(), classes=2)
    one.desk.settings = one.desk.settings.model_copy(update={"minutes": 2.0})
    one.desk.started -= 3600.0
    list(one.renew())
    one.teach(())
    one.start()
    while one.running:
        pass
    one.stop()
    now = crew.time.monotonic()
    assert all(facts["deadline"] > now + 60 for facts in plans)
    assert len(plans) == 3


def origin_of(out, names):
    """A network that knows classes by their names."""
    desk = crew_of(out, make_labels(), classes=2, members=1).desk.networks[0]
    network = desk.network
    spec = {**network.spec, "out_channels": len(names)}
    grown = Heritage(network.spec, network.state_dict(), (1, 2)).network(
        range(1, len(names) + 1),
        channels=1,
        dims=spec["dims"],
        neighbours=desk.neighbours,
    )
    return Heritage(grown.spec, copy_state(grown), names=names)


def answers(network, channel):
    size = (1, network.in_channels, 16, 16)
    image = torch.randn(size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return network.eval()(image)[:, channel]


@pytest.mark.parametrize("called", ["class 3", " Pore"])
def test_an_earlier_class_is_known_whenever_its_name_appears(out, called):
    origin = origin_of(out, ("background", called.strip().upper(), "foreground"))
    view = {"channels": 1, "dims": 2, "neighbours": origin.spec["in_channels"] // 2}
    elder = origin.among(default_classes(3)).network((1, 2), **view)
    one = crew_of(out, make_labels(), classes=2, origins=[origin], members=1)
    first = one.desk.networks[0]
    assert torch.equal(answers(first.network, 1), answers(elder, 1))
    *known, third = default_classes(3)
    one.desk.take(with_third(), (*known, third.model_copy(update={"name": called})))
    one.enlist()
    heir = one.desk.networks[0].network
    whole = Heritage(origin.spec, origin.state, (1, 3, 2)).network((1, 2, 3), **view)
    assert torch.equal(answers(heir, 2), answers(whole, 2))


def test_a_run_that_begins_with_a_model_keeps_its_view(out):
    spec = crew_of(out, FIRST, classes=2, members=1).desk.networks[0].network
    origin = Heritage(spec.spec, copy_state(spec), (1, 2))
    canvas = Canvas(FIRST)
    with Live(canvas, out, banded(), heritage=[origin]) as live:
        live.until(TrainingRested)
        canvas.paint(make_labels() > 0, make_labels()[make_labels() > 0])
        canvas.paint(THIRD, 3)
        live.until(TrainingRested)
    assert {each.neighbours for each in networks(out)} == {0}
    said = probabilities(out, banded()).argmax(0) + 1
    assert (said[1:4:2, :, BAND] == 3).mean() > 0.5
    assert make_image().shape == said.shape
