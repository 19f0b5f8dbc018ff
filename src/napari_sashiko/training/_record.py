"""What every model says of how it came about."""

import math
from importlib.metadata import version

from napari_sashiko.training.network_desk import NetworkDesk

LIBRARIES = ("napari-sashiko", "torch", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of what decides the result."""
    return {name: version(name) for name in LIBRARIES}


def history_of(member: NetworkDesk) -> list[dict[str, float | None]]:
    """Scores by epoch; JSON has no NaN."""
    return [
        {key: v if math.isfinite(v) else None for key, v in epoch.items()}
        for epoch in list(member.outcome.history)
    ]
