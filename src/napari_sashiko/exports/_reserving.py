"""What all formats share: a file that grows no more, and boxes put into it."""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO, Any

from numpy.typing import NDArray

from napari_sashiko.exports.content import Box, Content

Put = Callable[[Box, NDArray[Any]], None]
Opened = Callable[[IO[bytes], Content], AbstractContextManager[Put]]
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quota: Windows


def reserve(file: IO[bytes], size: int) -> None:
    """Take the room on disk before a file is mapped.

    A full disk is an error here; it would be the end of the process where a mapped page
    finds no room.

    Raises
    ------
    OSError
        If the disk is full.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS and Windows
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        # Some file systems cannot: there was room when we asked for it.
