"""Laws of fitting one network: the best is kept, nothing else is touched."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.networks import Network
from napari_sashiko.runners import Message, Tick
from napari_sashiko.training import EpochDone, fit, judge
from napari_sashiko.training._answer import answer
from napari_sashiko.training.averaging import Average
from napari_sashiko.training.fit import Plan
from napari_sashiko.training.judge import HeldOut
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.outcome import Outcome
from napari_sashiko.training.paint_material import PaintBatch, PaintMaterial
from napari_sashiko.training.schedule import Clock, one_cycle
from napari_sashiko.training.supply import Supply
from napari_sashiko.training.tiles import Tile

SIZE = 6


class Tiny(Network):
    """A network of one voxel's reach, with running statistics."""

    name = "tiny"
    receptive_radius = 0

    def __init__(self, seed=0):
        super().__init__(1, 2, dims=2)
        self.norm = torch.nn.BatchNorm2d(1)
        self.head = torch.nn.Conv2d(1, 2, 1)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.head.weight.copy_(torch.randn(2, 1, 1, 1, generator=generator))
            self.head.bias.zero_()

    def forward(self, x):
        return self.head(self.norm(x))


class Deck:
    """Deals patches in which bright voxels are class 2; remembers what it dealt."""

    def __init__(self, labelled=True):
        self.labelled = labelled
        self.counts = []
        self.watch = lambda: None

    def draw(self, count, rng):
        self.counts.append(count)
        self.watch()
        images = rng.normal(size=(count, 1, SIZE, SIZE)).astype(np.float32)
        targets = np.where(images[:, 0] > 0, 2, 1) * self.labelled
        return torch.from_numpy(images), torch.from_numpy(targets.astype(np.uint8))


def held_out(seed=1):
    image = np.random.default_rng(seed).normal(size=(1, 1, SIZE, SIZE))
    coords = np.argwhere(np.ones((1, SIZE, SIZE)))
    tile = Tile(
        image=image.astype(np.float32),
        rows=np.arange(len(coords)),
        coords=coords,
        shape=(1, SIZE, SIZE),
    )
    values = np.where(image.ravel() > 0, 2, 1)
    return HeldOut([(tile, np.arange(len(coords)))], values)


NOTHING = HeldOut([], np.zeros(0, np.int64))


def plan(**changes):
    facts = {
        "member": 0,
        "epochs": 3,
        "batch": 4,
        "learning_rate": 0.5,
        "seed": 0,
        "deadline": None,
    }
    return Plan(**facts | changes)


def material(deck, judges=None, lessons=None):
    """Everything to learn from, neither turned nor mirrored."""
    return PaintMaterial(
        deck,
        held_out() if judges is None else judges,
        lambda image, target, _generator: (image, target),
        lessons,
    )


def learn(network=None, deck=None, judges=None, lessons=None, **changes):
    network = Tiny() if network is None else network
    outcome = Outcome()
    events = list(
        fit.fit(
            network,
            Supply(material(deck or Deck(), judges, lessons)),
            plan=plan(**changes),
            outcome=outcome,
        )
    )
    return network, outcome, events


@pytest.mark.parametrize(("precision", "mixed"), [("auto", True), ("full", False)])
def test_bfloat16_is_mixed_in_unless_that_is_refused(monkeypatch, precision, mixed):
    monkeypatch.setattr(fit, "has_fast_bfloat16", lambda _: True)
    seen = set()

    class Watched(Tiny):
        half_gradients = True

        def forward(self, x):
            if self.training:
                seen.add(torch.is_autocast_enabled("cpu"))
            return super().forward(x)

    learn(Watched(), epochs=1, precision=precision)
    assert seen == {mixed}


def watch_averages(patch):
    """Return a list that will hold the average of each network that learns."""
    made = []

    class Watched(Average):
        def __init__(self, network):
            super().__init__(network)
            made.append(self)

    patch.setattr(fit, "Average", Watched)
    return made


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


def test_it_learns():
    _, outcome, events = learn()
    assert outcome.history[-1]["macro_f1"] > 0.9
    assert outcome.history[-1]["loss"] < outcome.history[0]["loss"]
    told = [event for event in events if isinstance(event, EpochDone)]
    assert [event.epoch for event in told] == [1, 2, 3]
    assert [event.valid_loss for event in told] == [
        epoch["valid_loss"] for epoch in outcome.history
    ]


