"""Units of length and of time: one spelling, whatever a file or a viewer calls them."""

SPELLINGS = {
    "um": ("µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"),
    "nm": ("nanometer", "nanometre"),
    "mm": ("millimeter", "millimetre"),
    "cm": ("centimeter", "centimetre"),
    "pm": ("picometer", "picometre"),
    "m": ("meter", "metre"),
    "angstrom": ("å", "Å", "a", "angstroem", "ångström", "ångstrom"),
    "s": ("second", "seconds", "sec"),
    "ms": ("millisecond", "milliseconds", "msec"),
    "us": ("microsecond", "microseconds", "usec"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "day": ("days", "d"),
    "pixel": ("", "pixels", "px", "voxel", "voxels", "none", "unknown"),
}
SHORT = {long.lower(): short for short, longs in SPELLINGS.items() for long in longs}
# UDUNITS-2 names, as OME-Zarr asks.
LONG = {
    "um": "micrometer",
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "pm": "picometer",
    "m": "meter",
    "s": "second",
    "ms": "millisecond",
    "us": "microsecond",
    "min": "minute",
    "h": "hour",
}
# Powers of ten in metres.
LENGTHS = {"m": 0, "cm": -2, "mm": -3, "um": -6, "nm": -9, "angstrom": -10, "pm": -12}


def short_unit(name: str) -> str:
    """Return the one spelling of a unit; ``"pixel"`` when unknown, others as they are.

    >>> short_unit("micrometer"), short_unit("µm"), short_unit("inch")
    ('um', 'um', 'inch')
    """
    plain = name.strip().strip("\0")
    return SHORT.get(plain.lower(), plain)


def long_unit(name: str) -> str:
    """Return the name of a unit that OME-Zarr knows.

    >>> long_unit("um")
    'micrometer'
    """
    short = short_unit(name)
    return LONG.get(short, short)


def converted(size: float, unit: str, to: str) -> float | None:
    """Return a size in another unit; None where these are not two lengths.

    >>> converted(500, "nm", "um"), converted(2, "deg", "deg"), converted(2, "s", "um")
    (0.5, 2, None)
    """
    unit, to = short_unit(unit), short_unit(to)
    if unit == to:
        return size
    if unit not in LENGTHS or to not in LENGTHS:
        return None
    power = LENGTHS[unit] - LENGTHS[to]
    # A whole divisor is exact, a negative power of ten is not.
    return float(size * 10**power if power > 0 else size / 10**-power)
