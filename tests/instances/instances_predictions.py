"""Small predictions written straight to zarr, as any program could."""

import numpy as np
import zarr


def write_prediction(
    path,
    mean,
    *,
    std=None,
    boundary=None,
    chunks=(4, 5, 6),
    voxel_size=None,
    **more,
):
    """A finished prediction of classes 'rest' (1), 'fibre' (2), perhaps 'gap' (3)."""
    mean = np.asarray(mean, np.float32)
    flat = mean.ndim == 2
    shape = (1, *mean.shape) if flat else mean.shape
    gaps = [] if boundary is None else [np.asarray(boundary, np.float32)]
    all_means = np.stack([1 - mean - sum(gaps), mean, *gaps]).astype(np.float16)
    std = np.zeros_like(all_means) if std is None else np.stack([std] * len(all_means))
    names = ["rest", "fibre", "gap"][: len(all_means)]
    record = {
        "format_version": 1,
        "kind": "prediction",
        "model_digest": "model",
        "input_digest": "input",
        "plan_digest": "plan",
        "shape": list(shape),
        "voxel_size": list(voxel_size or (1.0, 1.0, 1.0)),
        "unit": "pixel",
        "flat": flat,
        "classes": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
        **more,
    }
    group = zarr.create_group(str(path), attributes={"sashiko": record}, overwrite=True)
    chunk = tuple(
        min(c, n) for c, n in zip(chunks[-mean.ndim :], mean.shape, strict=True)
    )
    for name, data in (("mean", all_means), ("std", std.astype(np.float16))):
        array = group.create_array(
            f"{name}/0", shape=data.shape, chunks=(1, *chunk), dtype="float16"
        )
        array[...] = data
    classes = (np.argmax(all_means, axis=0) + 1).astype(np.uint8)
    array = group.create_array(
        "classes/0", shape=classes.shape, chunks=chunk, dtype="uint8"
    )
    array[...] = classes
    ledger = group.create_array(
        "ledger", shape=(1, 1, 1), dtype="uint8", fill_value=255
    )
    ledger[...] = more.get("ledger", 1)
    return path
