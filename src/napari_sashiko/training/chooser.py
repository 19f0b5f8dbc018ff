"""Choices of a run, made again when its paint has changed, never back and forth."""

from napari_sashiko.labels import LabelledVoxels
from napari_sashiko.training.choices import Choices, make_choices
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.volumes import Volume

BY_ITSELF = (2, 0)  # view of a network that sees single slices


class Chooser:
    """Says how networks are to look at a volume.

    Another view costs time, and where it is blocks instead of slices all that networks
    have learned. So none is come back to, and networks that see neighbours keep them.

    Parameters
    ----------
    volume : Volume
        The image.
    settings : TrainingSettings
        What is set there is never chosen otherwise.
    device : str
        Where networks learn.
    settled : bool
        Whether the first choice is kept whatever is painted: for networks that go on
        from an earlier model.
    """

    def __init__(
        self,
        volume: Volume,
        settings: TrainingSettings,
        device: str,
        *,
        settled: bool = False,
    ) -> None:
        self.volume = volume
        self.settled = settled
        self.settings = settings
        self.device = device
        self._made: list[Choices] = []

    def choose(self, labelled: LabelledVoxels) -> Choices:
        """Choose for this paint; the same object as before where the view stays.

        Raises
        ------
        SettingsError
            As `make_choices`.
        """
        if self.settled and self._made:
            return self._made[-1]
        found = make_choices(
            self.volume,
            labelled,
            self.settings,
            self.device,
            # Paint does not change it: slices are read once.
            agreement=self._made[-1].agreement if self._made else None,
        )
        known = {each.view for each in self._made}
        if known and found.view in {*known, BY_ITSELF}:
            return self._made[-1]
        self._made.append(found)
        return found
