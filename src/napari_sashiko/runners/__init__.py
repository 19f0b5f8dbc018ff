"""Where work runs: events, jobs, devices, and the order in which tasks are done."""

from napari_sashiko.runners._cluster import check_not_cancelled
from napari_sashiko.runners.aside import aside
from napari_sashiko.runners.devices import (
    available_devices,
    check_memory,
    choose_device,
    free_memory,
    has_fast_bfloat16,
    in_turns,
    is_out_of_memory,
    release_memory,
    torch_threads,
    turn,
)
from napari_sashiko.runners.events import Event, Message, Progress, Tick
from napari_sashiko.runners.interruption import (
    Interrupt,
    interrupt,
    interruptible,
)
from napari_sashiko.runners.job import Job, JobState, JobStatus, stop_if_asked
from napari_sashiko.runners.runner import (
    RUNNERS,
    Results,
    Run,
    RunnerName,
    in_order,
    open_runner,
)
from napari_sashiko.runners.settings import (
    RunnerSettings,
    open_place,
    threads_each,
    workers_of,
)

__all__ = [
    "RUNNERS",
    "Event",
    "Interrupt",
    "Job",
    "JobState",
    "JobStatus",
    "Message",
    "Progress",
    "Results",
    "Run",
    "RunnerName",
    "RunnerSettings",
    "Tick",
    "aside",
    "available_devices",
    "check_memory",
    "check_not_cancelled",
    "choose_device",
    "free_memory",
    "has_fast_bfloat16",
    "in_order",
    "in_turns",
    "interrupt",
    "interruptible",
    "is_out_of_memory",
    "open_place",
    "open_runner",
    "release_memory",
    "stop_if_asked",
    "threads_each",
    "torch_threads",
    "turn",
    "workers_of",
]
