"""The command line: one file per command, progress on stderr, results on stdout."""

from napari_sashiko.cli._app import app, main

__all__ = ["app", "main"]
