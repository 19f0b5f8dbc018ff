"""Samples on disk: kept in the user's cache, written out for the command line."""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pooch
import tifffile

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.samples._pictures import write_pictures
from napari_sashiko.samples._sample import (
    ARRAYS,
    SAMPLES,
    Array,
    Report,
    Sample,
    silent,
)
from napari_sashiko.volumes import Time, check_writable, remove_abandoned, written_file

EDITION = 3  # raised when a sample changes, so that nobody gets the old one
SUFFIXES = {4: ".tif", 3: ".tif", 1: ".csv"}  # by number of axes
CLASSES = "labels.classes.json"
WORDS = "words"  # beside the arrays in the cache


def load_sample(
    name: str, *, cache: Path | None = None, report: Report = silent
) -> Sample:
    """Make or fetch a sample, or take it from the cache.

    Parameters
    ----------
    name : str
        A key of ``SAMPLES``.
    cache : Path, optional
        Folder of kept samples; the user's cache when missing.
    report : callable
        Called with work done and its total.

    Raises
    ------
    SampleError
        If it cannot be fetched.
    SettingsError
        If there is no sample of that name.
    """
    make = SAMPLES[name]
    folder = cache or Path(pooch.os_cache("napari-sashiko")) / "samples"
    path = folder / f"{name}-{EDITION}.npz"
    kept = _read(path)
    if kept is None:
        kept = make(report=report)
        _keep(kept, path)
    return kept


def check_sample_folder(folder: Path) -> None:
    """Refuse a folder that a sample cannot be written to, before it is fetched.

    Raises
    ------
    OutputError
        If the folder, or a file in it that has the name of one of a sample, cannot be
        written.
    """
    names = [key + suffix for key in ARRAYS for suffix in SUFFIXES.values()]
    for name in (*names, CLASSES):
        check_writable(Path(folder) / name)


def write_sample(sample: Sample, folder: Path) -> dict[str, Path]:
    """Write each array of a sample, and the names of its classes, into a folder.

    ``([T,] Z, Y, X)`` becomes an OME-TIFF with voxel size and time, ``(Z,)`` a CSV; a
    sample of parts a folder of pictures with their labels.

    Returns
    -------
    dict of str to Path
        Files by the names of the arrays, or folders by those of the parts, and
        ``classes`` where there are any.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    files: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if sample.parts:
            return write_pictures(sample, folder)
        for key, array in sample.arrays.items():
            files[key] = folder / (key + SUFFIXES[array.ndim])
            _write(files[key], array, sample)
        if sample.classes:
            files["classes"] = folder / CLASSES
            rows = [each.model_dump() for each in sample.classes]
            files["classes"].write_text(json.dumps(rows, indent=1), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"The sample cannot be written to {folder}: {error.strerror or error}.",
            "Choose a folder that can be written and has room.",
        ) from error
    return files


def _write(path: Path, array: Array, sample: Sample) -> None:
    if array.ndim == 1:
        rows = [f"{place},{value}" for place, value in enumerate(array.tolist())]
        text = "\n".join((f"slice,{path.stem}", *rows)) + "\n"
        path.write_text(text, encoding="utf-8")
        return
    unit = {"um": "µm"}.get(sample.unit, sample.unit)
    sizes = dict(zip("ZYX", sample.voxel_size, strict=True))
    axes = "TZYX"[-array.ndim :]
    metadata = {"axes": axes, "Name": f"{sample.name} {path.stem}"}
    if sample.time is not None:
        metadata |= {"TimeIncrement": str(sample.time.step)}
        metadata |= {"TimeIncrementUnit": sample.time.unit}
    metadata |= {f"PhysicalSize{axis}": str(size) for axis, size in sizes.items()}
    metadata |= {f"PhysicalSize{axis}Unit": unit for axis in sizes}
    tifffile.imwrite(
        path, array, ome=True, metadata=metadata, compression="zlib", predictor=False
    )


def _keep(sample: Sample, path: Path) -> None:
    """Best effort: without a cache, the sample is made again next time."""
    words = {key: getattr(sample, key) for key in ("name", "title", "unit", "source")}
    words["voxel_size"], words["parts"] = sample.voxel_size, sample.parts
    words["time"] = None if sample.time is None else asdict(sample.time)
    words["classes"] = [each.model_dump() for each in sample.classes]
    arrays = {**sample.arrays, WORDS: np.array(json.dumps(words))}
    with contextlib.suppress(OSError):
        remove_abandoned(path.parent, path.name)
        with written_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


def _read(path: Path) -> Sample | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            words = json.loads(str(kept[WORDS]))
            time = words.pop("time", None)
            parts = [(name, count) for name, count in words.pop("parts", ())]
            return Sample(
                arrays={key: kept[key] for key in kept.files if key != WORDS},
                voxel_size=tuple(words.pop("voxel_size")),
                classes=tuple(LabelClass(**each) for each in words.pop("classes")),
                time=None if time is None else Time(**time),
                parts=tuple(parts),
                **words,
            )
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None  # never kept, or cut short: it is made again
