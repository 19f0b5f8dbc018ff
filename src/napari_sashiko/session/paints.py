"""The paint of all volumes that were on the desk, saved as one goes."""

from collections.abc import Callable
from pathlib import Path

from napari_sashiko.session.board import describe_error
from napari_sashiko.session.paint import Paint


class Paints(dict[Path, Paint]):
    """Paint by project folder."""

    _said = ""  # the last problem with saving, which is told once

    def save(self) -> None:
        """Write all paint to disk now.

        Raises
        ------
        OutputError
            If a disk is full or gone.
        """
        for paint in self.values():
            if paint.dirty:
                paint.save()

    def save_due(self, tell: Callable[[str], object]) -> None:
        """Begin to save what is due; tell in one sentence what went wrong."""
        for paint in self.values():
            try:
                if paint.save_if_due():
                    self._said = ""
            except Exception as error:  # noqa: BLE001 - told, and tried again
                sentence = describe_error(error)
                if sentence != self._said:
                    self._said = sentence
                    tell(sentence)

    def take_rest(self) -> bool:
        """Whether some paint came to rest, all of it saved, since the last call."""
        rested = [paint.take_rest() for paint in self.values()]  # all are asked
        return any(rested)
