"""One network of a run, from its making to its last epoch."""

from dataclasses import dataclass, field

from napari_sashiko.networks import Network
from napari_sashiko.training.outcome import Outcome


@dataclass
class NetworkDesk:
    """One network in training: how it was made, how far it is."""

    network: Network
    ids: tuple[int, ...]  # classes of its outputs
    neighbours: int = 0  # slices on either side that it sees as channels
    fraction: float = 0.0  # of its training that is done, or was before it began
    outcome: Outcome = field(default_factory=Outcome)
