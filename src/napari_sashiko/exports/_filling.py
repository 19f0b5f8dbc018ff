"""The rough filling of gaps as one operator, for modules and for ONNX.

Strategy: `fill_unknown` halves an image until a voxel is left, so that how often it
does depends on the size. Tracers follow one size only. Here it is one operator to them,
which ONNX has as so many halvings that any image becomes one voxel; halving a single
voxel changes nothing.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from napari_sashiko.exports._libraries import need
from napari_sashiko.layers import fill_unknown

HALVINGS = 16  # an image of 65 536 voxels along an axis becomes one voxel
LEAST = 1e-12  # as in `fill_unknown`


@torch.library.custom_op("sashiko::fill_unknown", mutates_args=())
def filled(images: Tensor, known: Tensor, dims: int) -> Tensor:
    """Fill ``(B, C, *S)`` where `known`, of the same shape, is 0."""
    del dims  # ONNX has no other way to know
    return fill_unknown(images, known)


@filled.register_fake
def _(images: Tensor, known: Tensor, dims: int) -> Tensor:
    del known, dims
    return torch.empty_like(images)


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """What ONNX says for operators that it does not have."""
    return {torch.ops.sashiko.fill_unknown.default: _translated}


def _translated(images: Any, known: Any, dims: int) -> Any:
    op = need("onnxscript", "onnx").opset18
    zero = op.Constant(value_float=0.0)
    values = op.Where(op.Greater(known, zero), images, zero)
    return _pushed_pulled(op, values, known, dims, HALVINGS)


def _pushed_pulled(op: Any, values: Any, known: Any, dims: int, left: int) -> Any:
    """`fill_unknown` of values that are 0 where they are not known."""
    if not left:
        return values
    zero = op.Constant(value_float=0.0)
    axes = op.Constant(value_ints=list(range(2, 2 + dims)))
    pads = op.Constant(value_ints=[0] * dims + [1] * dims)
    total, weight = (
        op.AveragePool(
            op.Pad(each, pads, zero, axes),  # an odd end is a cell of its own
            kernel_shape=[2] * dims,
            strides=[2] * dims,
        )
        for each in (values, known)
    )
    coarse = op.Div(total, op.Max(weight, op.Constant(value_float=LEAST)))
    below = _pushed_pulled(
        op, coarse, op.Cast(op.Greater(weight, zero), to=1), dims, left - 1
    )
    stretched = op.Resize(
        below,
        None,
        op.Constant(value_floats=[1.0, 1.0, *[2.0] * dims]),
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )
    inside = op.Slice(
        stretched,
        op.Constant(value_ints=[0] * dims),
        op.Shape(values, start=2),
        axes,
    )
    return op.Where(op.Greater(known, zero), values, inside)
