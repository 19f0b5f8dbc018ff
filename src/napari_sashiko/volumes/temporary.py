"""Temporaries beside what is written: their names tell who writes, and if it lives.

Strategy: what is being written carries another name until it is whole. That name holds
the host and the process, so that what a killed process left is known as abandoned and
removed, while the work of one that lives is left alone.
"""

import hashlib
import os
import re
import shutil
import socket
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

ENDING = ".partial"
DAMAGED = ".damaged"
DAY = 24 * 3600.0  # after which a temporary of another host counts as abandoned
WRITER = re.compile(r"\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-[0-9a-f]{8}\.partial$")


def temporary_beside(path: Path) -> Path:
    """Return a hidden name beside `path` that nobody else takes."""
    mark = f"{_host()}-{os.getpid()}-{uuid4().hex[:8]}"
    return path.with_name(f".{path.name}.{mark}{ENDING}")


def is_abandoned(path: Path) -> bool:
    """Whether a file or folder is a temporary whose writer is gone."""
    writer = WRITER.search(path.name)
    if writer is None:
        return False
    if writer["host"] == _host():
        return not process_lives(int(writer["pid"]))
    try:
        return time.time() - path.stat().st_mtime > DAY
    except OSError:  # finished or removed just now
        return False


def remove_abandoned(folder: Path, name: str = "") -> None:
    """Remove from a folder what killed processes were writing, best effort.

    Parameters
    ----------
    folder : Path
        Only what lies directly in it is looked at.
    name : str, optional
        Temporaries of this file or folder alone.
    """
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.name.startswith(f".{name}") and is_abandoned(path):
                remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, best effort."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """Return the name that a damaged file is kept under: none that is taken."""
    kept, number = path.with_name(path.name + DAMAGED), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}{DAMAGED}-{number}")
    return kept


def set_aside(path: Path) -> Path:
    """Move a damaged file out of the way, to ``NAME.damaged`` beside it.

    Returns
    -------
    Path
        Where it is now.
    """
    kept = free_name(path)
    path.rename(kept)
    return kept


def keep_copy(path: Path) -> Path:
    """Copy a small damaged file to ``NAME.damaged`` beside it, before it is replaced.

    Returns
    -------
    Path
        The copy.
    """
    kept = free_name(path)
    part = temporary_beside(kept)
    try:
        shutil.copy2(path, part)
        part.replace(kept)
    except BaseException:
        remove(part)
        raise
    return kept


def process_lives(number: int) -> bool:
    """Whether a process of this number runs on this machine."""
    if number <= 0:
        return False
    if sys.platform == "win32":
        return _lives_on_windows(number)
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _lives_on_windows(number: int) -> bool:
    """Ask the system: there, signal 0 would be a Ctrl-C."""
    import ctypes  # noqa: PLC0415 - there only

    synchronise, still_running, denied = 0x00100000, 0x102, 5
    library = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    handle = library.OpenProcess(synchronise, False, number)  # noqa: FBT003
    if not handle:
        return bool(ctypes.get_last_error() == denied)  # type: ignore[attr-defined,unused-ignore]
    try:
        return bool(library.WaitForSingleObject(handle, 0) == still_running)
    finally:
        library.CloseHandle(handle)


@cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]
