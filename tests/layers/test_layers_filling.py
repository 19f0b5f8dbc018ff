"""Laws of guessing what nobody measured: the rest stays, it lies in between."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_sashiko.layers import fill_unknown


def case(sides, seed, share=0.5):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn((2, 3, *sides), generator=generator)
    known = (torch.rand((2, 1, *sides), generator=generator) < share).float()
    return images, known


@given(
    st.lists(st.integers(1, 13), min_size=2, max_size=3),
    st.integers(0, 99),
    st.floats(0.02, 1.0),
)
def test_measured_voxels_stay_and_the_rest_lies_between_them(sides, seed, share):
    images, known = case(sides, seed, share)
    hidden = images.masked_fill(known == 0, float("nan"))
    found = fill_unknown(hidden, known)
    where = known.expand_as(images) > 0
    assert torch.equal(found[where], images[where])
    assert torch.isfinite(found).all()
    for image, mask, filled in zip(images, known, found, strict=True):
        for channel, values in zip(image, filled, strict=True):
            seen = channel[mask[0] > 0]
            low, high = (seen.min(), seen.max()) if len(seen) else (0.0, 0.0)
            assert values.min() >= low - 1e-5
            assert values.max() <= high + 1e-5


def test_a_flat_image_stays_flat():
    _, known = case((9, 14), 0, 0.2)
    found = fill_unknown(torch.full((2, 1, 9, 14), 7.0), known)
    torch.testing.assert_close(found, torch.full_like(found, 7.0))


def test_a_ramp_is_found_again_but_for_a_little():
    ramp = torch.arange(64.0).expand(1, 1, 64, 64).clone()
    known = torch.ones(1, 1, 64, 64)
    known[..., 28:36] = 0
    found = fill_unknown(ramp, known)
    assert (found - ramp).abs().max() < 4
    assert (found - ramp).abs().mean() < 0.5


@pytest.mark.parametrize("sides", [(8, 8), (5, 6, 7)])
def test_nothing_known_gives_zero_and_all_known_nothing_new(sides):
    images, _ = case(sides, 3)
    none, everything = (torch.full((2, 1, *sides), value) for value in (0.0, 1.0))
    assert not fill_unknown(images, none).any()
    assert torch.equal(fill_unknown(images, everything), images)
