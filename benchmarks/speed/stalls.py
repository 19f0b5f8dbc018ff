"""How long the window does not answer while it trains and predicts.

    xvfb-run -a python benchmarks/speed/stalls.py

Runs the journey of `tests/gui/test_gui_stalls.py`, real buttons and the real engine,
and notes the gaps between the beats of a 20 ms timer in the event loop.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from paired import Row, arguments, save

CLOCK = "Gaps by the clock, on a 20 ms timer."
ADDING = " Nearly all of it is napari adding a layer."
JOURNEY = (
    ("training", "while it trains", "below 0.1 s", ""),
    ("predicting", "while it segments", "below 0.1 s", ""),
    ("starting", "at the click on Train", "", ADDING),
    ("opening", "at the click on Segment", "", ADDING),
)
TEST = Path(__file__).parents[2] / "tests" / "gui" / "test_gui_stalls.py"


def measured():
    """Properties that the test recorded: numbers and words by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            str(TEST),
            "-ojunit_family=xunit1",
        ]
        subprocess.run([*command, f"--junitxml={report}"], check=False)
        found = ET.parse(report).getroot().iter("property")
        return {each.get("name"): each.get("value") for each in found}


def main():
    """Measure and save."""
    arguments(__doc__).parse_args()
    found = measured()
    rows = [
        Row(
            f"longest stall of the window {what}",
            float(found[f"{name} longest"]) / 1000,
            target=target,
            note=f"{found[f'{name} words']}. {CLOCK}{more}",
        )
        for name, what, target, more in JOURNEY
    ]
    save("stalls", *rows)


if __name__ == "__main__":
    main()
