"""OME-Zarr 0.5: images with axes and voxel size, written empty and read back."""

from collections.abc import Mapping, Sequence
from typing import Any

import zarr
from zarr.codecs import BloscCodec

from napari_sashiko.volumes.units import long_unit, short_unit

VERSION = "0.5"
COMPRESSION: dict[str, Any] = {"cname": "lz4", "clevel": 3, "shuffle": "bitshuffle"}


def create_ome_image(
    group: zarr.Group,
    name: str,
    *,
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: str,
    axes: str,
    voxel_size: Sequence[float],
    unit: str = "pixel",
    fill_value: float = 0,
) -> Any:
    """Make an empty image ``name/0`` with OME-Zarr 0.5 metadata.

    Parameters
    ----------
    group : zarr.Group
        Where it goes.
    name : str
        Of the image's own group.
    shape, chunks : sequence of int
        Of level 0, an entry per axis.
    dtype : str
        Of the array.
    axes : str
        One letter of ``czyx`` per axis.
    voxel_size : sequence of float
        One per spatial axis, in `unit`.
    unit : str
        ``"pixel"`` when unknown: then no unit is written.
    fill_value : float
        What is not written yet reads as this.

    Returns
    -------
    zarr.Array
        Level 0.
    """
    image = group.create_group(name, overwrite=True)
    sizes = iter(voxel_size)
    scale = [float(next(sizes)) if axis in "zyx" else 1.0 for axis in axes]
    image.attrs["ome"] = {
        "version": VERSION,
        "multiscales": [
            {
                "name": name,
                "axes": [_axis(axis, unit) for axis in axes],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": scale}
                        ],
                    }
                ],
            }
        ],
    }
    return image.create_array(
        "0",
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        fill_value=fill_value,
        dimension_names=list(axes),
        compressors=BloscCodec(**COMPRESSION),
    )


def ome_levels(group: zarr.Group) -> Mapping[str, Any] | None:
    """Return the first multiscale of OME-Zarr 0.4 or 0.5 metadata; None without."""
    attributes: dict[str, Any] = dict(group.attrs)
    found = attributes.get("ome", attributes).get("multiscales")
    return dict(found[0]) if found else None


def axes_of(multiscale: Mapping[str, Any]) -> str:
    """One letter per axis of a multiscale's arrays."""
    return "".join(
        axis["name"] if isinstance(axis, Mapping) else str(axis)
        for axis in multiscale.get("axes", "tczyx")  # 0.1 and 0.2 know no others
    )


def voxel_size_of(
    multiscale: Mapping[str, Any], level: int
) -> tuple[tuple[float, float, float], str]:
    """Voxel size (z, y, x) and unit of one level."""
    axes = axes_of(multiscale)
    scale = [1.0] * len(axes)
    both = (multiscale, multiscale["datasets"][level])
    for place in both:
        for transform in place.get("coordinateTransformations", ()):
            if transform["type"] == "scale":
                scale = [a * b for a, b in zip(scale, transform["scale"], strict=True)]
    by_axis = dict(zip(axes, scale, strict=True))
    named = [a for a in multiscale.get("axes", ()) if isinstance(a, Mapping)]
    units = {a["name"]: a["unit"] for a in named if a.get("unit")}
    return (by_axis.get("z", 1.0), by_axis["y"], by_axis["x"]), short_unit(
        units.get("x", "pixel")
    )


def _axis(axis: str, unit: str) -> dict[str, str]:
    if axis == "c":
        return {"name": "c", "type": "channel"}
    entry = {"name": axis, "type": "space"}
    if short_unit(unit) != "pixel":
        entry["unit"] = long_unit(unit)
    return entry
