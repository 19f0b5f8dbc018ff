"""Sums of dilated convolutions on the CPU, compiled for this machine at first use.

numba is optional: without it there is no `native_sum`, and networks run as they are.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

MOST_OUTPUTS = 12  # maps whose sums fit into registers together
MARGIN = 16  # voxels that rows are rounded up to: a vector of any machine


@lru_cache
def has_native() -> bool:
    """Whether code can be compiled here: numba is there and fits NumPy and Python."""
    try:
        numba = import_module("numba")
    except (ImportError, AttributeError, OSError, SystemError):
        return False  # one that does not fit is as good as none
    return not numba.config.DISABLE_JIT


@lru_cache
def native_sum(outputs: int) -> Callable[[Any, Any, Any, Any], None]:
    """Compile the sum for a number of output maps.

    Parameters
    ----------
    outputs : int
        Maps that are written, at most `MOST_OUTPUTS`.

    Returns
    -------
    callable
        ``run(arrays, flags, rows, shape)``; it releases the interpreter's lock.

        `arrays` are ``(buffer, offsets, sources, weights, bias, heads, logits)``, where
        places are counted in voxels of the flat float32 buffer:

        - offsets ``(M,)``: where each output map starts.
        - sources ``(n, 3)``: where each source map starts, its dilation, and where its
          weights start, which are ``(kz, 3, 3, M)``.
        - bias ``(M,)``; heads ``(K, M)`` and logits ``(K,)``: weights and starts of the
          maps to which the results are added.

        `flags` are ``(fresh, finished)``: whether sums start from the bias or go on
        from what is in the output maps, and how many of the first maps pass through a
        ReLU. `rows` are the first and the last row to be done, of B * Z * Y; `shape`
        is ``(Z, Y, X, stride of a row, kz)``. Between rows the buffer must hold zeros,
        as many as the largest dilation.
    """
    # Slow to import, and not everywhere: only who predicts on a CPU needs it.
    from napari_sashiko.layers._native_code import compile_sum  # noqa: PLC0415

    return compile_sum(outputs)
