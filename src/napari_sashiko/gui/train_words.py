"""Training in words: what will be trained, how long it takes, how good it is."""

import math
from collections.abc import Mapping
from typing import Any


def describe_settings(values: Mapping[str, Any]) -> str:
    """Say what would be trained, from the values of the form."""
    network = str(values.get("network", "auto"))
    parts = ["Network chosen automatically" if network == "auto" else network]
    if "members" in values:
        parts.append(f"× {values['members']}")
    dims = values.get("dims", "auto")
    dims_text = "2D or 3D as fits" if dims == "auto" else f"{dims}D"
    device = values.get("device", "auto")
    device_text = "fastest device" if device == "auto" else str(device)
    text = f"{' '.join(parts)}, {dims_text}, {device_text}"
    minutes = values.get("minutes")
    return text if minutes is None else f"{text}, {minutes:g} min at most"


def describe_result(values: Mapping[str, float]) -> str:
    """Scores of all classes together on held-out strokes, by name."""
    f1 = values.get("macro_f1")
    if f1 is None or math.isnan(f1):
        return ""
    text = f"F1 {f1:.2f}"
    if "macro_f1_std" in values:
        text += f" ± {values['macro_f1_std']:.2f}"
    if "mean_iou" in values:
        text += f", IoU {values['mean_iou']:.2f}"
    text += " on held-out strokes"
    if "calibration_error" in values:
        text += f"; calibration error {values['calibration_error']:.2f}"
    return text


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