@given(losses=st.lists(st.sampled_from([0.1, 0.2, 0.5, math.nan]), min_size=1))
def test_the_best_epoch_is_kept(losses):
    with pytest.MonkeyPatch.context() as patch:
        script, states = iter(losses), []
        averages = watch_averages(patch)

        def loss(_logits, _channels):
            states.append(state(averages[0].network))
            return next(script)

        patch.setattr(judge, "_loss_at_best_temperature", loss)
        patch.setattr(fit, "STEPS", 1)
        _, outcome, _ = learn(epochs=len(losses))
    known = [loss for loss in losses if not math.isnan(loss)]
    if not known:
        assert outcome.best is None
        return
    # Of equal ones the last: it has seen most.
    best = max(n for n, loss in enumerate(losses) if loss == min(known))
    assert outcome.best.loss == min(known)
    assert same(outcome.best.state, states[best])


def test_the_best_weights_are_a_copy(monkeypatch):
    averages = watch_averages(monkeypatch)
    _, outcome, _ = learn(epochs=1)
    before = {name: tensor.clone() for name, tensor in outcome.best.state.items()}
    with torch.no_grad():
        for tensor in averages[0].network.state_dict().values():
            tensor.add_(1)
    assert same(before, outcome.best.state)


def test_the_best_logits_are_those_of_the_best_weights():
    _, outcome, _ = learn()
    again = Tiny()
    again.load_state_dict(outcome.best.state)
    again.eval()
    judges = held_out()
    ((tile, rows),) = judges.tiles
    with torch.no_grad():
        logits = judge.held_out_logits(again, tile, rows)
    np.testing.assert_allclose(outcome.best.logits, logits.numpy(), atol=1e-5)


