"""Two ways to do the same work, timed in turns, and what is noted of them.

Strategy: contenders alternate, so that a busy machine slows both; what counts is the
median of the ratios of neighbours, not of seconds. Memory is the peak of a fresh
process that does the work once. Each script of this folder is one row of the table: it
writes ``results/NAME.json``, and `table.py` turns all of them into one page.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
RESULTS = HERE / "results"
LIBRARIES = (
    "torch",
    "numpy",
    "zarr",
    "numba",
    "connected-components-3d",
    "distributed",
)
PUBLISHED = ("dlsia", "qlty", "dask-image", "scikit-image", "scikit-learn")
MEBI = 1 << 20


@dataclass
class Row:
    """One line of the table.

    Parameters
    ----------
    item : str
        What was done, in words, with its size.
    ours, theirs : float
        Median seconds; `theirs` is None where there is nobody to compare with.
    ratio : float
        Median over turns of theirs / ours.
    low, high : float
        Least and largest of these ratios.
    opponent : str
        Who `theirs` is, in words.
    target : str
        What was wanted, as in "6x".
    turns : int
        How often each contender ran, after one that warms up.
    ours_mib, theirs_mib : float
        Peak of resident memory, MiB; None where it was not asked.
    growth : dict
        Seconds by amount of work, for `growth_text`.
    note : str
        One sentence: where the limit is, what is compared.
    """

    item: str
    ours: float
    theirs: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    opponent: str = ""
    target: str = ""
    turns: int = 1
    ours_mib: float | None = None
    theirs_mib: float | None = None
    growth: dict = field(default_factory=dict)
    note: str = ""


def paired(item, ours, theirs=None, *, turns=5, warm=True, **words):
    """Run two callables in turns and return a `Row`."""
    contenders = [ours] if theirs is None else [ours, theirs]
    if warm:
        for contender in contenders:
            contender()
    seconds = [[], []]
    for turn in range(turns):
        order = list(enumerate(contenders))
        for place, contender in order if turn % 2 else order[::-1]:
            seconds[place].append(timed(contender))
    row = Row(item, median(seconds[0]), turns=turns, **words)
    if theirs is not None:
        ratios = [b / a for a, b in zip(*seconds, strict=True)]
        row.theirs, row.ratio = median(seconds[1]), median(ratios)
        row.low, row.high = min(ratios), max(ratios)
    return row


def timed(function):
    """Seconds of one call."""
    gc.collect()
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def growth(sizes, make, *, turns=3):
    """Median seconds by size; `make(size)` prepares and returns what is timed."""
    found = {}
    for size in sizes:
        work = make(size)
        work()
        found[str(size)] = median(timed(work) for _ in range(turns))
    return found


def growth_text(seconds):
    """How time grows when work doubles: the factor from each size to the next."""
    values = list(seconds.values())
    steps = [f"{b / a:.2f}" for a, b in pairwise(values)]
    return f"{', '.join(seconds)}: x {', x '.join(steps)}" if steps else ""


def peak_mib(script, *args):
    """Peak of resident memory of ``python script args``, MiB; None on Windows."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = {[str(script), *map(str, args)]!r}\n"
        f"sys.path[:0] = {[str(Path(script).parent), str(HERE)]!r}\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
        "import paired\n"
        "print('PEAK', paired.own_peak_mib())\n"
    )
    if platform.system() == "Windows":
        return None
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return float(done.stdout.rsplit("PEAK", 1)[1])


def own_peak_mib():
    """Peak of resident memory of this process, MiB."""
    try:
        # Not getrusage: a child starts with what its parent had when it forked.
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        import resource  # noqa: PLC0415 - not on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBI
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024


def save(name, *rows):
    """Write the rows of one script, with the machine they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "rows": [asdict(row) for row in rows],
    }
    text = json.dumps(record, indent=2)
    (RESULTS / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    for row in rows:
        print(line(row), flush=True)


def line(row):
    """Put one row into words, for a terminal."""
    parts = [f"{row.item}: {row.ours:.3g} s"]
    if row.ratio is not None:
        parts.append(f"{row.opponent} {row.theirs:.3g} s")
        parts.append(f"{row.ratio:.2f}x ({row.low:.2f} to {row.high:.2f})")
    if row.ours_mib is not None:
        parts.append(f"{row.ours_mib:.0f} MiB")
    if row.theirs_mib is not None:
        parts.append(f"theirs {row.theirs_mib:.0f} MiB")
    if row.growth:
        parts.append(f"growth {growth_text(row.growth)}")
    return ", ".join(parts)


def machine(device="cpu"):
    """Name processor or GPU, cores, and the libraries that did the work."""
    import torch  # noqa: PLC0415

    names = [f"{os.cpu_count()} x {processor()}"]
    if device.startswith("cuda"):
        names.insert(0, torch.cuda.get_device_name(device))
    libraries = [
        f"{name} {there}" for name in (*LIBRARIES, *PUBLISHED) if (there := of(name))
    ]
    return ", ".join([*names, f"Python {platform.python_version()}", *libraries])


def of(library):
    """Version of a library, or None."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def processor():
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    found = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return found[0] if found else platform.processor()


def arguments(description):
    """Options that all scripts share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5, help="runs of each contender")
    parser.add_argument("--quick", action="store_true", help="small, to try it out")
    return parser
