"""Options that several commands share, and texts turned into settings."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_sashiko.cli._console import Terminal
from napari_sashiko.errors import SettingsError

Image = Annotated[Path, typer.Argument(help="Volume, any readable format.")]
ImageOrFolder = Annotated[
    Path,
    typer.Argument(help="Volume, any readable format; or a folder of pictures."),
]
ModelFolder = Annotated[Path, typer.Argument(help="Model folder.")]
Sinograms = Annotated[
    Path, typer.Argument(help="Stack (slice, angle, detector), any format.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Start anew where there are results.")
]
Seed = Annotated[int | None, typer.Option(help="Fixes every random choice.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print a summary in JSON as the last line.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Any other setting; may be repeated."
    ),
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:0 or mps.")]
Runner = Annotated[str | None, typer.Option(help="serial, threads or dask.")]
Scheduler = Annotated[str | None, typer.Option(help="Dask scheduler, tcp://host:8786.")]
Workers = Annotated[
    int | None, typer.Option(help="Blocks or pictures in work at once.")
]
Axes = Annotated[
    str | None,
    typer.Option(
        help="Meaning of the image's axes where it is not clear, letters of tczyx, "
        "e.g. czyx, or tzyx for a volume at several times."
    ),
]
Level = Annotated[
    int,
    typer.Option(min=0, help="Level of an image pyramid; 0 is the finest."),
]
Angles = Annotated[
    Path | None,
    typer.Option(
        help="File of angles in degrees, .npy or text; evenly over 180 if left out."
    ),
]
Order = Annotated[
    str | None,
    typer.Option(
        help="slices: (slice, angle, detector); projections: (angle, slice, detector)."
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe", help="JSON of settings, or a project: options here win over it."
    ),
]
Part = Annotated[
    str | None,
    typer.Option(
        help="Which image of a result: classes, mean, std; fbp of a reconstruction."
    ),
]
OUT_OPTION = ("-o", "--out")
OF_PART = "_settings"  # network_settings are those of the network
# Of objects.
LabelClass = Annotated[
    str | None, typer.Option("--class", help="Class name or id of the objects.")
]
Dust = Annotated[str | None, typer.Option(help="Smallest object kept: 100 or 100um^3.")]
Connectivity = Annotated[int | None, typer.Option(help="6, 18 or 26.")]
Split = Annotated[
    str | None,
    typer.Option(help="Cut touching objects apart: no, distance or boundary."),
]
SplitDepth = Annotated[
    float | None,
    typer.Option(help="Least narrowing, as a share of the width; less cuts more."),
]
SplitRadius = Annotated[
    int | None,
    typer.Option(help="Voxels into an object up to which its shape is looked at."),
]
BoundaryClass = Annotated[
    str | None, typer.Option(help="Class between objects, for --split boundary.")
]
# Of windows.
Window = Annotated[
    str | None, typer.Option(help="Voxels: 128, or z,y,x as 32,128,128.")
]
Border = Annotated[
    str | None, typer.Option(help="Voxels at inner faces not trusted: 8 or z,y,x.")
]
BorderWeight = Annotated[
    float | None, typer.Option(help="0 crops the border, above 0 blends.")
]


def where(
    runner: str | None, scheduler: str | None, workers: int | None
) -> dict[str, Any]:
    """Where blocks are worked on: an address of a scheduler means Dask."""
    return {
        "runner": runner or ("dask" if scheduler else None),
        "scheduler": scheduler,
        "workers": workers,
    }


def splitting(
    split: str | None,
    depth: float | None,
    radius: int | None,
    boundary_class: str | None,
) -> dict[str, Any]:
    """How touching objects are cut apart."""
    return {
        "split": split,
        "split_depth": depth,
        "split_radius": radius,
        "boundary_class": class_of(boundary_class),
    }


def windows(
    window: str | None, border: str | None, border_weight: float | None
) -> dict[str, Any]:
    """How a volume is cut into windows.

    Raises
    ------
    SettingsError
        If a size cannot be read.
    """
    return {
        "window": triple(window, "window"),
        "border": triple(border, "border"),
        "border_weight": border_weight,
    }


def collect(
    given: dict[str, Any], more: list[str] | None, recipe: dict[str, Any]
) -> dict[str, Any]:
    """Merge a recipe, named options (None: not given) and ``--set KEY=VALUE``.

    ``network_settings.depth=10`` sets an entry of a setting that holds others, and
    leaves the recipe's other entries as they are. Options win over the recipe.

    Raises
    ------
    SettingsError
        If a text has no ``=``, or a setting is given twice.
    """
    values = {key: value for key, value in given.items() if value is not None}
    by_entry = set()  # groups of which entries are named, and not the whole
    for text in more or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingsError(
                f"--set {text!r} is not a setting.", "Write --set KEY=VALUE."
            )
        name, dot, entry = key.strip().partition(".")
        if dot and name not in values:
            by_entry.add(name)
        entries = values.setdefault(name, {}) if dot else None
        if isinstance(entries, dict):
            entries[entry] = _entry(value)
        elif name in values:
            raise SettingsError(
                f"The setting {name!r} is given twice.", "Leave one of them out."
            )
        else:
            values[name] = _value(value)
    kept = _still_fitting(recipe, values)
    for name in by_entry:
        values[name] = (kept.get(name) or {}) | values[name]
    return kept | values


def _still_fitting(recipe: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Leave the settings of a part out where another one is chosen: of its network."""
    others = {
        f"{name}{OF_PART}"
        for name, value in given.items()
        if name in recipe and recipe[name] != value
    }
    return {name: value for name, value in recipe.items() if name not in others}


def triple(text: str | None, name: str) -> tuple[int, int, int] | None:
    """Read ``"64"`` (all axes) or ``"16,64,64"`` (z, y, x) as voxels.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if text is None:
        return None
    try:
        numbers = [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3:
        raise SettingsError(
            f"--{name} {text!r} is not a size in voxels.",
            "Write one number, or z,y,x such as 32,128,128.",
        )
    return numbers[0], numbers[1], numbers[2]


def class_of(text: str | None) -> int | str | None:
    """Read a class given as a name or as an id."""
    return int(text) if text is not None and text.isdecimal() else text


def refuse(given: dict[str, Any], meant_for: str) -> None:
    """Refuse options that say nothing about what is given.

    Raises
    ------
    SettingsError
        Naming the first one that was given.
    """
    name = next((name for name, value in given.items() if value is not None), None)
    if name is not None:
        raise SettingsError(f"{name} is for {meant_for}.", "Leave it out.")


def drop_left_over_boundary(
    asked: dict[str, Any], recipe: dict[str, Any], shown: Terminal
) -> dict[str, Any]:
    """Merge options over a recipe whose boundary class may be of no use to them.

    Parameters
    ----------
    asked, recipe : dict
        Settings by name.
    shown : Terminal
        Where it is said that the class is left out.
    """
    values = recipe | asked
    if (
        asked.get("split") not in (None, "boundary")
        and "boundary_class" not in asked
        and recipe.get("boundary_class") is not None
    ):
        lost = values.pop("boundary_class")
        shown.say(
            f"split = {asked['split']!r}: the boundary class {lost!r} of the "
            "recipe is left out."
        )
    return values


def absolute(path: Path) -> str:
    """Return a path that means the same wherever the summary is read."""
    return str(path.absolute())


def _value(text: str) -> Any:
    """Lists and objects are JSON, ``none`` is None; the settings read the rest."""
    text = text.strip()
    if text.lower() in ("none", "null"):
        return None
    return _entry(text) if text[:1] in "[{" and text else text


def _entry(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
