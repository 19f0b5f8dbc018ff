"""Every error that a user can meet: what happened, with which value, what to do."""


class SashikoError(Exception):
    """A problem that the user can mend; its text is shown as it stands.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value.
    instead : str, optional
        What to do about it. Appended to the message.
    """

    def __init__(self, what: str, instead: str = "") -> None:
        self.what = what
        self.instead = instead
        super().__init__(f"{what} {instead}".strip())


class VolumeError(SashikoError):
    """An image cannot be read or has axes that do not fit."""


class LabelError(SashikoError):
    """Labels are missing, do not fit the image, or cannot be learned from."""


class PlanError(SashikoError):
    """Window, step or border make no sense together."""


class SettingsError(SashikoError):
    """A setting has an unknown name or an impossible value."""


class ModelError(SashikoError):
    """A model folder is damaged, from a newer version, or not a model."""


class OutputError(SashikoError):
    """An output cannot be written, or belongs to other input."""


class DeviceError(SashikoError):
    """A device is not there or has no room."""


class WorkerError(SashikoError):
    """Processes that do the work died, or the scheduler that sends it went away."""


class SampleError(SashikoError):
    """A sample volume is unknown or cannot be fetched."""


class PlotError(SashikoError):
    """There is nothing from which a figure could be drawn, or it is damaged."""


class Cancelled(SashikoError):  # noqa: N818 - a request, not a failure
    """The user stopped the work; what was finished is kept."""