def test_a_run_can_be_repeated():
    one, two, other = (learn(seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert same(one, two)
    assert not same(one, other)


@pytest.mark.parametrize("judges", [NOTHING, None])
def test_batches_without_labels_change_nothing(judges):
    network = Tiny()
    before = state(network)
    _, outcome, _ = learn(network, Deck(labelled=False), judges)
    assert same(before, network.state_dict())
    assert all(math.isnan(epoch["loss"]) for epoch in outcome.history)


def test_the_mean_loss_is_that_of_batches_with_labels(monkeypatch):
    answers = iter([None, 0.5, None, 1.5] + [None] * 100)
    monkeypatch.setattr(fit, "_learn", lambda *_: next(answers))
    _, outcome, _ = learn(epochs=1)
    assert outcome.history[0]["loss"] == 1.0


class Descent:
    """Steps as long as the gradient: unlike Adam's they show its size."""

    def __init__(self, network):
        self.parameters = list(network.parameters())

    def clear(self):
        for each in self.parameters:
            each.grad = None

    @torch.no_grad()
    def step(self, rate):
        for each in self.parameters:
            each.sub_(rate * each.grad)


def test_unlabelled_voxels_do_not_steer_the_step():
    """A network without neighbours or statistics moves as if they were not there."""
    states = []
    for brightness in (0.0, 1e3):
        network = Tiny()
        network.norm = torch.nn.Identity()
        images = torch.full((1, 1, SIZE, SIZE), brightness)
        images[..., :2] = torch.arange(2.0)
        targets = torch.zeros(1, SIZE, SIZE, dtype=torch.uint8)
        targets[..., :2] = torch.tensor([1, 2], dtype=torch.uint8)
        fit._learn(network, PaintBatch(images, targets), Descent(network), 1.0, plan())
        states.append(state(network))
    assert same(*states)


def test_judging_leaves_the_network_alone():
    network = Tiny()
    network.train()
    before = state(network)
    list(judge.judge(network, held_out(), Outcome()))
    assert same(before, network.state_dict())


def test_learning_goes_on_in_training_mode_after_judging():
    network, deck, modes = Tiny(), Deck(), []
    deck.watch = lambda: modes.append(network.training)
    learn(network, deck)
    assert modes
    assert all(modes)
    assert network.norm.num_batches_tracked == len(modes)


def test_without_judges_the_last_epoch_is_kept(monkeypatch):
    averages = watch_averages(monkeypatch)
    _, outcome, events = learn(judges=NOTHING)
    assert same(outcome.best.state, averages[0].network.state_dict())
    assert outcome.best.logits is None
    told = [event for event in events if isinstance(event, EpochDone)]
    assert all(math.isnan(event.valid_loss) for event in told)


# Time and memory


def test_the_clock_ends_the_schedule(monkeypatch):
    rates = []
    keep = fit.Pace.rate
    monkeypatch.setattr(
        fit.Pace, "rate", lambda pace, f: rates.append(f) or keep(pace, f)
    )
    start = time.monotonic()
    _, outcome, events = learn(epochs=100_000, deadline=start + 0.5)
    assert time.monotonic() - start >= 0.5
    last = [event for event in events if isinstance(event, EpochDone)][-1]
    assert last.fraction == 1.0
    assert last.seconds_left == 0.0
    assert outcome.best is not None
    assert rates == sorted(rates)
    assert rates[-1] > 0.4


def test_what_is_held_back_is_not_learned_and_takes_no_time(monkeypatch):
    skipped = []
    monkeypatch.setattr(fit.Clock, "skip", lambda _, seconds: skipped.append(seconds))
    deck = Deck()
    supply = Supply(material(deck))
    supply.held_back = True
    steps = fit.fit(Tiny(), supply, plan=plan(), outcome=Outcome())
    assert {type(next(steps)) for _ in range(3)} == {Tick}
    assert not deck.counts
    supply.held_back = False
    next(steps)
    assert deck.counts
    assert len(skipped) == 1
    assert skipped[0] >= 2 * fit.NAP


def test_time_that_is_skipped_is_not_spent():
    clock = Clock(100, time.monotonic() + 1000)
    clock.start -= 500
    spent = clock.fraction(0)
    clock.start -= 300
    assert clock.fraction(0) > spent + 0.2
    clock.skip(300)
    assert clock.fraction(0) == pytest.approx(spent, abs=0.01)


def test_with_time_enough_the_clock_changes_nothing():
    deck, naps = Deck(), iter([0.3])
    deck.watch = lambda: time.sleep(next(naps, 0))
    _, hurried, _ = learn(deck=deck, deadline=time.monotonic() + 1e6)
    _, free, _ = learn()
    assert same(hurried.best.state, free.best.state)


def test_a_deadline_that_is_over_leaves_one_judged_epoch():
    _, outcome, events = learn(deadline=time.monotonic() - 5)
    assert len([event for event in events if isinstance(event, EpochDone)]) == 1
    assert outcome.best is not None


@given(fraction=st.floats(0, 2))
def test_the_learning_rate_stays_below_its_peak(fraction):
    assert 0 < one_cycle(fraction) <= 1 + 1e-9


def test_the_learning_rate_rises_then_falls_without_a_jump():
    rates = np.array([one_cycle(n / 1000) for n in range(1001)])
    peak = rates.argmax()
    assert rates[peak] == pytest.approx(1.0, abs=1e-3)
    assert np.all(np.diff(rates[: peak + 1]) >= 0)
    assert np.all(np.diff(rates[peak:]) <= 0)
    assert np.abs(np.diff(rates)).max() < 0.01
    assert rates[-1] == pytest.approx(1e-3)


def short_of_memory(most):
    keep = fit._learn

    def step(network, batch, *rest):
        told = 0 if batch.told is None else len(batch.told[0])
        if len(batch.images) + told > most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.")
        return keep(network, batch, *rest)

    return step


def test_out_of_memory_halves_the_batch(monkeypatch):
    monkeypatch.setattr(fit, "_learn", short_of_memory(2))
    deck = Deck()
    _, outcome, events = learn(deck=deck, batch=8)
    assert deck.counts[:4] == [8, 4, 2, 2]
    assert set(deck.counts[2:]) == {2}
    said = [event.text for event in events if isinstance(event, Message)]
    assert said == [f"Out of memory: going on with batches of {n}." for n in (4, 2)]
    assert outcome.history[-1]["macro_f1"] > 0.8


def test_out_of_memory_while_patches_are_drawn_halves_the_batch():
    deck = Deck()

    def watch():
        if deck.counts[-1] > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.")

    deck.watch = watch
    learn(deck=deck, batch=8, epochs=1)
    assert deck.counts[:3] == [8, 4, 2]
    assert set(deck.counts[2:]) == {2}


class Full:
    """A network on a device without memory."""

    def __init__(self):
        self.places = []

    def to(self, place):
        self.places.append(str(place))

    def __call__(self, images):
        if images.device.type != "cpu":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.")
        return images + 1


class Elsewhere:
    """Images on a device that this machine need not have."""

    device = torch.device("cuda", 0)

    def cpu(self):
        return torch.zeros(2)


def test_who_is_judged_on_a_full_device_answers_on_the_cpu():
    network = Full()
    assert answer(network, Elsewhere()).tolist() == [1, 1]
    assert network.places == ["cpu", "cuda:0"]


def test_lessons_are_given_up_last(monkeypatch):
    monkeypatch.setattr(fit, "_learn", short_of_memory(1))
    images, answers = torch.zeros(3, 1, SIZE, SIZE), torch.full((3, 2, SIZE, SIZE), 0.5)
    deck = Deck()
    _, outcome, events = learn(deck=deck, batch=2, lessons=Lessons(images, answers, 1))
    assert deck.counts[:3] == [2, 1, 1]
    said = [event.text for event in events if isinstance(event, Message)]
    assert said == [
        "Out of memory: going on with batches of 1.",
        "Out of memory: going on without the forest's lessons.",
    ]
    assert outcome.history[-1]["macro_f1"] > 0.7


def test_out_of_memory_for_a_single_patch_is_an_error(monkeypatch):
    monkeypatch.setattr(fit, "_learn", short_of_memory(0))
    with pytest.raises(RuntimeError, match="out of memory"):
        learn(batch=4)


class Spoilt(PaintBatch):
    """A batch whose loss is not a number."""

    def losses(self, output):
        return tuple(loss * math.nan for loss in super().losses(output))


def test_a_loss_that_is_no_number_ends_nothing(monkeypatch):
    """The network is left as it is by such a batch, and it is said once."""
    keep, every, states = PaintMaterial.draw, iter(range(1000)), []

    def draw(self, *args, **options):
        batch = keep(self, *args, **options)
        states.append(state(network))
        spoil = next(every) % 2
        return Spoilt(batch.painted, batch.targets) if spoil else batch

    monkeypatch.setattr(PaintMaterial, "draw", draw)
    network = Tiny()
    _, outcome, events = learn(network)
    weights = [{n: s[n] for n in s if n.startswith("head")} for s in states]
    for place in range(1, len(weights) - 1, 2):
        assert same(weights[place], weights[place + 1])
        assert not same(weights[place - 1], weights[place])
    assert outcome.history[-1]["macro_f1"] > 0.9
    assert math.isfinite(outcome.history[-1]["loss"])
    said = [event for event in events if isinstance(event, Message)]
    assert len(said) == 1
    assert said[0].level == "warning"
    assert "not a finite number" in said[0].text


def test_gradients_that_overflow_are_not_followed(monkeypatch):
    network, images = Tiny(), torch.zeros(1, 1, SIZE, SIZE)
    before = state(network)
    targets = torch.ones(1, SIZE, SIZE, dtype=torch.uint8)
    monkeypatch.setattr(
        torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(math.inf)
    )
    batch = PaintBatch(images, targets)
    assert math.isnan(fit._learn(network, batch, Descent(network), 1.0, plan()))
    assert torch.equal(before["head.weight"], network.head.weight)


def test_other_errors_are_not_taken_for_want_of_memory(monkeypatch):
    def broken(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(fit, "_learn", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        learn()


@pytest.mark.parametrize("channels", [2, 3])
def test_being_too_sure_is_not_punished_twice(channels):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, channels, generator=generator)
    truth = logits.argmax(1)
    truth[::5] = (truth[::5] + 1) % channels
    loss = judge._loss_at_best_temperature
    # The same opinion, four times as loud, is judged alike; another one is not.
    assert loss(logits * 4, truth) == pytest.approx(loss(logits, truth), rel=0.35)
    plain = float(torch.nn.functional.cross_entropy(logits * 4, truth))
    assert loss(logits * 4, truth) < 0.7 * plain
    assert loss(-logits, truth) > loss(logits, truth)


@pytest.mark.parametrize(
    ("slow", "member", "times"), [(0, 0, 1), (0, 1, 0), (99, 0, 0)]
)
def test_a_slow_step_is_told_once_by_the_first_network(
    monkeypatch, slow, member, times
):
    monkeypatch.setattr(fit, "SLOW", slow)
    _, _, events = learn(member=member)
    said = [event.text for event in events if isinstance(event, Message)]
    assert len(said) == times
    assert all("'auto'" in text and "A step of" in text for text in said)
