"""Project folders: which this window works in alone, and which wait for their image."""

from pathlib import Path

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes import FolderLock, Volume


class Projects:
    """Locks of project folders, and folders whose image was not where it should be."""

    def __init__(self) -> None:
        self._locks: dict[Path, FolderLock] = {}
        self._expected: dict[str, Path] = {}

    def claim(self, folder: Path) -> str:
        """Claim a folder for this window, until all are released; made when missing.

        Returns
        -------
        str
            Empty if it is ours; else who works in it, in words.

        Raises
        ------
        OSError
            If the folder cannot be made.
        """
        if folder in self._locks:
            return ""
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder)
        holder = lock.take()
        if holder is not None:
            return str(holder)
        self._locks[folder] = lock
        return ""

    def release(self) -> None:
        """Let go of all folders."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()

    def expect(self, digest: str, folder: Path) -> None:
        """Take this folder for the image of that content, wherever it lies now."""
        self._expected[digest] = folder

    @property
    def expects(self) -> bool:
        """Whether a folder waits for its image."""
        return bool(self._expected)

    def expected(self, volume: Volume) -> Path | None:
        """Return the folder that waits for this image; reads it only if one waits."""
        if not self._expected:
            return None
        try:
            return self._expected.get(volume.content_digest())
        except VolumeError:
            return None
