"""From a prediction to labelled, measured objects, block by block."""

import errno
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.instances._blocks import block_count, walk
from napari_sashiko.instances._moments import Moments, Reach
from napari_sashiko.instances._source import ATTRIBUTES, Region, Source, open_source
from napari_sashiko.instances.cache import search_components
from napari_sashiko.instances.components import Components, IntArray, label_block
from napari_sashiko.instances.dust import dust_voxels
from napari_sashiko.instances.events import ComponentsFound, InstancesDone
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.instances.table import check_table, make_table, write_table
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import check_writable, create_ome_image

FORMAT_VERSION = 1
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quota: Windows


def segment_instances(
    prediction: Path | str,
    out: Path | str,
    settings: InstanceSettings | None = None,
    table: Path | str | None = None,
) -> Iterator[Event]:
    """Label the objects of one class and measure each.

    Label 1 is the largest object. The output appears when it is complete.

    Parameters
    ----------
    prediction : path
        Folder NAME.zarr of a prediction.
    out : path
        Folder NAME.zarr for the labels; instances found before are replaced.
    settings : InstanceSettings, optional
        Class, threshold, connectivity, dust.
    table : path, optional
        CSV file; None measures nothing.

    Yields
    ------
    Progress, Message, ComponentsFound, InstancesDone

    Raises
    ------
    SettingsError
        If there is no such class, or the dust size does not fit the image.
    OutputError
        If the prediction is none, or the disk is full or not writable.
    """
    start = time.perf_counter()
    settings = settings or InstanceSettings()
    source = open_source(Path(prediction), settings)
    target = Path(out).absolute()
    fewest = dust_voxels(
        settings.dust, source.voxel_size, source.unit, flat=source.flat
    )
    where = None if table is None else Path(table).absolute()
    _check_replaceable(target)
    check_writable(target)
    if where is not None:
        check_table(where, target)
    yield from _remarks(source, settings)
    components = yield from search_components(source)
    yield ComponentsFound(len(components.sizes), source.class_name)
    ranks = components.ranks(fewest)
    count = int((ranks > 0).sum())
    yield from _write(source, components, ranks, target, where)
    yield InstancesDone(
        str(target),
        None if where is None else str(where),
        count,
        len(ranks) - count,
        time.perf_counter() - start,
    )


def _remarks(source: Source, settings: InstanceSettings) -> Iterator[Message]:
    if settings.label_class is None:
        yield Message(f"Objects of {source.class_name!r}, the rarest class.")
    done, total = source.finished()
    if done < total:
        yield Message(
            f"Only {done} of {total} blocks are predicted: objects are found in these.",
            "warning",
        )


def _check_replaceable(path: Path) -> None:
    if not path.exists():
        return
    try:
        record: Any = zarr.open_group(str(path), mode="r").attrs.get(ATTRIBUTES)
    except (OSError, ValueError, KeyError):
        record = None
    if not isinstance(record, dict) or record.get("kind") != "instances":
        raise OutputError(
            f"{path} exists and does not hold instances.",
            "Choose another name; it is left as it is.",
        )


def _write(
    source: Source,
    components: Components,
    ranks: IntArray,
    target: Path,
    table: Path | None,
) -> Iterator[Event]:
    part = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        part.chmod(0o755)  # mkdtemp makes folders for one user only
        labels = _create(part, source)
        moments = None if table is None else Moments.empty(int(ranks.max(initial=0)))
        yield from _relabel(source, components, ranks, labels, moments)
        if table is not None and moments is not None:
            yield from _measure(source, components, labels, moments, table)
        _replace(part, target)
    except OSError as error:
        full = error.errno in DISK_FULL
        raise OutputError(
            f"{target} cannot be written: "
            f"{'the disk is full' if full else error.strerror or error}.",
            "Free some space and start again." if full else "Choose another folder.",
        ) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def _create(path: Path, source: Source) -> Any:
    record = {
        "format_version": FORMAT_VERSION,
        "kind": "instances",
        "prediction": str(source.path),
        "digest": source.digest(),
        "class_id": source.class_id,
        "class_name": source.class_name,
        "settings": source.settings.model_dump(mode="json"),
    }
    group = zarr.create_group(str(path), attributes={ATTRIBUTES: record})
    first = 1 if source.flat else 0
    return create_ome_image(
        group,
        "labels",
        shape=source.shape[first:],
        chunks=tuple(
            min(c, n) for c, n in zip(source.chunk, source.shape, strict=True)
        )[first:],
        dtype="uint32",
        axes="zyx"[first:],
        voxel_size=source.voxel_size[first:],
        unit=source.unit,
    )


def _relabel(
    source: Source,
    components: Components,
    ranks: IntArray,
    labels: Any,
    moments: Moments | None,
) -> Iterator[Event]:
    """Second pass: label each block again and look its labels up."""
    total = block_count(source.shape, components.block)
    offset = 0
    for number, block in enumerate(walk(source, components.block)):
        local, count = label_block(block, source.settings.connectivity)
        if count != components.counts[number]:
            raise OutputError(
                f"{source.path} changed while objects were searched.", "Start again."
            )
        final = np.zeros(count + 1, np.uint32)
        final[1:] = ranks[components.roots[offset : offset + count]]
        offset += count
        body = np.ascontiguousarray(local[block.body])
        labels[_on_disk(source, block.region)] = _flattened(source, final[body])
        if moments is not None and final.any():
            mean = source.probabilities(block.region)
            std = source.deviations(block.region)
            moments.add(block.region, body, final, mean, std)
        yield Progress(number + 1, total, "writing objects")


def _measure(
    source: Source,
    components: Components,
    labels: Any,
    moments: Moments,
    table: Path,
) -> Iterator[Event]:
    """Third pass: how far each object reaches along its main axis."""
    size = np.array(source.voxel_size)
    axes = moments.axes(size)
    reach = Reach(axes, size)
    regions = list(_regions(source, components))
    for number, region in enumerate(regions):
        part = np.asarray(labels[_on_disk(source, region)])
        reach.add(region, part[np.newaxis] if source.flat else part)
        yield Progress(number + 1, len(regions), "measuring objects")
    write_table(make_table(source, moments, axes, reach.lengths()), table)


def _regions(source: Source, components: Components) -> Iterator[Region]:
    counts = [
        range(-(-n // b)) for n, b in zip(source.shape, components.block, strict=True)
    ]
    for index in np.ndindex(*(len(each) for each in counts)):
        z, y, x = (
            slice(i * b, min((i + 1) * b, n))
            for i, b, n in zip(index, components.block, source.shape, strict=True)
        )
        yield z, y, x


def _replace(part: Path, target: Path) -> None:
    """Put the finished folder in place of an older one."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except BaseException:  # also when it is stopped just now
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _on_disk(source: Source, region: Region) -> tuple[slice, ...]:
    return region[1:] if source.flat else region


def _flattened(source: Source, array: IntArray) -> IntArray:
    return array[0] if source.flat else array
