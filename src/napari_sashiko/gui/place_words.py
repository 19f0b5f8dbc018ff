"""Places in words: what it hesitates between, what it takes the paint for."""

from collections.abc import Mapping
from typing import Any

TITLES = {"unsure": "Unsure", "disagrees": "Disagrees with your paint"}
TIPS = {
    "unsure": "Where members disagree about something that is seen, most of all first",
    "disagrees": "Strokes that look like another class to the model, or to a forest "
    "that knows the other strokes only; the surest first",
}


def describe_place(place: Any, names: Mapping[int, str]) -> str:
    """Say what is odd about a place, e.g. ``"matrix or fibre? std 0.31"``."""
    first, second = (names.get(each, f"class {each}") for each in place.classes)
    if place.kind == "disagrees":
        return f"painted {first}, called {second} ({place.probability:.2f})"
    if place.std > 0:
        return f"{first} or {second}? std {place.std:.2f}"
    return f"{first} ({place.probability:.2f}) or {second}?"


def describe_found(found: Any) -> str:
    """Say how many places there are, and where nobody has looked."""
    count = len(found.places)
    if count:
        return f"{count} place{'s' if count > 1 else ''} by the newest model."
    if found.blocks < found.total:
        return f"Nothing found in {found.blocks} of {found.total} blocks."
    return "Nowhere is it unsure."


def describe_list(kind: str, count: int) -> str:
    """Title of a list, with its length."""
    return f"{TITLES[kind]} ({count})"
