"""How the image is cut for all members alike, also after a restart."""

from pathlib import Path
from typing import Any

from napari_sashiko.config import Settings
from napari_sashiko.errors import PlanError
from napari_sashiko.pipeline.measure_settings import MeasureSettings
from napari_sashiko.pipeline.one_member import OneMember
from napari_sashiko.pipeline.project import write_atomically
from napari_sashiko.prediction import Plan, make_plan, plan_from_record
from napari_sashiko.volumes import Volume

FILE = "plan.json"
SIZES = ("window", "border", "step", "border_weight")


class KeptPlan(Settings):
    """A plan, and what it was made for."""

    model_digest: str
    image_digest: str
    asked: dict[str, Any]
    plan: dict[str, Any]


def common_plan(
    member: OneMember,
    volume: Volume,
    settings: MeasureSettings,
    digests: tuple[str, str],
    folder: Path,
) -> Plan:
    """Choose windows for all members, or take those of the run before.

    What memory is free decides on windows, and with other windows nothing that was
    measured before would count.

    Parameters
    ----------
    member : OneMember
        Any of the members: their halo is that of all.
    volume : Volume
        The image.
    settings : MeasureSettings
        What the user asked for.
    digests : tuple of str
        Of model and image.
    folder : Path
        Where the plan is kept.

    Raises
    ------
    PlanError
        If window, border and step make no sense together.
    """
    model_digest, image_digest = digests
    asked = settings.model_dump(mode="json", include=set(SIZES))
    kept = _kept(folder / FILE)
    if kept is not None and (kept.model_digest, kept.image_digest) == digests:
        plan = _read(kept)
        if plan is not None and kept.asked == asked:
            return plan
    plan = make_plan(
        member, volume.shape, settings.for_prediction(), frame=volume.frame
    )
    kept = KeptPlan(
        model_digest=model_digest,
        image_digest=image_digest,
        asked=asked,
        plan=plan.record(),
    )
    write_atomically(folder / FILE, kept.model_dump_json(indent=1))
    return plan


def cut_like(settings: MeasureSettings, plan: Plan) -> MeasureSettings:
    """Settings that give this plan again, whatever memory is free by then."""
    return settings.model_copy(update={name: getattr(plan, name) for name in SIZES})


def _kept(path: Path) -> KeptPlan | None:
    try:
        return KeptPlan.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # pydantic's errors are such
        return None


def _read(kept: KeptPlan) -> Plan | None:
    try:
        return plan_from_record(kept.plan)
    except PlanError:
        return None
