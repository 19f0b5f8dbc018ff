"""Laws of the forest as teacher: what it says anywhere is what networks are told."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pictures import fenced
from test_training_fit import Tiny, learn
from training_runs import probabilities, run

from napari_sashiko.checkpoints import load_card
from napari_sashiko.losses import soft_cross_entropy
from napari_sashiko.runners import Message, Tick
from napari_sashiko.training import (
    TrainingDecided,
    TrainingStarted,
    _saving,
    teacher,
)
from napari_sashiko.training.held_out import FoldForest, features_at
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.teacher import Teacher
from napari_sashiko.volumes import Normalisation, as_volume

REACH = (1, 2, 2)


class Means:
    """Filters in name: the mean of a voxel's surroundings, faces mirrored."""

    halo = REACH

    def features(self, patch, core):
        mean = torch.nn.functional.avg_pool3d(
            mirrored(patch[:1])[None], [2 * r + 1 for r in REACH], stride=1
        )[0]
        return mean[(slice(None), *(slice(*span) for span in core))]


class Says:
    """A forest in name: says the one feature, and one minus it."""

    def classify(self, features):
        return np.concatenate([features, 1 - features], axis=1)


class Mute:
    """A forest that says the second class, whatever it sees."""

    def classify(self, features):
        return np.tile(np.float32([0, 1]), (len(features), 1))


def mirrored(patch):
    pad = [(0, 0), *((r, r) for r in REACH)]
    return torch.from_numpy(np.pad(patch.numpy(), pad, mode="symmetric"))


def desk(image, dims=2, neighbours=0, weight=1.0, seconds=None, unseen=None):
    volume = as_volume(image, axes="czyx"[-image.ndim :])
    count = volume.channels
    return SimpleNamespace(
        forest=Says(),
        fold_forests=unseen or {},
        bank=Means(),
        channels=np.array([0, 1, 1]),
        classes=("one", "two"),
        volume=volume,
        normalisation=Normalisation(
            low=(0.0,) * count,
            high=(1.0,) * count,
            center=(0.0,) * count,
            scale=(1.0,) * count,
        ),
        choices=SimpleNamespace(dims=dims, neighbours=neighbours),
        settings=SimpleNamespace(seed=0, teacher=weight, members=3),
        deadline=None if seconds is None else time.monotonic() + seconds,
        decide=Message,
        device=torch.device("cpu"),
        is_taught=weight > 0,
        is_live=False,
        slants=False,
    )


def everywhere(image):
    """What `Says` says about each voxel."""
    patch = torch.from_numpy(image)[None]
    return Means().features(patch, tuple((0, n) for n in image.shape))[0].numpy()


def read(of, patch):
    steps = Teacher(of, patch).teach()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(3, 40), st.integers(3, 40)),
    patch=st.sampled_from([(1, 8, 8), (1, 24, 24), (4, 8, 8)]),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_answers_are_the_forests_own_at_that_place(shape, patch, seed):
    # Each grey value once: it tells a voxel's place.
    count = np.prod(shape)
    image = np.random.default_rng(seed).permutation(count).reshape(shape) / count
    image = image.astype(np.float32)
    flat = patch[0] == 1
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(teacher, "EDGE", 7)  # patches are asked about in pieces
        lessons = read(desk(image, 2 if flat else 3), patch)[0]
    assert lessons.images.shape[2:] == (patch[1:] if flat else patch)
    told = dict(zip(image.ravel(), everywhere(image).ravel(), strict=True))
    greys, answers = lessons.images[:, 0].numpy(), lessons.answers[:, 0].numpy()
    assert greys.shape == answers.shape
    expected = np.vectorize(told.get)(greys)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    np.testing.assert_allclose(lessons.answers.sum(dim=1).numpy(), 1, atol=1e-5)


def test_nobody_is_taught_beyond_the_edges_of_pictures():
    of = desk(np.zeros((1, 9, 9), np.float32))
    of.volume = fenced()
    lessons = read(of, (1, 16, 16))[0]
    beyond = lessons.images[:, 0] == 1  # what pictures have is below
    told = lessons.answers.sum(dim=1)
    torch.testing.assert_close(told, 1 - beyond.float())
    inside = (~beyond).flatten(1).sum(1)
    assert set(inside.tolist()) == {16 * 16, 12 * 16, 16 * 13, 9 * 10}


