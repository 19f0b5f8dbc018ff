"""Parts by name: one file, one decorator, found at the first look-up."""

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from napari_sashiko.errors import SettingsError

T = TypeVar("T")


class Registry(Generic[T]):
    """A room of parts of one kind.

    The public modules of ``package`` are imported at the first look-up, then the entry
    points of the group ``package`` from other distributions.

    Parameters
    ----------
    kind : str
        What a part is called in messages, e.g. ``"network"``.
    package : str
        Dotted name of the room whose modules hold the parts.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._parts: dict[str, T] = {}
        self._complete = False
        # Networks are trained side by side: the second thread must wait for all parts.
        self._lock = threading.RLock()

    def register(self, name: str) -> Callable[[T], T]:
        """Enter a part under ``name``; a second part of that name is refused."""

        def enter(part: T) -> T:
            if name in self._parts:
                raise SettingsError(f"There are two {self.kind}s named {name!r}.")
            self._parts[name] = part
            return part

        return enter

    def __getitem__(self, name: str) -> T:
        """Return the part called ``name``.

        Raises
        ------
        SettingsError
            If there is none; the message lists the names that would work.
        """
        self._complete_once()
        if name not in self._parts:
            known = ", ".join(sorted(self._parts))
            raise SettingsError(
                f"There is no {self.kind} named {name!r}.", f"Known: {known}."
            )
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        """Names in alphabetical order."""
        self._complete_once()
        return iter(sorted(self._parts))

    def __contains__(self, name: object) -> bool:
        """Whether there is a part of that name."""
        self._complete_once()
        return name in self._parts

    def _complete_once(self) -> None:
        with self._lock:
            if self._complete:
                return
            room = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(room.__path__):
                if not module.name.startswith("_"):
                    importlib.import_module(f"{self.package}.{module.name}")
            for entry in entry_points(group=self.package):
                entry.load()
            self._complete = True
