"""Do all set-up and run the product: `python3 run.py demo` or `python3 run.py test`.

Needs Python 3.11 and nothing else. Strategy: make a virtual environment beside this
file, install torch (the CPU build without a GPU) before everything that needs it, then
the package with napari; install the few system libraries that Qt needs where that is
allowed and name them where it is not. A stamp keyed by what was asked for makes every
further call start at once.
"""

import argparse
import ctypes.util
import hashlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit(f"Python {sys.version.split()[0]} is too old: take 3.11 or newer.")

ROOT = Path(__file__).resolve().parent
OUT = ROOT / "out"
LINUX = sys.platform == "linux"
# Slow, and alike everywhere.
ONCE = ("tests/benchmarks", "tests/docs", "tests/journeys", "tests/samples")
# By contract these rooms know of nothing that an environment may lack; what they do
# runs there all the same, below the command line and the pipeline.
PURE = ("tests/instances", "tests/labels", "tests/losses", "tests/measurements")
PURE += ("tests/metrics", "tests/networks", "tests/patches", "tests/plots")
PURE += ("tests/training", "tests/transforms")
GUI_TESTS = "tests/gui"
# Where Debian and Ubuntu keep what Qt, OpenGL and a virtual screen need.
LIBRARIES = (
    *("libglib2.0-0", "libegl1", "libgl1", "libdbus-1-3", "libfontconfig1"),
    *("libxkbcommon0", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4"),
    *("libxcb-keysyms1", "libxcb-shape0", "xvfb", "xauth"),
)
WIDE = ("-o", "xvfb_width=1920", "-o", "xvfb_height=1080", "-o", "xvfb_colordepth=24")
LONGEST = 30  # minutes for a step of the tests: what hangs must be told, too
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24"]
# kind of environment -> (extras, dependency group)
KINDS = {
    "pyside6": ("all,dask,formats", "dev"),
    "pyqt6": ("pyqt6,dask,formats", "test"),
    "engine": ("dask,formats", "engine-test"),
}


class SetupError(Exception):
    """Something that the user must do first, in one line."""


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, prepare the environment, run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="train, predict, find instances, show them")
    test = commands.add_parser("test", help="all tests, types, lint and contracts")
    test.add_argument(
        "--kind",
        choices=KINDS,
        default="pyside6",
        help="pyside6: everything; pyqt6: the window with the other Qt; "
        "engine: all that must work with neither Qt nor napari",
    )
    options, rest = parser.parse_known_args(arguments)
    try:
        if options.command == "demo":
            return demo(prepare("pyside6"))
        return check(prepare(options.kind), options.kind, rest)
    except SetupError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130


def demo(python: Path) -> int:
    """Sample, train, predict, instances with the real command line, then the window."""
    work = OUT / "demo"
    shutil.rmtree(work, ignore_errors=True)
    sashiko = str(python.parent / "sashiko")
    image, labels = work / "image.tif", work / "labels.tif"
    project = work / "image.tif.sashiko"  # where the dock looks for this image
    model = project / "models" / "fibres.sashiko-model"
    mean = project / "predictions" / "fibres.zarr"
    found, table = project / "instances" / "fibres.zarr", work / "fibres.csv"
    steps = [
        ["sample", "fibres", work],
        ["train", image, labels, "-o", model, "--minutes", "2"],
        ["predict", model, image, "-o", mean],
        ["evaluate", mean, work / "truth.tif"],
        ["instances", mean, "-o", found, "--class", "fibre", "--table", table],
    ]
    for step in steps:
        words = [str(part) for part in step]
        say("sashiko " + " ".join(words))
        code = run([sashiko, *words])
        if code:
            return code
    picture = OUT / "demo.png"
    window = [str(python), "examples/demo_window.py", str(work), str(picture)]
    code = run([*on_screen(), *window, *(["--stay"] if has_screen() else [])])
    if not code:
        say(f"Picture of the window: {picture}; all results: {work}")
    return code


def check(python: Path, kind: str, rest: Sequence[str]) -> int:
    """Run what the kind of environment can run; any failure is the exit code."""
    failed = []
    # Tests run side by side: threads of each would only be in the other's way.
    variables = {"OMP_NUM_THREADS": "1"}
    if kind != "engine":
        variables |= {"QT_API": kind, "PYTEST_QT_API": kind}
    for step in checks(python, kind, rest):
        say(" ".join(step))
        if run(step, minutes=LONGEST, **variables):
            failed.append(" ".join(step))
    for line in failed:
        say(f"FAILED: {line}")
    return 1 if failed else 0


def checks(python: Path, kind: str, rest: Sequence[str]) -> list[list[str]]:
    """Name the commands that check an environment of this kind."""
    module = [str(python), "-m"]
    # Files stay together: what they train once serves all their tests.
    # One that crashes its process is told, and not tried many times.
    side_by_side = ["-n", "2", "--dist", "loadfile", "--max-worker-restart", "2"]
    # What the slow ones start is the same without a window, and was started before.
    left_out = [GUI_TESTS, *((*ONCE, *PURE) if kind == "engine" else ())]
    ignored = [f"--ignore={folder}" for folder in left_out]
    # Nothing there may need a screen.
    engine = [*module, "pytest", "-p", "no:xvfb", *ignored, *side_by_side, *rest]
    if kind == "engine":
        return [engine]
    # Each process has a screen of its own, so that no window takes another's focus.
    window = [*on_screen(), *module, "pytest", GUI_TESTS, *side_by_side]
    window += [*(WIDE if LINUX else ()), *rest]
    if kind == "pyqt6":
        return [window]
    linters = [
        [*module, "ruff", "check"],
        [*module, "ruff", "format", "--check"],
        [str(python.parent / "lint-imports")],
        [*module, "mypy"],
    ]
    return [*linters, engine, window]


