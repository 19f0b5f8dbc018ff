"""Results in words: sizes, times, names of models, counts."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

STAMP = re.compile(
    r"(?P<name>.*) (?P<day>\d{4}-\d\d-\d\d) (?P<h>\d\d)\.(?P<m>\d\d)\.\d\d"
)
UNITS = {
    "micrometer": "µm",
    "um": "µm",
    "nanometer": "nm",
    "millimeter": "mm",
    "angstrom": "Å",
}
SAME_SIZE = 0.1  # voxel sizes closer than 10 % are taken as equal


def describe_bytes(count: int) -> str:
    """Bytes as ``"2.1 GB"``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 else f"{size:.2g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def describe_time(seconds: float) -> str:
    """Seconds as ``"about 4 min"``."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def describe_estimate(estimate: Any) -> str:
    """Say what a prediction will take, in one line."""
    parts = [
        f"{describe_bytes(estimate.disk_bytes)} on disk",
        f"{describe_bytes(estimate.memory_bytes)} memory",
    ]
    if estimate.seconds is not None:
        parts.append(describe_time(estimate.seconds))
    return ", ".join(parts)


def describe_model(path: Path) -> str:
    """Name of a model and when it was trained, from its folder's name alone."""
    match = STAMP.match(path.stem)
    if match is None:
        return path.stem
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    day = "" if match["day"] == today else f"{match['day']} "
    return f"{match['name']}, {day}{match['h']}:{match['m']}"


def mismatch(card: Any, volume: Any) -> tuple[str, str]:
    """Say what does not fit between a model and a volume.

    Returns
    -------
    refusal, warning : str
        Each a sentence, or empty.
    """
    if card.channels != volume.channels:
        refusal = (
            f"This image has {_channels(volume.channels)}, the model was trained on "
            f"{card.channels}. Choose another model or image."
        )
        return refusal, ""
    known = {card.unit, volume.unit} - {"pixel", ""}
    pairs = zip(card.voxel_size, volume.voxel_size, strict=True)
    if volume.flat:
        pairs = list(pairs)[1:]
    same = all(abs(a - b) <= SAME_SIZE * abs(a) for a, b in pairs)
    if (same and card.unit == volume.unit) or not known:
        return "", ""
    return "", (
        f"The model was trained on voxels of {size_words(card.voxel_size, card.unit)}, "
        f"this image has {size_words(volume.voxel_size, volume.unit)}: objects appear "
        "at another size, check the result."
    )


def size_words(size: tuple[float, ...], unit: str) -> str:
    """Say a voxel size, e.g. ``"1.2 µm"`` or ``"4 × 1 × 1 µm"``."""
    if unit in ("", "pixel"):
        return "unknown size"
    values = [f"{value:.3g}" for value in size]
    return (
        " × ".join(values[:1] if len(set(values)) == 1 else values) + f" {short(unit)}"
    )


def short(unit: str) -> str:
    """Write a unit as people do."""
    return UNITS.get(unit, unit)


def size_unit(unit: str, *, flat: bool) -> str:
    """Unit of the sizes of objects, e.g. ``"µm³"``; ``"µm²"`` where `flat`."""
    if unit in ("", "pixel"):
        return "pixels" if flat else "voxels"
    return short(unit) + ("²" if flat else "³")


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"


def describe_number(value: float) -> str:
    """Write a number with at most four digits that matter, without an exponent.

    Thousands are parted by thin spaces; what is too small for that keeps its exponent.
    """
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-3:
        return f"{value:.3g}"
    text = f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"
    return text.replace(",", "\u2009")


def describe_going(kept: int, removed: int) -> str:
    """Say how many objects stay and how many are dust."""
    if kept + removed == 0:
        return "no objects above the threshold"
    return f"{removed} go, {kept} stay" if removed else f"{kept} objects"


def describe_found(
    count: int, removed: int, table: Any = None, unit: str = "pixel"
) -> str:
    """Say how many objects were found, and how long they are."""
    parts = [f"{count} objects" if count != 1 else "1 object"]
    if removed:
        parts.append(f"{removed} removed as dust")
    if table is not None and len(table):
        name = "voxels" if unit in ("", "pixel") else short(unit)
        parts.append(
            f"median length {describe_number(float(table['length'].median()))} {name}"
        )
        border = int(table["touches_border"].sum())
        if border:
            parts.append(f"{border} at the border")
    return ", ".join(parts)
