"""Units as people write them, and numbers with as many digits as matter."""

SPELLED = {"um": "µm", "micrometer": "µm", "nanometer": "nm", "angstrom": "Å"}


def shown_unit(unit: str) -> str:
    """Write a unit of length; ``"voxels"`` where the size of a voxel is not known."""
    return "voxels" if unit in ("", "pixel") else SPELLED.get(unit, unit)


def shown_number(value: float) -> str:
    """Write a number with four digits that matter, thousands parted by thin spaces."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace(",", "\u2009")