def prepare(kind: str) -> Path:
    """Make or reuse the environment of a kind; return its Python."""
    if LINUX:
        install_libraries(LIBRARIES if kind != "engine" else [])
    folder = ROOT / (".venv" if kind == "pyside6" else f".venv-{kind}")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    extras, group = KINDS[kind]
    stamp, key = folder / "ready", digest(extras, group)
    if stamp.exists() and stamp.read_text() == key and python.exists():
        return python
    say(f"Setting up {folder.name} (once, some minutes) ...")
    if not (python.exists() and run([str(python), "-m", "pip", "--version"]) == 0):
        venv.create(folder, clear=True, with_pip=True)
    install_torch(python)
    wanted = requirements(group)
    pip(python, "-c", "constraints.txt", "-e", f".[{extras}]", *wanted)
    stamp.write_text(key)
    return python


def digest(*parts: str) -> str:
    """Name what an environment was made from and where."""
    files = [
        (ROOT / name).read_text() for name in ("pyproject.toml", "constraints.txt")
    ]
    text = "\n".join([*parts, *files, str(ROOT), platform.python_version()])
    return hashlib.sha256(text.encode()).hexdigest()


def requirements(group: str) -> list[str]:
    """Read a dependency group (PEP 735), which an older pip cannot."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    found = []
    for entry in groups[group]:
        more = (
            requirements(entry["include-group"]) if isinstance(entry, dict) else [entry]
        )
        found.extend(more)
    return found


def install_torch(python: Path) -> None:
    """Install torch first, so that nothing else chooses its build."""
    pinned = (ROOT / "constraints.txt").read_text().splitlines()[-1]
    if LINUX and platform.machine() == "x86_64" and not has_gpu():
        if pip(python, f"{pinned}+cpu", tries=1, needed=False, hush=True):
            return
        say("Asking PyTorch's own index for the CPU build.")
        uv = [str(python), "-m", "uv", "pip", "install", "--python", str(python)]
        if pip(python, "uv", needed=False) and not run(
            [*uv, "--torch-backend=cpu", pinned], UV_HTTP_TIMEOUT="120"
        ):
            return
        say("No CPU build found: taking the default one, which is large.")
    pip(python, pinned)


def pip(
    python: Path, *what: str, tries: int = 3, needed: bool = True, hush: bool = False
) -> bool:
    """Install with pip, again where the network stumbled; `hush` hides its errors."""
    command = [str(python), "-m", "pip", "install", "--prefer-binary", *what]
    for _ in range(tries):
        settings = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "10"}
        if not run(command, hush=hush, **settings):
            return True
    if needed:
        raise SetupError("Installing failed: " + " ".join(command))
    return False


def install_libraries(libraries: Sequence[str]) -> None:
    """Install missing Debian packages as root; otherwise name them in one line."""
    wanted = list(libraries)
    if importlib.util.find_spec("ensurepip") is None:
        wanted.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if not shutil.which("apt-get"):
        missing = [
            n for n in ("EGL", "GL", "xkbcommon") if not ctypes.util.find_library(n)
        ]
        if libraries and missing:
            say(f"Qt may miss these system libraries: {', '.join(missing)}.")
        return
    missing = [name for name in wanted if not installed(name)]
    if not missing:
        return
    line = "apt-get install -y --no-install-recommends " + " ".join(missing)
    if os.geteuid() != 0:
        say(f"Missing system libraries; if something fails, run: sudo {line}")
        return
    say(line)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    command = [*line.split(), "-qq"]
    if run(command, **quiet):
        run(["apt-get", "update", "-qq"], **quiet)
        if run(command, **quiet):
            say(f"Could not install system libraries; by hand: {line}")


def installed(package: str) -> bool:
    """Whether Debian has the package, under its older or its 64-bit-time name."""
    query = ["dpkg-query", "-W", "-f=${db:Status-Status}"]
    for name in (package, f"{package}t64"):
        answer = subprocess.run(
            [*query, name], capture_output=True, text=True, check=False
        )
        if answer.stdout.strip() == "installed":
            return True
    return False


def has_gpu() -> bool:
    """Whether an NVIDIA GPU answers."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    answer = subprocess.run([tool, "-L"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and "GPU" in answer.stdout


def has_screen() -> bool:
    """Whether a person can see a window here."""
    if os.environ.get("CI"):
        return False
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(named) or not LINUX


def on_screen() -> list[str]:
    """Prefix of a command that opens windows: a virtual screen where there is none."""
    if not LINUX or has_screen():
        return []
    if not shutil.which("xvfb-run"):
        raise SetupError("No screen and no xvfb-run: install the package `xvfb` first.")
    return SCREEN


def run(
    command: Sequence[str],
    *,
    hush: bool = False,
    minutes: float | None = None,
    **variables: str,
) -> int:
    """Run in the repository's root; return the exit code, 124 if it took too long."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stderr=subprocess.DEVNULL if hush else None,
        start_new_session=os.name != "nt",
    )
    try:
        return process.wait(None if minutes is None else 60 * minutes)
    except subprocess.TimeoutExpired:
        say(f"Not done after {minutes:g} minutes, and ended.")
        return 124
    finally:
        if process.poll() is None:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a command with all that it started."""
    if os.name == "nt":
        tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(tree, capture_output=True, check=False)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def say(line: str) -> None:
    """Tell the user what happens now."""
    sys.stdout.write(f"[sashiko] {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
