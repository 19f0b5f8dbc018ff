"""Objects found before are not searched again: the live dust count costs nothing.

The cache is a hidden file beside the prediction, tied by a digest to everything that
decides which voxels touch. The dust size is not part of it.
"""

import contextlib
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from napari_sashiko.instances._source import Source, open_source
from napari_sashiko.instances.components import (
    Components,
    IntArray,
    exhaust,
    find_components,
)
from napari_sashiko.instances.events import ComponentsFound
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.runners import Event, Run, open_place
from napari_sashiko.volumes import remove_abandoned, written_file


def cache_path(prediction: Path) -> Path:
    """Where the objects of a prediction are remembered."""
    return prediction.with_name(f".{prediction.name}.components.npz")


def scan_components(prediction: Path, settings: InstanceSettings) -> Iterator[Event]:
    """Find the objects of a prediction and remember them; may be stopped.

    Yields
    ------
    Progress, then ComponentsFound
    """
    source = open_source(Path(prediction), settings)
    components = load_components(source)
    if components is None:
        with open_place(settings) as run:
            components = yield from search_components(source, run)
    yield ComponentsFound(len(components.sizes), source.class_name)


def component_sizes(prediction: Path, settings: InstanceSettings) -> IntArray:
    """Voxels of each object, ascending; searched once, then read in milliseconds.

    Parameters
    ----------
    prediction : Path
        Folder NAME.zarr.
    settings : InstanceSettings
        `dust` does not matter.

    Returns
    -------
    (N,) int64
    """
    source = open_source(Path(prediction), settings)
    sizes = known_sizes(source)
    if sizes is None:
        with open_place(settings) as run:
            sizes = np.sort(exhaust(search_components(source, run)).sizes)
    return sizes


def known_sizes(source: Source) -> IntArray | None:
    """Sizes that are remembered, ascending; None if they must be searched."""
    found = _remembered(source, "sorted_sizes")
    return None if found is None else found[0]


def load_components(source: Source) -> Components | None:
    """Objects that are remembered; None if they must be searched."""
    found = _remembered(source, "block", "counts", "roots", "sizes")
    if found is None:
        return None
    z, y, x = found[0].tolist()
    return Components((z, y, x), *found[1:])


def forget_components(source: Source) -> None:
    """Remove what is remembered: it is of another prediction."""
    with contextlib.suppress(OSError):
        cache_path(source.path).unlink(missing_ok=True)


def search_components(source: Source, run: Run) -> Generator[Event, None, Components]:
    """Remembered objects, or found ones; the generator returns them."""
    components = load_components(source)
    if components is None:
        digest = source.digest()
        components = yield from find_components(source, run)
        if source.digest() == digest:  # else more was predicted meanwhile
            _save(source, components)
    return components


def _remembered(source: Source, *names: str) -> list[IntArray] | None:
    """Arrays of `source` by name; None if there are none, or they are damaged."""
    try:
        with (
            cache_path(source.path).open("rb") as raw,
            np.load(raw, allow_pickle=False) as file,
        ):
            if str(file["digest"]) != source.digest():
                return None
            return [file[name] for name in names]
    except (OSError, ValueError, KeyError, BadZipFile, EOFError, zlib.error):
        return None


def _save(source: Source, components: Components) -> None:
    path = cache_path(source.path)
    # A folder that cannot be written, or is full, only costs time.
    with contextlib.suppress(OSError):
        remove_abandoned(path.parent, path.name)
        with written_file(path) as file:
            np.savez(
                file,
                digest=np.array(source.digest()),
                block=np.array(components.block),
                counts=components.counts,
                roots=components.roots,
                sizes=components.sizes,
                sorted_sizes=np.sort(components.sizes),
            )
