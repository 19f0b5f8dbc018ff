"""Which class the objects of a prediction are of."""

from pathlib import Path

from napari_sashiko.instances._source import open_source
from napari_sashiko.instances.settings import InstanceSettings


def chosen_class(prediction: Path, settings: InstanceSettings) -> tuple[int, str]:
    """Id and name of the class of the objects; where none is set, of the second class.

    Parameters
    ----------
    prediction : Path
        Folder NAME.zarr.
    settings : InstanceSettings
        What is an object.

    Raises
    ------
    OutputError
        If it is not a prediction, is damaged, or comes from a newer version.
    SettingsError
        If there is no such class.
    """
    source = open_source(prediction, settings)
    return source.class_id, source.class_name
