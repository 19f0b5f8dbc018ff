"""Models put together of members that were trained alone, with weights of our own."""

import dataclasses

import numpy as np
import pandas as pd
import zarr
from safetensors.numpy import load_file

import napari_sashiko as ns
from napari_sashiko.checkpoints import load_card, save_model
from napari_sashiko.pipeline import MeasureSettings, as_volume, measure_steps

VOXEL_SIZE = (2.0, 1.5, 1.5)
VOXEL = 4.5
CUT = {"window": (10, 24, 24), "border": (0, 4, 4), "device": "cpu"}
WHOLE = {"window": (10, 40, 40), "border": (0, 0, 0), "device": "cpu"}
FIBRES = {"label_class": "fibre", "dust": "5", **CUT}


def put_together(out, members, weights):
    """Write a model of these (folder, place) with these weights."""
    cards = [load_card(folder) for folder, _ in members]
    entries = [card.members[n] for card, (_, n) in zip(cards, members, strict=True)]
    tensors = [
        load_file(folder / entry.file)
        for (folder, _), entry in zip(members, entries, strict=True)
    ]
    weighted = tuple(
        entry.model_copy(update={"weight": weight})
        for entry, weight in zip(entries, weights, strict=True)
    )
    # One correction for all: it belongs to the model, not to its members.
    same = {"correction": (1.2, 0.8), "temperature": 0.8}
    card = cards[0].model_copy(update={"members": weighted, **same})
    save_model(out, card, tensors)
    return out


def volume_of(image):
    """The image with voxels of 2 x 1.5 x 1.5 um."""
    size = VOXEL_SIZE[-image.ndim :]
    return as_volume(image, voxel_size=size, unit="um", name="bars")


def steps(model, image, out, **settings):
    """Measure fibres, step by step."""
    chosen = MeasureSettings(**FIBRES | settings)
    return measure_steps(model, volume_of(image), out, chosen)


def measured(model, image, out, **settings):
    """Measure fibres; returns the numbers and all events."""
    events = []
    chosen = FIBRES | settings
    found = ns.measure(model, volume_of(image), out, report=events.append, **chosen)
    return found, events


def plain(numbers):
    """Numbers of members without the time that they took."""
    return [each.model_copy(update={"seconds": 0.0}) for each in numbers.members]


def by_hand(model, image, folder, dust="5"):
    """What one model says, from its prediction and table: shares, count, sizes."""
    name = model.stem
    ns.predict(model, volume_of(image), folder / f"{name}.zarr", **WHOLE)
    ns.segment_instances(
        folder / f"{name}.zarr",
        folder / f"{name}-objects.zarr",
        table=folder / f"{name}.csv",
        label_class="fibre",
        dust=dust,
    )
    group = zarr.open_group(str(folder / f"{name}.zarr"), mode="r")
    table = pd.read_csv(folder / f"{name}.csv")
    return {
        "fraction": float((np.asarray(group["classes/0"]) == 2).mean()),
        "probable": float(np.asarray(group["mean/0"])[1].astype(float).mean()),
        "count": len(table),
        "length": float(table["length"].median()),
        "volume": float(table["volume"].mean()),
    }


def weighted(values, weights):
    """Weighted mean and population standard deviation."""
    mean = np.average(values, weights=weights)
    variance = np.average((np.array(values) - mean) ** 2, weights=weights)
    return mean, np.sqrt(variance)


def is_of(event, name):
    """Whether an event is of a class of this name."""
    return type(event).__name__ == name and dataclasses.is_dataclass(event)
