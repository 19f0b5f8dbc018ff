"""Embedding: what the patches of an image are like, and which are like no known one.

Strategy: patches on a grid, slice by slice, are read and squeezed a few at a time; only
their numbers are kept. Of a large image so many patches are drawn that the table stays
small.
"""

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.metrics import ImageErrors
from napari_sashiko.prediction._made import Keep, keeping_made
from napari_sashiko.prediction._prepare import check_volume
from napari_sashiko.prediction.embed_settings import EmbedSettings
from napari_sashiko.prediction.embed_table import Embedding, write_embedding
from napari_sashiko.prediction.events import EmbedDone
from napari_sashiko.prediction.reducing import check_method, reduce_to_two
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import Normalisation, Volume, check_writable, shrunk

if TYPE_CHECKING:  # loads torch: only who looks at patches pays
    from napari_sashiko.checkpoints import Explorer

AT_ONCE = 32  # patches that are in memory together
Places = NDArray[np.int64]


def embed(
    explorer: "Explorer",
    volume: Volume,
    out: Path,
    settings: EmbedSettings,
    made: Path | None = None,
) -> Iterator[Event]:
    """Write a table of what the patches of an image are like.

    Parameters
    ----------
    explorer : Explorer
        The model.
    volume : Volume
        The image, of as many channels as the model has seen.
    out : Path
        Table ``NAME.csv``, see `Embedding`.
    settings : EmbedSettings
        Everything a user may set.
    made : Path, optional
        Where patches are written as they are made again, ``NAME.tif``.

    Yields
    ------
    Event
        `Message`, `Progress`, `EmbedDone`.

    Raises
    ------
    VolumeError
        If the image has another number of channels, or nothing would be left of it
        when it is shrunk.
    SettingsError
        If there are too few patches, or a package is missing.
    OutputError
        If the table, or the patches, cannot be written.
    """
    started = time.monotonic()
    check_method(settings.method)
    check_writable(out)
    yield from check_volume(explorer.card, volume)
    edge, factor = explorer.exploring.edge, explorer.exploring.shrink
    small = shrunk(volume, factor)
    step = settings.step and -(-settings.step // factor)
    chosen = settings.model_copy(update={"step": step})
    places = choose_places(small.shape, edge, chosen)
    if small.separate:
        places = _in_pictures(small, places, edge)
    metric = ImageErrors()
    with keeping_made(made, explorer.card.normalisation) as keep:
        looked = yield from _look(explorer, small, places, metric, keep)
    latents, errors, distances, outside = looked
    yield Message("Making two coordinates of each patch.")
    known = explorer.known.cpu().numpy()
    points = reduce_to_two(latents, known, settings.method, settings.seed)
    write_embedding(
        out,
        Embedding(
            places=places * np.array([1, factor, factor]),
            edge=edge * factor,
            points=points,
            errors=errors,
            distances=distances,
            outside=outside,
            latents=latents,
        ),
    )
    yield EmbedDone(
        path=str(out),
        patches=len(places),
        outside=int((outside > 1).sum()),
        chance=explorer.exploring.chance,
        seconds=time.monotonic() - started,
        correlation=metric.compute().pearson,
    )


def choose_places(
    shape: tuple[int, int, int], edge: int, settings: EmbedSettings
) -> Places:
    """First voxels ``(N, 3)`` of patches, in the order in which they are stored.

    Parameters
    ----------
    shape : tuple of int
        (Z, Y, X) of the image.
    edge : int
        Voxels of a patch along y and x; the last ones end where the image ends.
    settings : EmbedSettings
        `step`, `most` and `seed` count.
    """
    step = settings.step or edge
    axes = [np.arange(shape[0])]
    for size in shape[1:]:
        last = max(size - edge, 0)
        axes.append(np.unique(np.append(np.arange(0, last + 1, step), last)))
    counts = tuple(len(each) for each in axes)
    total = counts[0] * counts[1] * counts[2]
    chosen = np.arange(total) if total <= settings.most else _drawn(total, settings)
    along = np.unravel_index(chosen, counts)
    return np.stack([axis[at] for axis, at in zip(axes, along, strict=True)], axis=1)


def _in_pictures(volume: Volume, places: Places, edge: int) -> Places:
    """Move places to where their pictures are: beyond the edge there is nothing."""
    fitted = (volume.fitted(place, (1, edge, edge)) for place in places)
    corners = [[part.start for part in box] for box in fitted]
    return np.unique(np.array(corners, np.int64), axis=0)


def _drawn(total: int, settings: EmbedSettings) -> Places:
    """One place of each of equal shares: no part of the image is left out."""
    rng = np.random.default_rng(settings.seed)
    ends = np.linspace(0, total, settings.most + 1).astype(np.int64)
    return rng.integers(ends[:-1], ends[1:])


def _look(
    explorer: "Explorer",
    volume: Volume,
    places: Places,
    metric: ImageErrors,
    keep: Keep,
) -> Generator[Event, None, list[NDArray[np.float32]]]:
    """Latents ``(N, latent)``; errors, distances and scores, ``(N,)``.

    What is made again goes into `metric` and to `keep`.
    """
    edge, normalisation = explorer.exploring.edge, explorer.card.normalisation
    parts = []
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        pairs = [_read(volume, normalisation, place, edge) for place in some]
        patches, measured = (np.stack(each) for each in zip(*pairs, strict=True))
        seen = explorer.look(patches, measured)
        score = explorer.outside(seen)
        missing = np.broadcast_to(~measured, patches.shape)
        metric.update(seen.made, patches, missing)
        keep(seen.made)
        parts.append((seen.latents, seen.errors, seen.distances, score))
        yield Progress(start + len(some), len(places), "looking at patches")
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _read(
    volume: Volume, normalisation: Normalisation, place: Places, edge: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """A patch ``(C, edge, edge)``, mirrored beyond the end; where it was measured."""
    z, y, x = (int(at) for at in place)
    _, height, width = volume.shape
    raw = volume.read(
        (
            slice(z, z + 1),
            slice(y, min(y + edge, height)),
            slice(x, min(x + edge, width)),
        )
    )
    patch = normalisation.apply(raw)[:, 0]
    known = normalisation.known(raw).all(0)
    pad = [(0, 0), *((0, edge - size) for size in patch.shape[1:])]
    return np.pad(patch, pad, mode="symmetric"), np.pad(known, pad, mode="symmetric")