def test_lessons_come_from_the_whole_depth():
    depth = 200
    image = np.broadcast_to(
        np.linspace(0, 1, depth, dtype=np.float32)[:, None, None], (depth, 32, 32)
    )
    lessons = read(desk(image.copy()), (1, 16, 16))[0]
    depths = np.sort(lessons.images.mean(dim=(1, 2, 3)).numpy())
    assert np.diff(depths).max() < 3 / len(depths)


@pytest.mark.parametrize("neighbours", [0, 2])
def test_channels_are_those_of_the_sampler(neighbours):
    """Two channels, slices of one side by side: told by the grey values."""
    depth, count = 40, 2
    image = np.zeros((count, depth, 20, 20), np.float32)
    image += np.arange(depth)[:, None, None] / depth / 2
    image[1] += 0.5
    lessons = read(desk(image, neighbours=neighbours), (1, 8, 8))[0]
    planes = 2 * neighbours + 1
    assert lessons.images.shape[1] == count * planes
    greys = lessons.images[..., 0, 0].view(-1, count, planes)
    middle = greys[:, 0, neighbours]
    inside = (middle * 2 * depth > neighbours) & (
        middle * 2 * depth < depth - 1 - neighbours
    )
    offsets = torch.arange(-neighbours, neighbours + 1) / depth / 2
    expected = middle[inside][:, None, None] + offsets
    expected = expected + torch.tensor([0.0, 0.5])[:, None]
    torch.testing.assert_close(greys[inside], expected)


def test_without_a_forest_there_is_no_teacher():
    without = desk(np.zeros((2, 9, 9), np.float32))
    without.forest = None
    assert read(without, (1, 8, 8)) == ()


def test_a_teacher_without_weight_is_not_asked():
    assert read(desk(np.zeros((2, 9, 9), np.float32), weight=0.0), (1, 8, 8)) == ()


def test_each_network_has_the_forest_that_has_not_seen_its_fold():
    image = np.random.default_rng(0).random((3, 30, 30), np.float32)
    other = FoldForest(Mute(), np.array([0, 1]), 2)
    lessons = read(desk(image, unseen={1: other}), (1, 8, 8))
    assert len(lessons) == 3
    assert torch.equal(lessons[0].answers, lessons[2].answers)
    assert not torch.equal(lessons[0].answers, lessons[1].answers)
    assert lessons[1].answers[:, 1].min() == 1
    assert all(each.images is lessons[0].images for each in lessons)


def test_a_volume_that_reads_slowly_teaches_with_fewer_patches():
    image = np.random.default_rng(0).random((3, 200, 200), np.float32)
    assert len(read(desk(image, seconds=-5), (1, 8, 8))[0].images) == teacher.FEWEST
    assert len(read(desk(image), (1, 8, 8))[0].images) == teacher.MOST


def test_no_place_is_asked_about_twice():
    image = np.random.default_rng(0).random((1, 9, 8), np.float32)
    assert len(read(desk(image), (1, 8, 8))[0].images) == 2


def test_memory_bounds_the_number_of_patches(monkeypatch):
    image = np.random.default_rng(0).random((3, 30, 30), np.float32)
    # One channel, and two classes from each of three networks' forests.
    monkeypatch.setattr(teacher, "MEMORY", 5 * 4 * 7 * 64)
    assert len(read(desk(image), (1, 8, 8))[0].images) == 5


def test_a_batch_is_drawn_with_its_answers():
    images = torch.arange(6.0).view(6, 1, 1, 1)
    lessons = Lessons(images, images.expand(6, 2, 1, 1), 1.0)
    picked, answers = lessons.draw(50, np.random.default_rng(0))
    assert torch.equal(picked.expand(50, 2, 1, 1), answers)
    assert len(picked.unique()) == 6


