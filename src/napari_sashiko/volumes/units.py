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
