"""OME-Zarr 0.5: images with axes and voxel size, written empty and read back."""

from collections.abc import Mapping, Sequence
from typing import Any

import zarr
from zarr.codecs import BloscCodec

from napari_sashiko.volumes._found import Size, size_in_one_unit
from napari_sashiko.volumes.frames import Time
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
    time: Time | None = None,
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
        One letter of ``tczyx`` per axis, in this order.
    voxel_size : sequence of float
        One per spatial axis, in `unit`.
    unit : str
        ``"pixel"`` when unknown: then no unit is written.
    fill_value : float
        What is not written yet reads as this.
    time : Time, optional
        What lies between two time points.

    Returns
    -------
    zarr.Array
        Level 0.
    """
    image = group.create_group(name, overwrite=True)
    sizes = iter(voxel_size)
    time = time or Time()
    others = {"c": 1.0, "t": time.step}
    scale = [others[axis] if axis in others else float(next(sizes)) for axis in axes]
    image.attrs["ome"] = {
        "version": VERSION,
        "multiscales": [
            {
                "name": name,
                "axes": [_axis(axis, unit, time) for axis in axes],
                "datasets": [_dataset(0, scale, [1] * len(axes))],
            }
        ],
    }
    return _create_array(
        image,
        0,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        axes=axes,
        fill_value=fill_value,
    )


def create_level(
    image: zarr.Group, level: int, shape: Sequence[int], chunks: Sequence[int]
) -> Any:
    """Make an empty array for a coarser level of an image, unknown until `list_levels`.

    Parameters
    ----------
    image : zarr.Group
        Made by `create_ome_image`.
    level : int
        From 1 on.
    shape, chunks : sequence of int
        An entry per axis.

    Returns
    -------
    zarr.Array
        Of the type of level 0.
    """
    finest: Any = image["0"]
    return _create_array(
        image,
        level,
        shape=shape,
        chunks=chunks,
        dtype=str(finest.dtype),
        axes=finest.metadata.dimension_names,
        fill_value=finest.fill_value,
    )


def list_levels(image: zarr.Group, factors: Sequence[Sequence[int]]) -> None:
    """Say which levels an image has; what is not listed nobody reads.

    Parameters
    ----------
    image : zarr.Group
        Made by `create_ome_image`.
    factors : sequence of sequence of int
        For each level from 0 on, voxels of level 0 in one of its voxels, by axis.
    """
    known: Any = image.attrs["ome"]
    multiscale = dict(known["multiscales"][0])
    first = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
    multiscale["datasets"] = [
        _dataset(level, first, each) for level, each in enumerate(factors)
    ]
    image.attrs["ome"] = {**known, "multiscales": [multiscale]}


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


def voxel_size_of(multiscale: Mapping[str, Any], level: int) -> tuple[Size | None, str]:
    """Voxel size (z, y, x) and unit of one level; None where its units do not fit."""
    by_axis, units = _scales(multiscale, level), _units(multiscale)
    steps = {axis: (by_axis[axis], units.get(axis, "")) for axis in "yx"}
    depth = by_axis.get("z")
    across = units.get("x", "")
    z = (1.0, across) if depth is None else (depth, units.get("z", ""))
    return size_in_one_unit(steps | {"z": z})


def time_of(multiscale: Mapping[str, Any], level: int) -> Time | None:
    """Time between two frames; None without a time axis."""
    step = _scales(multiscale, level).get("t", 0.0)
    if not step > 0:
        return None
    unit = short_unit(_units(multiscale).get("t", ""))
    return Time(step, "" if unit == "pixel" else unit)


def _scales(multiscale: Mapping[str, Any], level: int) -> dict[str, float]:
    """What one step along each axis of a level is."""
    axes = axes_of(multiscale)
    scale = [1.0] * len(axes)
    for place in (multiscale, multiscale["datasets"][level]):
        for transform in place.get("coordinateTransformations", ()):
            if transform["type"] == "scale":
                scale = [a * b for a, b in zip(scale, transform["scale"], strict=True)]
    return dict(zip(axes, scale, strict=True))


def _units(multiscale: Mapping[str, Any]) -> dict[str, str]:
    named = [a for a in multiscale.get("axes", ()) if isinstance(a, Mapping)]
    return {a["name"]: a["unit"] for a in named if a.get("unit")}


def _create_array(
    image: zarr.Group,
    level: int,
    *,
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: str,
    axes: Sequence[str],
    fill_value: float,
) -> Any:
    return image.create_array(
        str(level),
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        fill_value=fill_value,
        dimension_names=list(axes),
        compressors=BloscCodec(**COMPRESSION),
        overwrite=level > 0,  # a coarser one that was left half done
    )


def _dataset(
    level: int, finest: Sequence[float], factors: Sequence[int]
) -> dict[str, Any]:
    """Path and place of a level; the first voxel is centred on those that it covers."""
    scale = [size * factor for size, factor in zip(finest, factors, strict=True)]
    places: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if any(factor > 1 for factor in factors):
        pairs = zip(finest, factors, strict=True)
        shift = [size * (factor - 1) / 2 for size, factor in pairs]
        places.append({"type": "translation", "translation": shift})
    return {"path": str(level), "coordinateTransformations": places}


def _axis(axis: str, unit: str, time: Time) -> dict[str, str]:
    if axis == "c":
        return {"name": "c", "type": "channel"}
    if axis == "t":
        known = {"unit": long_unit(time.unit)} if time.unit else {}
        return {"name": "t", "type": "time", **known}
    entry = {"name": axis, "type": "space"}
    if short_unit(unit) != "pixel":
        entry["unit"] = long_unit(unit)
    return entry
