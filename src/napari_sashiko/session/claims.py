"""Project folders that this window works in, and no other window meanwhile."""

from pathlib import Path

from napari_sashiko.volumes import FolderLock


class Claims:
    """Locks of project folders, by folder; held until they are let go together."""

    def __init__(self) -> None:
        self._locks: dict[Path, FolderLock] = {}

    def take(self, folder: Path) -> str:
        """Claim a project folder, which is made when it is missing.

        Returns
        -------
        str
            Empty if it is ours; else who works in it, in words.

        Raises
        ------
        OSError
            If the folder cannot be made.
        """
        lock = self._locks.get(folder)
        if lock is not None:
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
