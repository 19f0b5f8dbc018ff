"""Whether each picture of a stack is brought to one mean and contrast."""

from napari_sashiko.training.choices import slices_agree
from napari_sashiko.training.settings import TrainingSettings
from napari_sashiko.volumes import LevelledVolume, Volume

WHY = (
    "Each picture is brought to one mean and contrast: light differs from one to "
    "the other."
)
AS_SET = "Each picture is brought to one mean and contrast, as set."


def level(volume: Volume, settings: TrainingSettings) -> Volume:
    """Return what is learned from: the volume, or its pictures levelled.

    Time points stay as they are: that they become darker or fuller is what many want to
    know.

    Parameters
    ----------
    volume : Volume
        The image; a few small blocks of it are read.
    settings : TrainingSettings
        ``levelling`` overrules the rule.
    """
    wanted = settings.levelling == "yes"
    if settings.levelling == "auto" and volume.time is None:
        wanted = volume.separate or not slices_agree(volume)
    return LevelledVolume(volume) if wanted else volume


def levelling_reason(volume: Volume, settings: TrainingSettings) -> str:
    """Why pictures are levelled; empty where they are not."""
    if not volume.levelled:
        return ""
    return WHY if settings.levelling == "auto" else AS_SET
