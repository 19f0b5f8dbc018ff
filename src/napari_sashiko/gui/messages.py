"""What goes wrong is one sentence in the dock and a notification, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari.utils.notifications import show_error, show_info, show_warning
from psygnal import EmitLoopError

from napari_sashiko.errors import SashikoError
from napari_sashiko.session import Session, describe_error

SHOW = {"info": show_info, "warning": show_warning, "error": show_error}


@contextmanager
def telling(session: Session) -> Iterator[None]:
    """Turn what the user can mend into a message; let defects through.

    A slot body goes inside: ``with telling(self.session): ...``.
    """
    try:
        yield
    except (SashikoError, OSError, MemoryError) as error:
        session.message.emit(describe_error(error), "error")
    except EmitLoopError as error:  # raised by whoever listens to a signal
        cause = error.__cause__
        if not isinstance(cause, SashikoError | OSError | MemoryError):
            raise
        session.message.emit(describe_error(cause), "error")


def notify(text: str, level: str) -> None:
    """Show a sentence as a napari notification; safe from any thread."""
    SHOW.get(level, show_info)(text)
