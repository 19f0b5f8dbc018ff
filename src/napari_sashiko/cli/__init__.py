"""The command line: one file per command, progress on stderr, results on stdout."""

from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; Ctrl-C ends it quietly, also while it is being loaded.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.

    Returns
    -------
    int
        Exit code: 0, 2 for bad input, 130 when interrupted.
    """
    try:
        # Takes a second: until then, an impatient Ctrl-C would show a traceback.
        from napari_sashiko.cli._app import run  # noqa: PLC0415

        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
