"""From a prediction to labelled, measured objects, block by block."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_sashiko.instances._blocks import blocks
from napari_sashiko.instances._moments import Moments, Reach
from napari_sashiko.instances._source import (
    Region,
    Source,
    open_source,
    prediction_state,
)
from napari_sashiko.instances._writing import (
    Names,
    ReachTask,
    Target,
    reach_of_block,
    write_block,
)
from napari_sashiko.instances.cache import search_components
from napari_sashiko.instances.components import HEARTBEAT, Components, IntArray
from napari_sashiko.instances.dust import dust_voxels
from napari_sashiko.instances.events import ComponentsFound, InstancesDone
from napari_sashiko.instances.settings import InstanceSettings
from napari_sashiko.instances.table import (
    check_table,
    make_table,
    table_digest,
    write_table,
)
from napari_sashiko.runners import (
    Event,
    Message,
    Progress,
    Run,
    Tick,
    in_order,
    open_place,
)
from napari_sashiko.volumes import (
    ATTRIBUTES,
    check_replaceable,
    check_writable,
    create_ome_image,
    relative,
    written_whole,
)

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Pass:
    """What the passes after the search need.

    Parameters
    ----------
    source : Source
        The mask.
    components : Components
        The objects.
    ranks : (M,) uint32
        Final label of each object; 0 is dust.
    run : Run
        Where blocks are done.
    """

    source: Source
    components: Components
    ranks: IntArray
    run: Run

    @property
    def total(self) -> int:
        """Number of blocks."""
        return len(self.components.counts)

    def named(self) -> Iterator[tuple[int, Region, Names]]:
        """Blocks in their order: number, voxels, final label of labels 0 to n."""
        offset = 0
        found = self.components
        for number, _, region in blocks(
            self.source.shape, found.block, self.source.stack.frame
        ):
            count = int(found.counts[number])
            names = np.zeros(count + 1, np.uint32)
            names[1:] = self.ranks[found.roots[offset : offset + count]]
            offset += count
            yield number, region, names


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
        settings.dust, source.voxel_size, source.unit, flat=source.planar
    )
    where = None if table is None else Path(table).absolute()
    check_replaceable(target, "instances", "instances")
    check_writable(target)
    if where is not None:
        check_table(where, target)
    yield from _remarks(source, settings)
    with open_place(settings) as run:
        components = yield from search_components(source, run)
        yield ComponentsFound(len(components.sizes), source.class_name)
        ranks = components.ranks(fewest)
        count = int((ranks > 0).sum())
        yield from _write(Pass(source, components, ranks, run), target, where)
    yield InstancesDone(
        str(target),
        None if where is None else str(where),
        count,
        len(ranks) - count,
        time.perf_counter() - start,
    )


def _remarks(source: Source, settings: InstanceSettings) -> Iterator[Message]:
    if settings.label_class is None:
        yield Message(f"Objects of {source.class_name!r}, the second class.")
    done, total = source.finished()
    if done < total:
        yield Message(
            f"Only {done} of {total} blocks are predicted: objects are found in these.",
            "warning",
        )


def _write(work: Pass, target: Path, table: Path | None) -> Iterator[Event]:
    with written_whole(target) as part:
        _create(part, work.source)
        labels = Target(part)
        moments = (
            None if table is None else Moments.empty(int(work.ranks.max(initial=0)))
        )
        yield from _relabel(work, labels, moments)
        if table is not None and moments is not None:
            yield from _measure(work, labels, moments, table)
            _name_table(part, table, relative(table, target.parent))


def _name_table(part: Path, table: Path, name: str) -> None:
    """Say in the labels which table is theirs.

    A process that dies before the labels are in place leaves them beside a table of
    other objects.
    """
    group = zarr.open_group(str(part), mode="r+")
    record: Any = group.attrs[ATTRIBUTES]
    more = {"table": name, "table_digest": table_digest(table)}
    group.attrs[ATTRIBUTES] = {**record, **more}


def _create(path: Path, source: Source) -> None:
    record = {
        "format_version": FORMAT_VERSION,
        "kind": "instances",
        "prediction": str(source.path),
        "digest": source.digest(),
        "state": prediction_state(source.path, source.record),
        "class_id": source.class_id,
        "class_name": source.class_name,
        "settings": source.settings.record(),
        **source.stack.record(),
    }
    group = zarr.create_group(str(path), attributes={ATTRIBUTES: record})
    stack = source.stack
    chunk = [min(c, n) for c, n in zip(source.chunk, source.sides, strict=True)]
    create_ome_image(
        group,
        "labels",
        shape=stack.on_disk,
        chunks=stack.lying(1, chunk),
        dtype="uint32",
        axes=stack.axes,
        voxel_size=source.voxel_size[1 if stack.flat else 0 :],
        unit=source.unit,
        time=stack.time,
    )


def _relabel(work: Pass, labels: Target, moments: Moments | None) -> Iterator[Event]:
    """Second pass: label each block again, write it, and sum over its voxels."""
    write = partial(write_block, work.source, labels, measured=moments is not None)
    results = work.run(write, work.named(), heartbeat=HEARTBEAT)
    with contextlib.closing(in_order(results)) as written:
        for item in written:
            if item is None:
                yield Tick()
                continue
            number, sums = item
            if moments is not None and sums is not None:
                moments.add(sums)
            yield Progress(number + 1, work.total, "writing objects")


def _measure(
    work: Pass, labels: Target, moments: Moments, table: Path
) -> Iterator[Event]:
    """Third pass: how far each object reaches along its main axis."""
    size = np.array(work.source.voxel_size)
    axes = moments.axes(size)
    reach = Reach(axes, size)

    def tasks() -> Iterator[ReachTask]:
        for number, region, names in work.named():
            there = np.unique(names[names > 0])
            yield number, region, there, reach.steps(there)

    done = 0
    results = work.run(partial(reach_of_block, labels), tasks(), heartbeat=HEARTBEAT)
    with contextlib.closing(results):
        for item in results:
            if item is None:
                yield Tick()
                continue
            (_, _, there, _), ends = item
            reach.add(there, *ends)
            done += 1
            yield Progress(done, work.total, "measuring objects")
    write_table(make_table(work.source, moments, axes, reach.lengths()), table)
