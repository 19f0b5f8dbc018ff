"""What the scripts of the applications share: options, pictures, the page's numbers."""

import argparse
import contextlib
import os
import platform
import shutil
import tempfile
import time
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

HERE = Path(__file__).parent
BEGIN = "<!-- Numbers: written by docs/applications/{name}.py. -->\n"
END = "<!-- End of the numbers. -->"
QUICK = (
    "**Written by a quick run of tiny sizes, which shows that all of it runs. Numbers "
    "and pictures mean nothing.**"
)
WIDTH = 8.0  # inches of a figure
DPI = 120
GREY = "#666666"


class Page:
    """A page whose pictures and numbers a script writes.

    Parameters
    ----------
    name : str
        Of script and page, without suffix.
    folder : Path
        Where ``applications/NAME.md`` and ``images/`` lie.
    quick : bool
        Whether what is written means nothing; the page says so.
    """

    def __init__(self, name, folder, *, quick=False):
        self.name, self.quick = name, quick
        self.path = folder / "applications" / f"{name}.md"
        self.images = folder / "images"
        self._started = time.perf_counter()

    def draw(self, figure, name):
        """Write a figure as ``images/NAME.png``."""
        content = BytesIO()
        figure.savefig(content, format="png", dpi=DPI)
        self.keep(Image.open(content), name)

    def keep(self, picture, name):
        """Write a picture as ``images/NAME.png``, with few colours, not too wide."""
        picture.thumbnail((round(WIDTH * DPI), picture.height))
        self.images.mkdir(parents=True, exist_ok=True)
        few = picture.convert("RGB").quantize(256, kmeans=2, dither=Image.Dither.NONE)
        few.save(self.images / f"{name}.png", optimize=True)

    def fill(self, *parts):
        """Put tables and sentences between the marks of the page."""
        minutes = (time.perf_counter() - self._started) / 60
        origin = f"All of it took {minutes:.0f} minutes on {machine()}."
        origin = f"{QUICK}\n\n{origin}" if self.quick else origin
        begin = BEGIN.format(name=self.name)
        source = self.path if self.path.exists() else HERE / f"{self.name}.md"
        before, rest = source.read_text(encoding="utf-8").split(begin)
        _, after = rest.split(END)
        text = "\n".join([before + begin, *parts, origin, "", END + after])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def begin(name, doc):
    """Read the options; give the page, a folder for what is made, and ``quick``."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument(
        "--docs", type=Path, help="where applications/ and images/ are written"
    )
    parser.add_argument("--work", type=Path, help="keep what is made on the way")
    parser.add_argument(
        "--quick", action="store_true", help="everything tiny: whether it runs at all"
    )
    options = parser.parse_args()
    if options.quick and options.docs is None:
        parser.error("--quick gives no numbers for the page: say --docs FOLDER")
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)
        page = Page(name, options.docs or HERE.parent, quick=options.quick)
        yield page, work / name, options.quick


def table(heads, rows):
    """Return a Markdown table; all but the first column to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows), ""])


def panels(rows, columns, height):
    """Return a figure and its axes, ``(rows, columns)``, without ticks."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.set(xticks=[], yticks=[])
    return figure, axes


def machine():
    """Processor, cores and the libraries that did the work."""
    names = ("torch", "numba", "napari-sashiko")
    found = ", ".join(f"{name} {there}" for name in names if (there := _version(name)))
    cores = f"{os.cpu_count()} cores of {_processor()}"
    return f"{cores}, Python {platform.python_version()}, {found}"


def _version(name):
    try:
        return version(name)
    except ImportError:
        return None


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return found[0] if found else platform.machine()
