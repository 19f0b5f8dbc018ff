"""Model folders within reach: those of the project and those opened by hand."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

SUFFIX = ".sashiko-model"
CARD = "model.json"


class ModelShelf:
    """Models of the project on the desk, newest first, then those used before.

    Parameters
    ----------
    load_card : callable
        Reads the description of a model folder; raises ``ModelError``.
    """

    def __init__(self, load_card: Callable[[Path], Any]) -> None:
        self._load_card = load_card
        self._opened: list[Path] = []
        self._cards: dict[Path, tuple[float, Any]] = {}

    def paths(self, folder: Path | None) -> list[Path]:
        """All models, the most recent first; `folder` is the project's."""
        mine: list[Path] = []
        if folder is not None:
            found = (folder / "models").glob(f"*{SUFFIX}/{CARD}")
            mine = sorted((p.parent for p in found), key=_written, reverse=True)
        rest = [path for path in self._opened if path not in mine and _is_model(path)]
        return mine + rest

    def remember(self, path: Path) -> None:
        """Keep a model within reach after the volume has changed."""
        self._opened = [path, *(p for p in self._opened if p != path)]

    def card(self, path: Path) -> Any:
        """Return the description of a model, read when it was written anew.

        Raises
        ------
        ModelError
            If it is damaged, from a newer version, or not a model.
        """
        written = _written(path) if _is_model(path) else 0.0
        known = self._cards.get(path)
        if known is None or known[0] != written or not written:
            known = (written, self._load_card(path))
            self._cards[path] = known
        return known[1]

    @staticmethod
    def new_path(folder: Path, name: str) -> Path:
        """Return a path for a model of the volume `name` that is not taken yet."""
        stem = f"{name} {datetime.now().astimezone():%Y-%m-%d %H.%M.%S}"
        stem = stem.replace("/", "_").replace("\\", "_")
        path, count = folder / f"{stem}{SUFFIX}", 1
        while path.exists():
            count += 1
            path = folder / f"{stem} ({count}){SUFFIX}"
        return path


def _is_model(path: Path) -> bool:
    return (path / CARD).exists()


def _written(path: Path) -> float:
    try:
        return (path / CARD).stat().st_mtime
    except OSError:  # deleted in between
        return 0.0