def test_a_network_learns_what_strokes_do_not_say():
    """Strokes cover greys around 0 only; of those beyond 3 the teacher speaks."""
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.normal(0, 4, (20, 1, 6, 6)).astype(np.float32))
    second = (images > 3).float()  # strokes alone say that all above 0 is the second
    answers = torch.cat([1 - second, second], dim=1)
    shares = []
    for lessons in (None, Lessons(images, answers, 3.0)):
        network, _, _ = learn(Tiny(), epochs=6, lessons=lessons)
        network.eval()
        with torch.no_grad():
            shares.append(network(torch.full((1, 1, 1, 1), 2.0)).softmax(1)[0, 1])
    alone, taught = (float(share) for share in shares)
    assert alone > 0.9
    assert taught < alone - 0.1


def test_soft_cross_entropy_is_least_where_both_agree():
    logits = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    target = logits.softmax(1)
    least = soft_cross_entropy(logits, target)
    entropy = -(target * target.log()).sum(1).mean()
    assert float(least) == pytest.approx(float(entropy), rel=1e-5)
    shift = torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    assert soft_cross_entropy(logits + shift, target) > least
    assert soft_cross_entropy(logits.roll(1, 1), target) > least


def test_soft_cross_entropy_of_classes_is_cross_entropy():
    logits = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    classes = torch.randint(3, (2, 4), generator=torch.Generator().manual_seed(1))
    hot = torch.nn.functional.one_hot(classes, 3).movedim(-1, 1).float()
    plain = float(torch.nn.functional.cross_entropy(logits, classes))
    assert float(soft_cross_entropy(logits, hot)) == pytest.approx(plain, rel=1e-5)


def test_a_real_run_is_taught(out, monkeypatch):
    """A teacher that takes everything for the second class is heard."""
    monkeypatch.setattr(_saving, "weigh_families", lambda *_: 0.01)  # networks
    run(out, epochs=4)

    def second(self, teachers, _start):
        yield Tick()
        edges = self.patch[1:]
        one = torch.stack([torch.zeros(edges), torch.ones(edges)])
        return [one] * len(teachers)

    monkeypatch.setattr(Teacher, "_answers", second)
    taught = out.with_name("taught.sashiko-model")
    run(taught, epochs=4)
    shares = [float(probabilities(each)[1].mean()) for each in (out, taught)]
    assert shares[1] > shares[0] + 0.05


def test_what_is_held_out_is_new_to_the_teacher_too(out, monkeypatch):
    """A network's teacher is the forest that was judged on the network's fold."""
    desks = []

    keep = Teacher.teach

    def listening(self, *args):
        desks.append(self.desk)
        return (yield from keep(self, *args))

    monkeypatch.setattr(Teacher, "teach", listening)
    noise = np.random.default_rng(0).normal(size=(5, 40, 44)).astype(np.float32)
    run(out, noise, epochs=1)
    (desk,) = desks
    assert sorted(desk.fold_forests) == list(range(desk.settings.members))
    features = np.zeros((len(desk.labelled), desk.bank.count), np.float32)
    for rows, part in features_at(
        desk.volume, desk.normalisation, desk.labelled, desk.bank
    ):
        features[rows] = part
    for number, forest in desk.fold_forests.items():
        rows = desk.folds.fold == number
        said = forest.classify(features[rows])
        assert np.array_equal(said, desk.forest_says[rows])
        # Not the forest of all paint, which knows these strokes by heart.
        assert not np.array_equal(said, desk.forest.classify(features[rows]))


def test_what_is_decided_on_the_way_is_said_and_noted(trained):
    path, events = trained
    said = [event.text for event in events if isinstance(event, Message)]
    lessons = [text for text in said if "random places" in text]
    assert len(lessons) == 1
    assert lessons[0] in load_card(path).training["reasons"]
    decided = [event for event in events if isinstance(event, TrainingDecided)]
    assert decided
    assert all(event.text in event.summary.splitlines() for event in decided)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rotations": "no"}, "Patches are flipped, not turned, as set."),
        ({"rotations": "yes"}, "Patches are flipped and turned, as set."),
        ({"forest": False}, "Patches are flipped and turned: without a forest "),
        ({"members": 0}, ""),
    ],
)
def test_how_patches_are_turned_is_always_said(changes, told, tmp_path):
    events = run(tmp_path / "m.sashiko-model", **changes)
    said = [
        line
        for event in events
        if isinstance(event, TrainingStarted)
        for line in event.text.splitlines()
        if line.startswith("Patches")
    ]
    assert len(said) == bool(told)
    assert all(line.startswith(told) for line in said)
