"""Make the pictures of docs/how-to/report.md with the real command line.

    python docs/make_report.py [FOLDER] [--epochs N] [--work FOLDER] [--window]

The fibres sample, two SMSNets beside a forest, prediction, objects with their table,
and the figures that ``sashiko report`` makes of them: written to ``FOLDER``
(``docs/images`` when left out) with few colours, so that they are small. ``--work``
keeps what was made on the way, and goes on with it the next time; the page
``report.html`` lies there too. ``--window`` takes a picture of the dock as well:

    xvfb-run -a -s "-screen 0 1700x1020x24" python docs/make_report.py --window
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from napari_sashiko.cli import main as sashiko

IMAGES = Path(__file__).parent / "images"
FIGURES = (
    *("curves", "directions", "graph", "intensities"),
    *("lengths", "reliability", "slices"),
)
COMMON, RARE = 120, 80  # colours of a picture: by their area, and all alike
WIDTH = 800  # pixels
SIZE = (1500, 900)  # of the window
SECONDS = 300  # longest wait for a figure


def main():
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    parser.add_argument("--epochs", default="10")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--window", action="store_true", help="the dock, too")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name, path in make_figures(work, options.epochs).items():
            shrink(path, options.folder / f"report-{name}.png")
        if options.window:
            picture = take_dock(work / "demo" / "image.tif", work / "dock.png")
            shrink(picture, options.folder / "report-dock.png")


def make_figures(work, epochs):
    """Run the commands of the page; return the figures by name."""
    demo, project = work / "demo", work / "demo" / "image.tif.sashiko"
    image, labels, truth = (demo / f"{n}.tif" for n in ("image", "labels", "truth"))
    model = project / "models" / "fibres.sashiko-model"
    prediction = project / "predictions" / "fibres.zarr"
    objects = project / "instances" / "fibres.zarr"
    train = ("train", image, labels, "-o", model, "--network", "smsnet")
    how = ("--members", "2", "--epochs", epochs)
    find = ("instances", prediction, "-o", objects, "--class", "fibre", "--dust", "200")
    with_truth = ("--labels", labels, "--truth", truth, "--ignore", labels)
    if not image.exists():
        run("sample", "fibres", demo)
    if not (model / "model.json").exists():
        run(*train, *how)
    run("predict", model, image, "-o", prediction)
    run(*find, "--table", objects.with_suffix(".csv"))
    run("report", project, "-o", work / "report.html", *with_truth)
    run("report", project, "--format", "png", *with_truth)
    return {name: project / "plots" / f"{name}.png" for name in FIGURES}


def take_dock(image, target):
    """Open the image and both docks; return the picture of the window."""
    # Before napari is imported: the picture shows its default settings.
    os.environ["NAPARI_CONFIG"] = ""
    os.environ.setdefault("QT_API", "pyside6")
    import napari  # noqa: PLC0415 - only here
    from qtpy.QtTest import QTest  # noqa: PLC0415

    from napari_sashiko.gui.menu import open_dock  # noqa: PLC0415

    viewer = napari.Viewer(title="napari")
    viewer.window.resize(*SIZE)
    viewer.open(str(image))
    main = open_dock(viewer)
    frame, plots = viewer.window.add_plugin_dock_widget(
        "napari-sashiko", "Sashiko plots", tabify=True
    )
    frame.raise_()
    end = time.monotonic() + SECONDS

    def wait(ready):
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError("The window did not get there in time.")
            QTest.qWait(100)

    wait(lambda: plots.form.figures.count() > 0)
    wait(lambda: main.instances.prediction is not None)
    plots.form.figures.setCurrentIndex(plots.form.figures.findData("lengths"))
    wait(lambda: plots.drawn is not None and plots.drawn.name == "lengths")
    QTest.qWait(2000)  # drawn again in the width of the dock
    wait(lambda: plots.drawn is not None)
    pixels = viewer.screenshot(canvas_only=False, flash=False)
    Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(target)
    viewer.close()
    return target


def run(*words):
    """Run a command; stop where it fails."""
    code = sashiko([str(word) for word in words])
    if code:
        sys.exit(code)


def shrink(source, target):
    """Write a picture with few colours and of the width of a page."""
    picture = Image.open(source).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Colours of small things, such as a legend, would be lost among large ones.
    pixels = np.asarray(small)
    kinds = np.unique(pixels.reshape(-1, 3) & 0xF0, axis=0)[None] + np.uint8(8)
    found = [
        *small.quantize(COMMON).getpalette()[: 3 * COMMON],
        *Image.fromarray(kinds).quantize(RARE).getpalette()[: 3 * RARE],
        *(255, 255, 255),
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette(found)
    few = small.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(target, optimize=True)


if __name__ == "__main__":
    main()
