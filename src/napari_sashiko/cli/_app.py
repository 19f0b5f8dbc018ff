"""The application: commands put together, errors turned into one line."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from napari_sashiko.cli import (
    INTERRUPTED,
    apply,
    embed,
    evaluate,
    explore,
    export,
    info,
    instances,
    measure,
    mend,
    predict,
    reconstruct,
    report,
    restore,
    sample,
    sets,
    train,
    train_reconstruct,
)
from napari_sashiko.errors import Cancelled, SashikoError

BAD_INPUT = 2
STOPPED = "Stopped: what was finished is kept."
# typer brings its own click in new versions; this is its ancestor of usage errors.
UsageProblem = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="sashiko",
    help="Few strokes, whole volume: train on sparse labels, segment, measure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    *(sample, train, restore, predict, apply, instances),
    *(explore, embed, train_reconstruct, reconstruct),
    *(measure, sets, evaluate, report, export, info, mend),
)
for command in COMMANDS:
    command.add_to(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.

    Returns
    -------
    int
        Exit code: 0, 2 for bad input, 130 when interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _terminated_like_interrupted():
            code = app(words, prog_name="sashiko", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort, Cancelled):
        return _fail(STOPPED, INTERRUPTED)
    except SashikoError as error:
        return _fail(str(error), BAD_INPUT)
    except UsageProblem as error:  # type: ignore[misc]
        return _fail(error.format_message(), BAD_INPUT)
    except OSError as error:
        return _fail(_plain(error), BAD_INPUT)
    if code == INTERRUPTED:  # some versions of typer turn Ctrl-C into a result
        return _fail(STOPPED, INTERRUPTED)
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which clusters send when time is up, stop work as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return

    def stop(_number: int, _frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(text: str, code: int) -> int:
    line = " ".join(text.split())
    if line:  # no arguments at all: the help was shown instead
        sys.stderr.write(f"sashiko: {line}\n")
    return code


def _plain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."
