"""Laws of hiding: how much, where, and what is shown instead."""

import pytest
import torch

from napari_sashiko.training.corruptions import (
    CELL,
    REACH,
    Blind,
    Gaps,
    Nothing,
    one_in_each_cell,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def case(shape=(3, 4, 17, 22)):
    images = torch.randn(shape, generator=generator(5))
    known = torch.ones(shape[0], 1, *shape[2:])
    return images, known, torch.zeros_like(known)


@pytest.mark.parametrize("spatial", [(8, 12), (17, 22), (5, 9, 8)])
def test_one_voxel_is_hidden_in_each_cell(spatial):
    hidden = one_in_each_cell(torch.Size((2, 3, *spatial)), generator())
    assert hidden.shape == (2, 1, *spatial)
    whole = tuple(slice(0, n // CELL * CELL) for n in spatial)
    inside = hidden[(slice(None), slice(None), *whole)].float()
    pool = torch.nn.functional
    pooled = (pool.avg_pool2d if len(spatial) == 2 else pool.avg_pool3d)(inside, CELL)
    torch.testing.assert_close(pooled * CELL ** len(spatial), torch.ones_like(pooled))
    assert hidden.sum() == inside.sum()


def test_every_place_is_hidden_in_time():
    shape = torch.Size((1, 1, 8, 8))
    source = generator()
    seen = sum(one_in_each_cell(shape, source).int() for _ in range(300))
    assert (seen > 0).all()


def test_hidden_voxels_show_a_neighbour_and_only_they_count():
    images, known, holes = case()
    seen, weight = Blind([1, 2])(images, known, holes, generator())
    hidden = weight[:, 0] > 0
    assert torch.equal(seen[:, [0, 3]], images[:, [0, 3]])
    for plane in (1, 2):
        assert torch.equal(seen[:, plane][~hidden], images[:, plane][~hidden])
        changed = seen[:, plane] != images[:, plane]
        assert torch.equal(changed, hidden)
    for place, y, x in hidden.nonzero().tolist()[:20]:
        steps = range(-REACH, REACH + 1)
        near = images[place, 1]
        around = {
            float(near[(y + a) % 17, (x + b) % 22])
            for a in steps
            for b in steps
            if (a, b) != (0, 0)
        }
        assert float(seen[place, 1, y, x]) in around


def test_what_nobody_measured_is_not_asked_for():
    images, known, holes = case()
    known[..., 5:9] = 0
    _, weight = Blind([0])(images, known, holes, generator())
    assert not weight[..., 5:9].any()
    assert weight.any()


def test_gaps_hide_what_is_known_and_ask_for_it():
    images, known, holes = case()
    known[..., 3:5] = 0
    holes[..., 4:8, :] = 1
    seen, weight = Gaps()(images, known, holes, generator())
    clear = ((known * (1 - holes)) > 0).expand_as(images)
    assert torch.equal(seen[:, :4][clear], images[clear])
    assert torch.equal(weight, known * holes)
    # What is hidden does not shine through.
    other = images.masked_fill(~clear, 99.0)
    assert torch.equal(Gaps()(other, known, holes, generator())[0], seen)


@pytest.mark.parametrize("planes", [1, 3])
def test_networks_are_shown_where_the_gaps_are(planes):
    images, known, holes = case((3, 2 * planes, 17, 22))
    known[..., 3:5] = 0
    holes[..., 4:8, :] = 1
    seen, _ = Gaps(planes)(images, known, holes, generator())
    assert seen.shape[1] == 3 * planes
    shown = seen[:, 2 * planes :]
    assert torch.equal(shown, (known * (1 - holes)).expand_as(shown))


def test_with_another_image_nothing_is_hidden():
    images, known, holes = case()
    seen, weight = Nothing()(images, known, holes, generator())
    assert seen is images
    assert weight is known
