"""What lies on the desk: the volume, its paint, its models, and the work that runs."""

from napari_sashiko.session.board import JobBoard, describe_error
from napari_sashiko.session.exploration import Exploration, explored, explorers
from napari_sashiko.session.home import project_folder, user_folder
from napari_sashiko.session.labelling import LabelDesk
from napari_sashiko.session.paint import Paint
from napari_sashiko.session.previews import PreviewDesk, PreviewReady
from napari_sashiko.session.reopening import Reopening
from napari_sashiko.session.restoration import Restoration, restored, restorers
from napari_sashiko.session.session import JobKind, Session
from napari_sashiko.session.shelf import ModelShelf
from napari_sashiko.session.steps import StepDesk
from napari_sashiko.session.suggestions import SuggestionDesk
from napari_sashiko.session.unveiling import PredictionOpened

__all__ = [
    "Exploration",
    "JobBoard",
    "JobKind",
    "LabelDesk",
    "ModelShelf",
    "Paint",
    "PredictionOpened",
    "PreviewDesk",
    "PreviewReady",
    "Reopening",
    "Restoration",
    "Session",
    "StepDesk",
    "SuggestionDesk",
    "describe_error",
    "explored",
    "explorers",
    "project_folder",
    "restored",
    "restorers",
    "user_folder",
]
