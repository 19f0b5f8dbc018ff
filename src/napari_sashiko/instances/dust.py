"""Sizes below which an object is dust: in voxels or in physical units."""

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import SettingsError

PATTERN = re.compile(
    r"\s*(?P<value>\d+\.?\d*(?:e[+-]?\d+)?|\.\d+)\s*"
    r"(?:(?P<unit>[^\W\d_]+)\s*(?:\^|\*\*)?\s*(?P<power>[23]?))?\s*",
    re.IGNORECASE,
)
RAISED = str.maketrans("²³", "23")
MOST = 1 << 62  # voxels: what a count on disk can hold
METRES = {
    "m": 1.0,
    "cm": 1e-2,
    "mm": 1e-3,
    "um": 1e-6,
    "nm": 1e-9,
    "angstrom": 1e-10,
    "pm": 1e-12,
}
SPELLINGS = {
    "meter": "m",
    "metre": "m",
    "centimeter": "cm",
    "centimetre": "cm",
    "millimeter": "mm",
    "millimetre": "mm",
    "micrometer": "um",
    "micrometre": "um",
    "micron": "um",
    "microns": "um",
    "µm": "um",
    "μm": "um",
    "nanometer": "nm",
    "nanometre": "nm",
    "picometer": "pm",
    "picometre": "pm",
    "å": "angstrom",
    "a": "angstrom",
    "ang": "angstrom",
}
VOXEL_WORDS = ("", "px", "pixel", "pixels", "voxel", "voxels", "vx")
POWERS = {"2": 2, "3": 3}


@dataclass(frozen=True)
class Dust:
    """A size out of a setting.

    Parameters
    ----------
    value : float
        How much.
    unit : str
        Unit of length, or ``""`` for voxels.
    power : int or None
        3 for volumes, 2 for areas, None where not said.
    """

    value: float
    unit: str
    power: int | None


def parse_dust(text: str) -> Dust:
    """Read ``"100"``, ``"100 px"``, ``"100 um^3"``, ``"0.5mm3"`` or ``"20 um²"``.

    Raises
    ------
    SettingsError
        If it is not a size.
    """
    match = PATTERN.fullmatch(text.translate(RAISED))
    unit = "" if match is None else (match["unit"] or "").lower()
    unit = SPELLINGS.get(unit, unit)
    unit = "" if unit in VOXEL_WORDS else unit
    if match is None or (unit and unit not in METRES):
        raise SettingsError(
            f"The dust size {text!r} cannot be read.",
            "Write a number of voxels, e.g. 100, or a volume, e.g. 100 um^3.",
        )
    return Dust(float(match["value"]), unit, POWERS.get(match["power"]))


def dust_voxels(
    text: str, voxel_size: tuple[float, ...], unit: str, *, flat: bool = False
) -> int:
    """Fewest voxels of an object that is kept.

    Parameters
    ----------
    text : str
        As for ``parse_dust``.
    voxel_size : tuple of float
        z, y, x in `unit`.
    unit : str
        Unit of the voxel size.
    flat : bool
        Whether the image is 2D: physical sizes are areas.

    Raises
    ------
    SettingsError
        If the unit needs a voxel size that is not known, or the power does not fit.
    """
    dust = parse_dust(text)
    if not dust.unit:
        return math.ceil(min(dust.value, MOST))
    power = 2 if flat else 3
    if dust.power != power:
        raise SettingsError(
            f"The dust size {text!r} is not {'an area' if flat else 'a volume'}.",
            f"Write {dust.value:g} {dust.unit}^{power}, or a number of voxels.",
        )
    name = unit.lower()
    name = SPELLINGS.get(name, name)
    if name not in METRES:
        raise SettingsError(
            f"The dust size {text!r} needs a voxel size in a unit of length; this "
            f"image has the unit {unit!r}.",
            "Give the number of voxels, or set the voxel size of the image.",
        )
    sizes = voxel_size[1:] if flat else voxel_size
    voxel = math.prod(sizes) * (METRES[name] / METRES[dust.unit]) ** power
    # 125 um^3 over voxels of 5 um^3 is 25, not 25.000000001: rounding is not dust.
    return math.ceil(round(min(dust.value / voxel, MOST), 6))


def dust_counts(sizes: npt.NDArray[np.integer], voxels: int) -> tuple[int, int]:
    """How many objects stay and how many go.

    Parameters
    ----------
    sizes : (N,) int
        Voxels of each object, ascending.
    voxels : int
        Fewest voxels of an object that stays.

    Returns
    -------
    kept, removed : int
    """
    removed = int(np.searchsorted(sizes, voxels, side="left"))
    return len(sizes) - removed, removed
