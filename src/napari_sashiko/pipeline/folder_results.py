"""Results of a folder of pictures: one picture each, and what they mean."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError, VolumeError
from napari_sashiko.labels import LabelClass, LabelValues, text_of, value_of
from napari_sashiko.pipeline.folder_classes import values_record
from napari_sashiko.pipeline.folder_stamp import KEY, read_stamp
from napari_sashiko.volumes import (
    check_writable,
    relative,
    remove,
    remove_abandoned,
    write_file,
)

INDEX = "results.json"
FORMAT_VERSION = 2  # since then each result says what it was made of
KIND, RESTORED_KIND = "pictures", "restored pictures"
PICTURE = ".png"
RESTORED = ".tif"  # grey values are no whole numbers
PROBABILITIES = "-probabilities.tif"
State = Literal["none", "whole", "stale"]


@dataclass(frozen=True)
class FolderResults:
    """A folder of results.

    Attributes
    ----------
    path : Path
        The folder.
    model, digest : str
        Name of the model, and of its weights.
    images : Path
        Where the pictures lay.
    classes : tuple of LabelClass
        In the order of the probabilities; none of restored pictures.
    values : LabelValues
        What the pixels of the class pictures stand for.
    problems : tuple of (str, str)
        Pictures without a result, and why.
    version : int
        Of the format.
    restores : bool
        Whether there is a restored picture of each, and no classes.
    """

    path: Path
    model: str
    digest: str
    images: Path
    classes: tuple[LabelClass, ...]
    values: LabelValues
    problems: tuple[tuple[str, str], ...] = ()
    version: int = FORMAT_VERSION
    restores: bool = False

    @property
    def ending(self) -> str:
        """Of the results' names."""
        return RESTORED if self.restores else PICTURE

    def picture(self, image: Path) -> Path:
        """Where the classes of a picture are, or what it was restored to."""
        return self.path / (image.stem + self.ending)

    def probabilities(self, image: Path) -> Path:
        """Where its probabilities are, if they were wanted."""
        return self.path / (image.stem + PROBABILITIES)

    def places(self, image: Path) -> tuple[Path, ...]:
        """All files that its result may have."""
        beside = () if self.restores else (self.probabilities(image),)
        return (self.picture(image), *beside)

    def state_of(self, image: Path, *, probabilities: bool) -> State:
        """Tell whether a picture has a result: one of it as it is now.

        Parameters
        ----------
        image : Path
            The picture.
        probabilities : bool
            Whether they belong to a whole result.

        Returns
        -------
        {"none", "whole", "stale"}
            Stale is what was made of another picture or by another model.

        Raises
        ------
        VolumeError
            If there is something that is nobody's result, or the picture is gone.
        """
        if not self.picture(image).exists():
            return "none"
        stamp = read_stamp(self.picture(image))
        if stamp is None:
            raise VolumeError(
                f"{image.name} has a result that was not made by sashiko apply, or was "
                "changed since. It is left as it is.",
                "Delete it, or start anew with overwrite.",
            )
        if not stamp.is_of(image, self.digest):
            return "stale"
        there = not probabilities or self.probabilities(image).exists()
        return "whole" if there else "none"

    def remove(self, image: Path) -> None:
        """Delete the result of a picture."""
        for path in self.places(image):
            remove(path)

    def write(self, problems: Sequence[tuple[str, str]] = ()) -> None:
        """Write what the results mean.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        """
        record = {
            "format_version": FORMAT_VERSION,
            "kind": RESTORED_KIND if self.restores else KIND,
            "model": self.model,
            "model_digest": self.digest,
            "images": relative(self.images, self.path.absolute()),
            "classes": values_record(self.values, self.classes),
            "unlabelled": text_of(self.values.unlabelled),
            "problems": [list(each) for each in problems],
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_result(self.path / INDEX, json.dumps(record, indent=1))


def is_results(path: Path | str) -> bool:
    """Whether a folder holds results of a folder of pictures."""
    return (Path(path) / INDEX).is_file()


def read_results(path: Path | str) -> FolderResults:
    """Read what the results in a folder mean.

    Raises
    ------
    OutputError
        If there are none, they are damaged, or from a newer version.
    """
    folder = Path(path)
    if not is_results(folder):
        raise OutputError(
            f"{folder} holds no results of a folder of pictures.",
            "Make some with sashiko apply.",
        )
    try:
        record = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        version = int(record["format_version"])
        if version <= FORMAT_VERSION:
            return _read(folder, record)
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise OutputError(
            f"{folder / INDEX} is damaged: {error}.", "Apply the model again."
        ) from error
    raise OutputError(
        f"The results {folder} have format {version}, this version of napari-sashiko "
        f"reads up to {FORMAT_VERSION}.",
        "Update napari-sashiko.",
    )


def _read(folder: Path, record: dict[str, Any]) -> FolderResults:
    rows = [dict(row) for row in record["classes"]]
    values = tuple(value_of(row.pop("value")) for row in rows)
    classes = tuple(LabelClass.checked(**row) for row in rows)
    ids = tuple(each.id for each in classes)
    return FolderResults(
        folder,
        str(record["model"]),
        str(record["model_digest"]),
        folder.absolute() / record["images"],
        classes,
        LabelValues(values, ids, value_of(record["unlabelled"])),
        tuple((str(name), str(why)) for name, why in record["problems"]),
        int(record["format_version"]),
        record["kind"] == RESTORED_KIND,
    )


def begin_results(
    wanted: FolderResults, files: Sequence[Path], *, overwrite: bool
) -> None:
    """Make a folder for results, or go on in one of the same model.

    Parameters
    ----------
    wanted : FolderResults
        What is to be written.
    files : sequence of Path
        The pictures.
    overwrite : bool
        Delete earlier results first; whatever else lies in the folder stays.

    Raises
    ------
    OutputError
        If there are results of another model, or files that are no results.
    """
    folder = wanted.path
    if folder.resolve() == wanted.images.resolve():
        raise OutputError(
            f"{folder} is the folder of the pictures.", "Choose another one."
        )
    check_writable(folder)
    if is_results(folder):
        if overwrite:
            _start_anew(wanted, files)
        else:
            _go_on(wanted)
    else:
        ours = (place for file in files for place in wanted.places(file))
        taken = next((place for place in ours if place.exists()), None)
        if taken is not None:
            raise OutputError(
                f"{taken} exists and is no result of sashiko apply.",
                "Choose another folder; it is left as it is.",
            )
    remove_abandoned(folder)
    wanted.write()


def _start_anew(wanted: FolderResults, files: Sequence[Path]) -> None:
    """Delete results, of these pictures and of others that are gone.

    At once: what is stopped in between holds results of one model only.
    """
    ours = [place for file in files for place in wanted.places(file)]
    for ending in (PICTURE, RESTORED):
        for old in wanted.path.glob(f"*{ending}"):
            if read_stamp(old):
                ours += [old, old.with_name(old.stem + PROBABILITIES)]
    for old in ours:
        if old.is_file():
            remove(old)


def _go_on(wanted: FolderResults) -> None:
    folder = wanted.path
    there = read_results(folder)
    if there.digest != wanted.digest:
        raise OutputError(
            f"{folder} exists and was made with another model.",
            "Choose another name, or overwrite it.",
        )
    if there.version < FORMAT_VERSION:
        raise OutputError(
            f"{folder} is of an earlier version, whose results do not say what they "
            "were made of.",
            "Choose another name, or overwrite it.",
        )


def png_of(picture: NDArray[Any], stamp: str = "") -> bytes:
    """Pack a picture, grey or in colours, as PNG, with what it says of itself."""
    from imageio.v3 import imwrite  # noqa: PLC0415 - only where pictures are written
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    notes = PngInfo()
    if stamp:
        notes.add_text(KEY, stamp)
    packed: bytes = imwrite(
        "<bytes>",
        np.ascontiguousarray(picture),
        extension=".png",
        plugin="pillow",
        pnginfo=notes,
    )
    return packed


def tiff_of(channels: NDArray[np.float32], stamp: str = "") -> bytes:
    """Pack a picture ``(C, Y, X)`` as TIFF, three channels as colours."""
    pages = channels[0] if len(channels) == 1 else channels
    colours = len(channels) == 3
    made = io.BytesIO()
    tifffile.imwrite(
        made,
        np.moveaxis(channels, 0, -1) if colours else pages,
        photometric="rgb" if colours else "minisblack",
        compression="zlib",
        description=json.dumps({KEY: json.loads(stamp)}) if stamp else None,
        metadata=None,
    )
    return made.getvalue()


def write_result(path: Path, content: bytes | str) -> None:
    """Write a file as a whole.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written.
    """
    try:
        write_file(path, content)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Free some space or choose another folder.",
        ) from error
