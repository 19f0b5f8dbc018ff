"""The preview in words: which model made it, of what, and of how much of the view."""

from collections.abc import Sequence
from pathlib import Path

from napari_sashiko.gui.result_words import describe_model


def describe_voices(voices: Sequence[str]) -> str:
    """Say who had a say, e.g. ``"forest alone"`` or ``"forest and 4 networks"``.

    Parameters
    ----------
    voices : sequence of str
        ``"forest"`` or ``"network"`` for each member.
    """
    count = sum(voice == "network" for voice in voices)
    networks = f"{count} network{'' if count == 1 else 's'}"
    if "forest" not in voices:
        return networks
    return f"forest and {networks}" if count else "forest alone"


def describe_preview(model: Path, voices: Sequence[str], what: str = "") -> str:
    """Say which model it is, who has a say in it, and what came to it last."""
    made = describe_voices(voices)
    # What networks learn is not heard before held-out strokes say that it helps.
    unheard = "network" not in voices and what.startswith("networks")
    newest = f" ({what})" if what and what not in made and not unheard else ""
    return f"Preview by {describe_model(model)}: {made}{newest}"


def describe_cut(side: int) -> str:
    """Say that the view is larger than what is segmented at once."""
    return f". Only the middle {side} × {side} voxels of the view: zoom in for the rest"
