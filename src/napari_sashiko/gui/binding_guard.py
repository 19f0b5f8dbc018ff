"""Keep Python alive with Qt bindings that lose references to ``None`` and ``True``.

PySide6 6.12.0 is compiled for interpreters whose constants are immortal (Python 3.12
and later). On Python 3.11 each call of a function that returns nothing loses one
reference to ``None``, each emitted signal one to ``True``; after some ten thousand
calls the interpreter aborts ("deallocating None") and takes the window with it.
"""

import ctypes
import sys

from qtpy.QtCore import QObject

CALLS = 50
PLENTY = 2**40  # references; more than a window can lose in years


def guard_constants() -> bool:
    """Give the constants references to lose, if the binding loses them.

    Returns
    -------
    bool
        Whether that was necessary.
    """
    if sys.version_info >= (3, 12) or not _loses_references():
        return False
    for constant in (None, True, False):
        # In CPython an object begins with its count of references.
        ctypes.c_ssize_t.from_address(id(constant)).value += PLENTY
    return True


def _loses_references() -> bool:
    probe = QObject()
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        probe.setObjectName("probe")
    return before - sys.getrefcount(None) > CALLS // 2
