"""Samples on disk: kept in the user's cache, written out for the command line."""

import contextlib
import json
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pooch
import tifffile

from napari_sashiko.errors import OutputError
from napari_sashiko.labels import LabelClass
from napari_sashiko.samples._sample import SAMPLES, Report, Sample, silent
from napari_sashiko.volumes import check_writable, remove_abandoned, written_file

EDITION = 2  # raised when a sample changes, so that nobody gets the old one


@dataclass(frozen=True)
class SampleFiles:
    """Where a sample was written.

    Parameters
    ----------
    image, labels : Path
        OME-TIFF with voxel size.
    truth : Path or None
        None where nobody knows it.
    classes : Path
        Names and colours of the classes, JSON.
    """

    image: Path
    labels: Path
    truth: Path | None
    classes: Path


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
        If the folder, or a file of a sample that is in it, cannot be written.
    """
    for path in astuple(_files_in(Path(folder))):
        check_writable(path)


def write_sample(sample: Sample, folder: Path) -> SampleFiles:
    """Write image, sparse labels, truth and class names into a folder.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    files = _files_in(folder)
    if sample.truth is None:
        files = replace(files, truth=None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_tif(files.image, sample.image, sample)
        _write_tif(files.labels, sample.sparse_labels, sample)
        if files.truth is not None and sample.truth is not None:
            _write_tif(files.truth, sample.truth, sample)
        rows = [each.model_dump() for each in sample.classes]
        files.classes.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"The sample cannot be written to {folder}: {error.strerror or error}.",
            "Choose a folder that can be written and has room.",
        ) from error
    return files


def _files_in(folder: Path) -> SampleFiles:
    return SampleFiles(
        image=folder / "image.tif",
        labels=folder / "labels.tif",
        truth=folder / "truth.tif",
        classes=folder / "labels.classes.json",
    )


def _write_tif(path: Path, array: npt.NDArray[np.generic], sample: Sample) -> None:
    unit = {"um": "µm"}.get(sample.unit, sample.unit)
    sizes = dict(zip("ZYX", sample.voxel_size, strict=True))
    metadata = {"axes": "ZYX", "Name": f"{sample.name} {path.stem}"}
    metadata |= {f"PhysicalSize{axis}": str(size) for axis, size in sizes.items()}
    metadata |= {f"PhysicalSize{axis}Unit": unit for axis in sizes}
    tifffile.imwrite(
        path, array, ome=True, metadata=metadata, compression="zlib", predictor=False
    )


def _keep(sample: Sample, path: Path) -> None:
    """Best effort: without a cache, the sample is made again next time."""
    arrays = {"image": sample.image, "sparse_labels": sample.sparse_labels}
    if sample.truth is not None:
        arrays["truth"] = sample.truth
    words = {key: getattr(sample, key) for key in ("name", "title", "unit", "source")}
    words["voxel_size"] = sample.voxel_size
    words["classes"] = [each.model_dump() for each in sample.classes]
    arrays["words"] = np.array(json.dumps(words))
    with contextlib.suppress(OSError):
        remove_abandoned(path.parent, path.name)
        with written_file(path) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)


def _read(path: Path) -> Sample | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            words = json.loads(str(kept["words"]))
            return Sample(
                image=kept["image"],
                sparse_labels=kept["sparse_labels"],
                truth=kept.get("truth"),
                voxel_size=tuple(words.pop("voxel_size")),
                classes=tuple(LabelClass(**each) for each in words.pop("classes")),
                **words,
            )
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None  # never kept, or cut short: it is made again
