"""Laws of drawn voxels: few of each patch, evenly, and no other enters a loss."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_runs import make_image, probabilities, run, same, tensors

from napari_sashiko.checkpoints import load_card
from napari_sashiko.losses import IMAGE_LOSSES, LOSSES, build_loss
from napari_sashiko.networks import network_from_spec
from napari_sashiko.networks.alexnet import AlexNet
from napari_sashiko.networks.pixelnet import PixelNet
from napari_sashiko.training import RestoreSettings, train_restoring
from napari_sashiko.training.drawn import drawn_of
from napari_sashiko.training.image_material import ImageBatch
from napari_sashiko.training.paint_material import PaintBatch
from napari_sashiko.volumes import as_volume

MOST = 7
SIZES = {2: (9, 8), 3: (4, 5, 6)}
PIXELNET = {"depth": 2, "base_channels": 4, "hidden_channels": 8}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.double)


def paint_batch(dims, loss="cross_entropy", taught=True):
    """Two patches with much paint, one with little, one with none; two without."""
    size = SIZES[dims]
    targets = torch.randint(1, 4, (4, *size), generator=seeded(1))
    targets[2].view(-1)[3:] = 0
    targets[3] = 0
    answers = normal(2, 3, *size, seed=2).softmax(1)
    told = (normal(2, 1, *size, seed=4), answers) if taught else None
    return PaintBatch(normal(4, 1, *size), targets, build_loss(loss), told, 0.5)


def image_batch(dims, loss="l1", base=()):
    size = SIZES[dims]
    weight = (normal(3, 1, *size, seed=1) > 0).double()
    weight[2] = 0
    truth = normal(3, 1, *size, seed=2)
    images = normal(3, 2, *size, seed=3)
    return ImageBatch(images, truth, weight, IMAGE_LOSSES[loss], base=base)


@given(
    seen=st.lists(st.lists(st.booleans(), min_size=12, max_size=12), min_size=1),
    most=st.integers(1, 14),
    seed=st.integers(0, 99),
)
def test_of_each_patch_so_many_are_drawn_of_those_that_count(seen, most, seed):
    known = torch.tensor(seen).view(-1, 3, 4)
    drawn = drawn_of(known, most, seeded(seed))
    assert not (drawn & ~known).any()
    counts = known.flatten(1).sum(1).clamp(max=most)
    assert torch.equal(drawn.flatten(1).sum(1), counts)
    assert torch.equal(drawn, drawn_of(known, most, seeded(seed)))


def test_all_that_count_are_drawn_alike_and_anew():
    known = torch.ones(2, 5, 4, dtype=torch.bool)
    known[:, 0] = False
    generator = seeded()
    drawn = [drawn_of(known, 4, generator) for _ in range(1000)]
    often = torch.stack(drawn).double().mean(0)
    torch.testing.assert_close(
        often[:, 1:], torch.full((2, 4, 4), 0.25).double(), rtol=0, atol=0.06
    )
    assert not often[:, 0].any()
    assert not torch.equal(drawn[0][0], drawn[0][1])


def steered(batch, output):
    """Losses, and where the gradient of the first is not zero, ``(B, *S)``."""
    output = output.clone().requires_grad_()
    total, told = batch.losses(output)
    total.backward()
    return float(total.detach()), float(told.detach()), (output.grad != 0).any(1)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("taught", [False, True])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_only_drawn_voxels_enter_the_losses_of_paint(dims, taught, loss):
    whole = paint_batch(dims, loss, taught)
    batch = whole.thinned(MOST, seeded())
    size = SIZES[dims]
    counts = batch.where.flatten(1).sum(1).tolist()
    assert counts == [MOST, MOST, 3, 0] + [MOST, MOST] * taught
    output = normal(len(batch.images), 3, *size, seed=5)
    total, told, moved = steered(batch, output)
    assert torch.equal(moved, batch.where)
    noise = 10 * normal(len(batch.images), 3, *size, seed=6)
    elsewhere = torch.where(batch.where.unsqueeze(1), output, noise)
    assert steered(batch, elsewhere)[:2] == pytest.approx((total, told))
    # Means are taken over the drawn ones, as of a batch that holds no others.
    alone = only(batch)
    rows = output.movedim(1, -1)
    lined = torch.zeros(len(rows), 3, MOST, dtype=torch.double)
    for line, row, here in zip(lined, rows, batch.where, strict=True):
        line[:, : int(here.sum())] = row[here].T
    assert steered(alone, lined)[:2] == pytest.approx((total, told))
    assert steered(whole, output)[0] != pytest.approx(total)


def only(batch):
    """The drawn voxels of each patch, side by side."""
    count = len(batch.painted)
    targets = torch.zeros(count, MOST, dtype=torch.long)
    for line, row, here in zip(targets, batch.targets, batch.where, strict=False):
        line[: int(here.sum())] = row[here]
    told = None
    if batch.told is not None:
        pairs = zip(batch.told[1], batch.where[count:], strict=True)
        answers = torch.stack([answer[:, here] for answer, here in pairs])
        told = (answers, answers)
    return PaintBatch(targets, targets, batch.loss, told, batch.weight)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("base", [(), (1,)])
@pytest.mark.parametrize("loss", list(IMAGE_LOSSES))
def test_only_drawn_voxels_enter_the_losses_of_images(dims, base, loss):
    whole = image_batch(dims, loss, base)
    batch = whole.thinned(MOST, seeded())
    assert batch.where.flatten(1).sum(1).tolist() == [MOST, MOST, 0]
    output = normal(3, 1, *SIZES[dims], seed=5)
    total, told, moved = steered(batch, output)
    assert torch.equal(moved, batch.where)
    off = (batch.complete(output) - batch.targets)[batch.where.unsqueeze(1)]
    expected = off.abs() if loss == "l1" else off.square()
    assert total == told == pytest.approx(float(expected.mean()))
    assert steered(whole, output)[0] != pytest.approx(total)


def test_patches_that_say_nothing_stay_empty():
    paint = paint_batch(2)
    empty = PaintBatch(paint.painted, paint.targets * 0, paint.loss, paint.told)
    assert empty.thinned(MOST, seeded()).is_empty
    assert not paint.thinned(1, seeded()).is_empty


def test_what_shall_be_flat_is_looked_at_everywhere():
    batch = image_batch(2)
    flat = ImageBatch(batch.images, batch.targets, batch.weight, batch.loss, 0.1)
    assert flat.thinned(MOST, seeded()).where is None
    moved = steered(flat.thinned(MOST, seeded()), normal(3, 1, *SIZES[2]))[2]
    assert moved.float().mean() > 0.9


@pytest.fixture
def judged(monkeypatch):
    """Patches, and pixels that the perceptron sees, of each step of training."""
    steps = []
    keep = PixelNet.penalised

    def watched(self, x, where=None):
        hook = self.hidden.register_forward_hook(
            lambda _layer, given, _made: steps.append((len(x), given[0][:, 0].numel()))
        )
        try:
            return keep(self, x, where)
        finally:
            hook.remove()

    monkeypatch.setattr(PixelNet, "penalised", watched)
    return steps


def test_a_run_judges_drawn_pixels_alone_and_learns(out, judged):
    run(out, network="pixelnet", network_settings=PIXELNET | {"pixels": 9}, epochs=3)
    assert len(judged) == 2 * 3 * 25
    assert {patches for patches, _ in judged} == {3}  # one of them is taught
    assert all(pixels <= 9 * patches for patches, pixels in judged)
    assert np.mean([pixels for _, pixels in judged]) > 20
    network = next(m for m in load_card(out).members if m.kind == "network")
    assert network_from_spec(network.spec).drawn == 9
    classes = probabilities(out).argmax(0)
    assert (classes[..., :18] == 0).mean() > 0.9
    assert (classes[..., -18:] == 1).mean() > 0.9


def test_a_seed_draws_the_same_pixels_again(out, two_threads):
    """Another number of them gives another network."""
    models = []
    for number, pixels in enumerate((9, 9, 10)):
        path = out.with_name(f"{number}.sashiko-model")
        chosen = PIXELNET | {"pixels": pixels, "hidden_channels": 64}
        run(path, network="pixelnet", network_settings=chosen, members=1, epochs=1)
        models.append(tensors(path))
    assert same(models[0], models[1])
    assert not same(models[0][-1:], models[2][-1:])


def test_other_networks_are_not_drawn_for(out, monkeypatch):
    def refuse(*_):
        raise AssertionError("thinned")

    monkeypatch.setattr(PaintBatch, "thinned", refuse)
    run(out, members=1, epochs=1)


@pytest.mark.parametrize("dims", ["2", "3"])
@pytest.mark.parametrize("task", ["blind", "clean", "gaps"])
def test_images_are_restored_from_drawn_pixels(out, judged, dims, task):
    clean = make_image((6, 56, 60))
    image = clean + np.random.default_rng(1).normal(0, 1, clean.shape)
    if task == "gaps":
        image[:, :, 20:23] = np.nan
    settings = RestoreSettings(
        network="pixelnet",
        network_settings=PIXELNET | {"pixels": 11},
        dims=dims,
        gaps=task == "gaps",
        members=1,
        epochs=1,
        minutes=None,
        patch=16,
        batch=4,
        device="cpu",
    )
    target = as_volume(clean) if task == "clean" else None
    list(train_restoring(as_volume(image), settings, out, target=target))
    assert judged
    assert all(pixels <= 11 * patches for patches, pixels in judged)
    assert np.isfinite(load_card(out).training["history"][0][-1]["valid_loss"])


def test_patches_of_a_patch_classifier_are_as_large_as_it_sees(out, monkeypatch):
    """Smaller ones would be mostly what lies beyond the rim."""
    seen = []
    keep = AlexNet.penalised

    def watched(self, x, where=None):
        seen.append((x.shape[2:], int(where.flatten(1).sum(1).max())))
        return keep(self, x, where)

    monkeypatch.setattr(AlexNet, "penalised", watched)
    few = {"stride": 1, "base_channels": 3, "hidden_channels": 6, "pixels": 5}
    for patch, edge in ((59, 64), (83, 96)):
        seen.clear()
        run(
            out,
            network="alexnet",
            network_settings={"patch": patch, **few},
            members=1,
            epochs=1,
            patch=None,
        )
        assert {size for size, _ in seen} == {(edge, edge)}
        assert max(drawn for _, drawn in seen) == 5
