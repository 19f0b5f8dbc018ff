"""What takes long is convolved in pieces, with the same outcome, and can be stopped."""

import pytest
import torch

from napari_sashiko.errors import Cancelled
from napari_sashiko.layers import convolution, convolve
from napari_sashiko.runners import interrupt, interruptible

CASES = [
    # shape of the image, kernel, dilation, padded
    ((3, 4, 17, 9), 3, 1, True),
    ((1, 4, 17, 9), 3, 1, True),
    ((1, 4, 23, 9), 5, 2, True),
    ((1, 4, 23, 9), 2, 4, True),
    ((1, 4, 23, 12), 5, 2, False),
    ((2, 3, 9, 6, 5), 3, 1, True),
    ((1, 3, 9, 6, 5), 3, 2, True),
    ((1, 3, 90, 1), 1, 1, True),
    ((1, 3, 9, 6, 5), 1, 1, True),
]


@pytest.fixture
def little_at_once(monkeypatch):
    monkeypatch.setattr(convolution, "MOST_AT_ONCE", 500)
    monkeypatch.setattr(convolution, "MOST_IN_ROWS", 1500)


def convolved(shape, kernel, dilation, padded):
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(shape, generator=generator, dtype=torch.double)
    weight = torch.randn(
        5, shape[1], *(kernel,) * (len(shape) - 2), generator=generator
    )
    bias = torch.randn(5, generator=generator).double()
    given = [image, weight.double(), bias]
    for each in given:
        each.requires_grad_()
    made = convolve(*given, dilation=dilation, padded=padded)
    made.square().sum().backward()
    return [made.detach(), *(each.grad for each in given)]


@pytest.mark.parametrize(("shape", "kernel", "dilation", "padded"), CASES)
def test_pieces_are_the_whole_with_all_gradients(
    little_at_once, shape, kernel, dilation, padded
):
    whole, ticks = convolved(shape, kernel, dilation, padded), []
    with interruptible(lambda: ticks.append(1)):
        pieces = convolved(shape, kernel, dilation, padded)
    for mine, theirs in zip(pieces, whole, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)
    assert len(ticks) > 4


@pytest.mark.parametrize("number", [1, 3])
def test_a_stop_is_heard_in_the_middle(little_at_once, number):
    """Forwards, and where gradients are taken."""
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) == number:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled), interruptible(tick):
        convolved(*CASES[0])
    assert len(ticks) == number
    with interruptible(lambda: ticks.append(1)):
        convolved(*CASES[0])
    seen = len(ticks) - number
    ticks.clear()
    number = seen  # the last one: of a gradient
    with pytest.raises(Cancelled), interruptible(tick):
        convolved(*CASES[0])


def test_nobody_is_asked_where_nobody_listens():
    assert interrupt() is None
    with interruptible(print):
        with interruptible(repr):
            assert interrupt() is repr
        assert interrupt() is print
    assert interrupt() is None
