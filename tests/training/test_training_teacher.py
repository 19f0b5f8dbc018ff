"""Laws of the forest as teacher: what it says anywhere is what networks are told."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training_fit import Tiny, learn
from training_runs import probabilities, run

from napari_sashiko.losses import soft_cross_entropy
from napari_sashiko.training import _saving, teacher
from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.teacher import read_lessons
from napari_sashiko.volumes import Normalisation, as_volume

REACH = (1, 2, 2)


class Sum:
    """A forest in name: says the mean of a voxel's surroundings, and one minus it."""

    halo = REACH

    def probabilities(self, patch, core):
        mean = torch.nn.functional.avg_pool3d(
            mirrored(patch)[None], [2 * r + 1 for r in REACH], stride=1
        )[0]
        inner = mean[(slice(None), *(slice(*span) for span in core))]
        return torch.cat([inner, 1 - inner])


def mirrored(patch):
    pad = [(0, 0), *((r, r) for r in REACH)]
    return torch.from_numpy(np.pad(patch.numpy(), pad, mode="symmetric"))


def desk(image, dims=2, neighbours=0, minutes=None, weight=1.0):
    return SimpleNamespace(
        forest=Sum(),
        volume=as_volume(image),
        normalisation=Normalisation(
            low=(0.0,), high=(1.0,), center=(0.0,), scale=(1.0,)
        ),
        choices=SimpleNamespace(dims=dims, neighbours=neighbours),
        settings=SimpleNamespace(seed=0, minutes=minutes, teacher=weight),
        reasons=[],
        device=torch.device("cpu"),
    )


def read(of, patch):
    steps = read_lessons(of, patch)
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
    lessons = read(desk(image, 2 if flat else 3), patch)
    everywhere = Sum().probabilities(
        torch.from_numpy(image)[None], tuple((0, n) for n in shape)
    )
    told = dict(zip(image.ravel(), everywhere[0].numpy().ravel(), strict=True))
    assert lessons.images.shape[2:] == patch[1:] if flat else patch
    greys, answers = lessons.images[:, 0].numpy(), lessons.answers[:, 0].numpy()
    assert greys.shape == answers.shape
    expected = np.vectorize(told.get)(greys)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    np.testing.assert_allclose(lessons.answers.sum(dim=1).numpy(), 1, atol=1e-5)


def test_lessons_come_from_the_whole_depth():
    depth = 200
    image = np.broadcast_to(
        np.linspace(0, 1, depth, dtype=np.float32)[:, None, None], (depth, 32, 32)
    )
    lessons = read(desk(image.copy()), (1, 16, 16))
    depths = np.sort(lessons.images.mean(dim=(1, 2, 3)).numpy())
    assert np.diff(depths).max() < 3 / len(depths)


@pytest.mark.parametrize("neighbours", [0, 2])
def test_neighbouring_slices_are_channels(neighbours):
    image = np.random.default_rng(0).random((7, 20, 20), np.float32)
    lessons = read(desk(image, neighbours=neighbours), (1, 8, 8))
    assert lessons.images.shape[1] == 2 * neighbours + 1


def test_without_a_forest_there_is_no_teacher():
    without = desk(np.zeros((2, 9, 9), np.float32))
    without.forest = None
    assert read(without, (1, 8, 8)) is None


def test_a_teacher_without_weight_is_not_asked():
    assert read(desk(np.zeros((2, 9, 9), np.float32), weight=0.0), (1, 8, 8)) is None


def test_a_volume_that_reads_slowly_teaches_with_fewer_patches():
    image = np.random.default_rng(0).random((3, 30, 30), np.float32)
    assert len(read(desk(image, minutes=1e-9), (1, 8, 8)).images) == teacher.FEWEST
    assert len(read(desk(image), (1, 8, 8)).images) == teacher.MOST


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

    def second(_desk, start, stop):
        return np.stack([np.zeros(stop - start), np.ones(stop - start)])

    monkeypatch.setattr(teacher, "_ask", second)
    taught = out.with_name("taught.sashiko-model")
    run(taught, epochs=4)
    shares = [float(probabilities(each)[1].mean()) for each in (out, taught)]
    assert shares[1] > shares[0] + 0.05
