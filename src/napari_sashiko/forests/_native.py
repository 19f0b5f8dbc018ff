"""Compiled loops where numba is installed, and nothing where it is not."""

from collections.abc import Callable
from typing import Any

from napari_sashiko.layers import has_native

AVAILABLE = has_native()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a loop that holds no lock, and keep it on disk where there is room.

    Threads come from outside: numba's own are not safe to start from two threads.
    Without numba the function stays as it is; nobody should call it then.
    """
    if not AVAILABLE:
        return function
    import numba  # noqa: PLC0415

    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract"},
    }
    try:
        made: Callable[..., Any] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder can be written to: compile in each process
        made = numba.njit(**options)(function)
    return made
