"""A folder that one window works in at a time: a lock that ends with its process.

Strategy: the system's own lock on a file is let go of when the process dies, however it
dies, so that nothing stale is left. The file says who holds it, for people. Where the
disk knows no locks, that text decides: a process of this machine that is gone holds
nothing, and one of another machine is believed for half a day.
"""

import contextlib
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from napari_sashiko.volumes.temporary import process_lives

LOCK = "window.lock"
BELIEVED = 12 * 3600.0  # seconds that the text of another machine counts
FAR = (
    1 << 30
)  # where the lock lies in the file: Windows lets nobody read what is locked


@dataclass(frozen=True)
class Holder:
    """Who holds a lock; unknown parts are 0 or empty.

    Parameters
    ----------
    pid : int
        Number of the process.
    host : str
        Name of its machine.
    since : str
        Date and time, ISO 8601.
    """

    pid: int = 0
    host: str = ""
    since: str = ""

    def __str__(self) -> str:
        """Say who it is, e.g. ``process 123 on node7 since 12:04``."""
        words = [f"process {self.pid}" if self.pid else "another process"]
        if self.host:
            words.append(f"on {self.host}")
        with contextlib.suppress(ValueError):
            words.append(f"since {datetime.fromisoformat(self.since):%Y-%m-%d %H:%M}")
        return " ".join(words)


class FolderLock:
    """The right to work in a folder.

    Parameters
    ----------
    folder : Path
        Must exist when the lock is taken.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        """Whether it is held by this object."""
        return self._file is not None

    def take(self) -> Holder | None:
        """Take the lock, or tell who holds it; never waits.

        Returns
        -------
        Holder or None
            None when nobody else works there; also where the folder cannot be written,
            for then nobody can.
        """
        if self._file is not None:
            return None
        file = _opened(self.path)
        if file is None:
            return None
        free = _lock(file)
        holder = _read(file)
        if free is False or (free is None and _is_held(holder, self.path)):
            file.close()
            return holder
        _write(file, Holder(os.getpid(), socket.gethostname(), _now()))
        self._file = file
        return None

    def release(self) -> None:
        """Let go of it; the file stays, empty."""
        file, self._file = self._file, None
        if file is not None:
            _write(file, None)
            file.close()  # and the lock goes with it


def _opened(path: Path) -> IO[bytes] | None:
    for flags, mode in ((os.O_RDWR | os.O_CREAT, "r+b"), (os.O_RDONLY, "rb")):
        with contextlib.suppress(OSError):
            return os.fdopen(os.open(path, flags, 0o664), mode, buffering=0)
    return None


def _lock(file: IO[bytes]) -> bool | None:
    """Lock a file; False if it is locked, None if the disk knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there only

            file.seek(FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - not on Windows

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_held(holder: Holder, path: Path) -> bool:
    if not holder.pid:
        return False
    if holder.host == socket.gethostname():
        return holder.pid != os.getpid() and process_lives(holder.pid)
    return time.time() - path.stat().st_mtime < BELIEVED


def _read(file: IO[bytes]) -> Holder:
    try:
        file.seek(0)
        found = json.loads(file.read())
        return Holder(int(found["pid"]), str(found["host"]), str(found["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Holder()


def _write(file: IO[bytes], holder: Holder | None) -> None:
    with contextlib.suppress(OSError):  # for people: the lock does not need it
        file.seek(0)
        file.truncate()
        if holder is not None:
            file.write(json.dumps(asdict(holder)).encode())


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
