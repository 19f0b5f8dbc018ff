"""Narrow convolutions: values and gradients are those of a library."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sashiko.layers import (
    compiles_narrow,
    convolve,
    convolve_narrow,
    has_native,
    native_sum,
)
from napari_sashiko.layers.narrow import _is_compiled, _Narrow

compiled = pytest.mark.skipif(not has_native(), reason="numba is not installed")


def noise(*shape, seed=0):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=gen).requires_grad_()


def learned(function, x, weight, grad):
    value = function(x, weight)
    value.backward(grad)
    found = (value.detach(), x.grad, weight.grad)
    x.grad = weight.grad = None
    return found


def assert_same(x, weight, dilation):
    grad = noise(len(x), len(weight), *x.shape[2:], seed=2).detach()
    found = learned(lambda a, b: _Narrow.apply(a, b, dilation), x, weight, grad)
    wanted = learned(lambda a, b: convolve(a, b, dilation=dilation), x, weight, grad)
    for ours, theirs in zip(found, wanted, strict=True):
        scale = max(float(theirs.abs().max()), 1.0)
        torch.testing.assert_close(ours / scale, theirs / scale, atol=1e-5, rtol=0)


@compiled
@pytest.mark.parametrize("dims", [2, 3])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_values_and_gradients_at_any_size(dims, data):
    size = data.draw(st.tuples(*[st.integers(1, 35)] * dims))
    batch, channels = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 5)))
    outputs = data.draw(st.sampled_from([1, 3, 8, 9, 25]))
    dilation = data.draw(st.sampled_from([1, 2, 5, 17]))
    x, weight = noise(batch, channels, *size), noise(outputs, channels, *(3,) * dims)
    assert_same(x, weight, dilation)


@compiled
@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_every_width_of_vectors_gives_the_same(lanes, monkeypatch):
    from napari_sashiko.layers._native_gradient import compile_gradient  # noqa: PLC0415

    native_sum.cache_clear()
    compile_gradient.cache_clear()
    for module in ("_native_code", "_native_gradient"):
        name = f"napari_sashiko.layers.{module}.lanes_here"
        monkeypatch.setattr(name, lambda: lanes)
    try:
        assert_same(noise(1, 3, 5, 70, 45), noise(7, 3, 3, 3, 3), 2)
    finally:
        native_sum.cache_clear()
        compile_gradient.cache_clear()


@compiled
def test_a_batch_that_is_not_contiguous_is_read_as_it_is():
    x = noise(2, 9, 10, 11, 4).detach().movedim(-1, 1).requires_grad_()
    assert_same(x, noise(2, 4, 3, 3, 3), 1)


@pytest.mark.parametrize("dims", [2, 3])
def test_without_gradients_or_numba_a_library_does_it(dims):
    x, weight = noise(1, 2, *(6,) * dims), noise(3, 2, *(3,) * dims)
    assert _is_compiled(x, weight) == compiles_narrow(dims, x.device)
    assert compiles_narrow(dims, x.device) == (has_native() and dims == 3)
    assert not compiles_narrow(dims, torch.device("cuda"))
    with torch.no_grad():
        assert not _is_compiled(x, weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert not _is_compiled(x, weight)
    assert not _is_compiled(x.double(), weight.double())
    found = convolve_narrow(x, weight, dilation=2)
    torch.testing.assert_close(
        found, convolve(x, weight, dilation=2), atol=1e-5, rtol=1e-4
    )


def test_a_numba_that_does_not_fit_is_as_good_as_none(monkeypatch):
    def refuse(_name):
        raise ImportError("Numba needs NumPy 2.0 or less")

    monkeypatch.setattr("napari_sashiko.layers.native.import_module", refuse)
    has_native.cache_clear()
    try:
        assert not has_native()
    finally:
        has_native.cache_clear()


@compiled
def test_switched_off_compilation_is_as_good_as_none(monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    has_native.cache_clear()
    try:
        assert not has_native()
    finally:
        monkeypatch.undo()
        has_native.cache_clear()
