"""Ways to turn training patches that leave a texture what it is."""

# Names of transforms, and what they do in words.
SYMMETRIES = {
    "yes": (("flips", "rotations"), "flipped and turned"),
    "no": (("flips",), "flipped, not turned"),
    "half_turns": (("half_turns",), "turned upside down, not flipped"),
}


def symmetry_transforms(rotations: str) -> tuple[str, ...]:
    """Names of the transforms for a setting; "auto" begins as "yes"."""
    return _of(rotations)[0]


def symmetry_words(rotations: str) -> str:
    """What happens to patches, to follow "are"."""
    return _of(rotations)[1]


def _of(rotations: str) -> tuple[tuple[str, ...], str]:
    return SYMMETRIES["yes" if rotations == "auto" else rotations]
