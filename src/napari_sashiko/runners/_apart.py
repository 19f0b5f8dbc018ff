"""Load a compiled module so that it uses its own symbols and nobody else's."""

import importlib
import os
import sys
from contextlib import suppress
from threading import Lock

_LOCK = Lock()


def load_apart(name: str) -> None:
    """Import a compiled module that must not be mixed up with what is loaded already.

    torch's optimisers import triton, which holds a copy of LLVM. Mesa's OpenGL drivers
    have loaded another LLVM for all to see by then, wherever there is a window: triton
    would call that one and crash the process. Asked to prefer its own symbols
    (``RTLD_DEEPBIND``, Linux), it does not. A module that is not installed is left
    alone, and so is everything on other systems, where names are kept apart anyway.

    Parameters
    ----------
    name : str
        Full name of the module.
    """
    apart = getattr(os, "RTLD_DEEPBIND", 0)
    if not apart or name in sys.modules:
        return
    with _LOCK:  # the flags belong to the whole process
        before = sys.getdlopenflags()
        sys.setdlopenflags(before | apart)
        try:
            with suppress(ImportError):
                importlib.import_module(name)
        finally:
            sys.setdlopenflags(before)
