"""Which devices are there, which to take, and whether one ran out of memory."""

import gc
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

import psutil

from napari_sashiko.errors import DeviceError

if TYPE_CHECKING:  # torch takes seconds to load: only who asks for a device pays
    import torch

Told = TypeVar("Told")
Result = TypeVar("Result")

GIGABYTE = 1e9  # bytes
OUT_OF_MEMORY_PHRASES = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "cuda error: memory allocation",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
    "unable to allocate",
    "invalid buffer size",  # more than Metal gives to one tensor
    "unable to find an engine",  # cuDNN, without room for its workspace
    "unable to find a valid cudnn algorithm",
    "canuse32bitindexmath",  # more values than some operations can count
)
_METAL = RLock()


def available_devices() -> list[str]:
    """Names of the devices of this machine, fastest first; ``"cpu"`` is last.

    Returns
    -------
    list of str
        For example ``["cuda:0", "cuda:1", "cpu"]``.
    """
    import torch  # noqa: PLC0415

    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]


def choose_device(name: str = "auto") -> "torch.device":
    """Return the device called `name`; ``"auto"`` is the fastest that is there.

    Parameters
    ----------
    name : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:0"`` or ``"mps"``.

    Raises
    ------
    DeviceError
        If there is no such device; the message names the ones that are there.
    """
    import torch  # noqa: PLC0415

    there = available_devices()
    wanted = {"auto": there[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in there:
        known = ", ".join(["auto", *there])
        raise DeviceError(
            f"There is no device {name!r} here.", f"Choose from: {known}."
        )
    return torch.device(wanted)


def has_fast_bfloat16(device: "torch.device") -> bool:
    """Whether `device` computes faster with numbers of 16 bits (8 of them mantissa)."""
    import torch  # noqa: PLC0415

    if device.type == "cuda":
        with torch.cuda.device(device):  # another one may be older
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX512":
        return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        phrase in text for phrase in OUT_OF_MEMORY_PHRASES
    )


def free_memory(device: str) -> int:
    """Bytes that are free on `device`: of the machine where it has none of its own.

    What torch has kept of work that is done counts: it is given to whoever asks next.

    Parameters
    ----------
    device : str
        A name out of ``available_devices``.
    """
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415

        place = torch.device(device)
        kept = torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
        return int(torch.cuda.mem_get_info(place)[0]) + max(0, kept)
    return int(psutil.virtual_memory().available)


def check_memory(needed: int, device: str, what: str, instead: str) -> None:
    """Refuse what does not fit into memory, before any of it is asked for.

    Parameters
    ----------
    needed : int
        Bytes.
    device : str
        A name out of ``available_devices``.
    what, instead : str
        What needs them, and what to do about it.

    Raises
    ------
    DeviceError
        If fewer bytes are free.
    """
    free = free_memory(device)
    if needed > free:
        raise DeviceError(
            f"{what} takes {needed / GIGABYTE:.3g} GB of memory, "
            f"{free / GIGABYTE:.3g} GB are free on {device}.",
            instead,
        )


def release_memory() -> None:
    """Give cached but unused device memory back, after it ran out."""
    import torch  # noqa: PLC0415

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        with _METAL:
            torch.mps.empty_cache()


def turn(device: "torch.device") -> AbstractContextManager[object]:
    """Let threads compute on `device` one at a time, where it cannot bear several.

    Metal ends the process when two threads compute at once
    (github.com/pytorch/pytorch/issues/197805).
    """
    return _METAL if device.type == "mps" else nullcontext()


def in_turns(
    work: Generator[Told, None, Result], device: "torch.device"
) -> Generator[Told, None, Result]:
    """Go on with `work` in turns with other threads, where `turn` makes any."""
    try:
        while True:
            with turn(device):
                try:
                    told = next(work)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
            yield told
    finally:
        work.close()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads for each operation, and restore what was set.

    Many small operations are best done by one: on a busy machine, threads that wait for
    each other after every operation make them many times slower.
    """
    import torch  # noqa: PLC0415

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
