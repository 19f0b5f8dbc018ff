"""What goes wrong is one sentence in the dock and a notification, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari.utils.notifications import show_error, show_info, show_warning

from napari_sashiko.errors import SashikoError
from napari_sashiko.session import Session

SHOW = {"info": show_info, "warning": show_warning, "error": show_error}


@contextmanager
def telling(session: Session) -> Iterator[None]:
    """Turn what the user can mend into a message; let defects through.

    A slot body goes inside: ``with telling(self.session): ...``.
    """
    try:
        yield
    except SashikoError as error:
        session.message.emit(str(error), "error")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        why = error.strerror or str(error)
        session.message.emit(f"A file could not be used: {why}{where}.", "error")
    except MemoryError:
        session.message.emit("There is not enough memory for this step.", "error")


def notify(text: str, level: str) -> None:
    """Show a sentence as a napari notification; safe from any thread."""
    SHOW.get(level, show_info)(text)
