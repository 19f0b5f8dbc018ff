"""What a result of a folder of pictures says of itself: what it was made of.

Strategy: the stamp is part of the result, a text in the PNG or TIFF. Both appear
together, so that a run that was killed leaves no result of which nobody knows, and none
is noted that is not there. A picture is the same while its size and time are, as copies
and version control tell it; where they differ, its content decides.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import tifffile

from napari_sashiko.errors import VolumeError

KEY = "sashiko"  # of the text
TIFF = (".tif", ".tiff")
UNREADABLE = (
    *(OSError, ValueError, LookupError, TypeError),
    *(struct.error, tifffile.TiffFileError),
)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Stamp:
    """What a result was made of.

    Attributes
    ----------
    model : str
        Digest of the model.
    bytes, changed : int
        Size of the picture's file, and when it was changed (ns since 1970).
    content : str
        SHA-256 of the file (hexadecimal).
    """

    model: str
    bytes: int
    changed: int
    content: str

    def text(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self))

    def is_of(self, picture: Path, model: str) -> bool:
        """Whether a result with this stamp would be made again of the same.

        Raises
        ------
        VolumeError
            If the picture cannot be read.
        """
        if self.model != model:
            return False
        now = _size_and_time(picture)
        if now == (self.bytes, self.changed):
            return True
        return now[0] == self.bytes and _content(picture) == self.content

    def check_unchanged(self, picture: Path) -> None:
        """Refuse a picture that somebody wrote while it was read.

        Raises
        ------
        VolumeError
            If its size or time is another one now.
        """
        if _size_and_time(picture) != (self.bytes, self.changed):
            raise VolumeError(f"{picture.name} was changed while it was read.")


def stamp_of(picture: Path, model: str) -> Stamp:
    """Make the stamp of a picture's result, before the picture is read.

    Raises
    ------
    VolumeError
        If the picture cannot be read.
    """
    size, changed = _size_and_time(picture)
    return Stamp(model, size, changed, _content(picture))


def read_stamp(result: Path) -> Stamp | None:
    """Read the stamp of a PNG or TIFF; None where there is none: somebody else's."""
    try:
        tiff = result.suffix.lower() in TIFF
        text = _text_of_tiff(result) if tiff else _text_of_png(result)
        return None if text is None else Stamp(**json.loads(text))
    except UNREADABLE:  # damaged, or written by another program
        return None


def _text_of_tiff(result: Path) -> str | None:
    with tifffile.TiffFile(result) as file:
        found = json.loads(file.pages.first.description)
    return json.dumps(found[KEY])


def _text_of_png(result: Path) -> str | None:
    for kind, content in _chunks(result):
        key, _, text = content.partition(b"\0")
        if kind == b"tEXt" and key == KEY.encode():
            return text.decode()
    return None


def _chunks(result: Path) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of what a PNG has before its pixels."""
    with result.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            return
        while True:
            length, kind = struct.unpack(">I4s", file.read(8))
            if kind == b"IDAT":
                return
            yield kind, file.read(length)
            file.seek(4, os.SEEK_CUR)  # its sum


def _size_and_time(picture: Path) -> tuple[int, int]:
    try:
        found = picture.stat()
    except OSError as error:
        raise _unreadable(picture, error) from error
    return found.st_size, found.st_mtime_ns


def _content(picture: Path) -> str:
    try:
        with picture.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(picture, error) from error


def _unreadable(picture: Path, error: OSError) -> VolumeError:
    return VolumeError(
        f"{picture.name} cannot be read: {error.strerror or error}.",
    )
