"""The table of objects: sorted by a click, one row for each object."""

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QSizePolicy, QTableView

from napari_sashiko.gui.result_words import describe_number, short, size_unit

if TYPE_CHECKING:
    import pandas as pd

FIRST = (
    "label",
    "frame",
    "volume",
    "length",
    "voxels",
    "mean_probability",
    "mean_std",
    "touches_border",
)
HIDDEN = ("class", "unit", "bbox_")  # the same in every row, or for programs
TITLES = {
    "mean_probability": "probability",
    "mean_std": "std",
    "touches_border": "at border",
}
HEIGHT = 180


class TableModel(QAbstractTableModel):
    """A data frame as Qt sees it; sorting changes the order only.

    Parameters
    ----------
    table : DataFrame
        One row for each object, with a column ``label``.
    flat : bool
        Whether the objects are of an image, not of a volume.
    """

    def __init__(self, table: "pd.DataFrame", *, flat: bool) -> None:
        super().__init__()
        self.table = table
        self.flat = flat
        self.columns = shown_columns(list(table.columns))
        self.unit = str(table["unit"].iloc[0]) if len(table) else "pixel"
        self._values = {name: table[name].to_numpy() for name in self.columns}
        self._labels = table["label"].to_numpy()
        self._order = np.arange(len(table))

    def rowCount(self, parent: Any = None) -> int:  # noqa: N802
        """Objects."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: Any = None) -> int:  # noqa: N802
        """Measured properties that are shown."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text of a cell; numbers to the right."""
        value = self._values[self.columns[index.column()]][self._order[index.row()]]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name of a property with its unit."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        name = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            title = TITLES.get(name, name.replace("_", " "))
            title = "area" if self.flat and name == "volume" else title
            return "\n".join(filter(None, (title, self._unit_of(name))))
        if role == Qt.ItemDataRole.ToolTipRole:
            return ", ".join(filter(None, (name, self._unit_of(name))))
        return None

    def sort(
        self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder
    ) -> None:
        """Order the rows by a property; equal ones keep their order."""
        self.layoutAboutToBeChanged.emit()
        values = self._values[self.columns[column]]
        ranks = np.argsort(values, kind="stable")
        descending = order == Qt.SortOrder.DescendingOrder
        before, self._order = self._order, ranks[::-1] if descending else ranks
        # Selection and current row are kept as indexes: they move with their objects.
        rows = np.argsort(self._order)
        kept = self.persistentIndexList()
        moved = [
            self.index(int(rows[before[index.row()]]), index.column()) for index in kept
        ]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def label_at(self, row: int) -> int:
        """Label of the object in a row."""
        return int(self._labels[self._order[row]])

    def row_of(self, label: int) -> int | None:
        """Row that an object is in; None if there is no such object."""
        found = np.flatnonzero(self._labels[self._order] == label)
        return int(found[0]) if len(found) else None

    def record(self, label: int) -> dict[str, Any] | None:
        """All properties of an object."""
        found = np.flatnonzero(self._labels == label)
        return None if len(found) == 0 else self.table.iloc[int(found[0])].to_dict()

    def _unit_of(self, name: str) -> str:
        if name == "volume":
            return size_unit(self.unit, flat=self.flat)
        lengths = name == "length" or name.startswith(("centroid_", "extent_"))
        return short(self.unit) if lengths else ""


class InstanceTable(QTableView):
    """Select a row and hear which object it is.

    Emits
    -----
    picked : int
        Label of the object whose row the user selected.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("instance_table")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.verticalHeader().setVisible(False)
        self.setSortingEnabled(True)
        self._quiet = False

    @property
    def rows(self) -> TableModel | None:
        """What is shown."""
        model = self.model()
        return model if isinstance(model, TableModel) else None

    def show_table(self, table: "pd.DataFrame", *, flat: bool) -> None:
        """Show objects of an image or a volume, in the order of the table."""
        model = TableModel(table, flat=flat)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setModel(model)
        self.resizeColumnsToContents()
        self.selectionModel().selectionChanged.connect(self._on_selection)

    def clear(self) -> None:
        """Show nothing."""
        self.setModel(None)

    @property
    def selected(self) -> int:
        """Label of the selected object; 0 if none is."""
        model, selection = self.rows, self.selectionModel()
        rows = selection.selectedRows() if selection is not None else []
        return model.label_at(rows[0].row()) if model is not None and rows else 0

    def select_label(self, label: int) -> None:
        """Select and show the row of an object, without saying so."""
        model = self.rows
        row = None if model is None or label == self.selected else model.row_of(label)
        if model is None or row is None:
            return
        index = model.index(row, 0)
        self._quiet = True
        try:
            self.selectionModel().setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect
                | QItemSelectionModel.SelectionFlag.Rows,
            )
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        finally:
            self._quiet = False

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As high as six rows or so."""
        return QSize(280, HEIGHT)

    def _on_selection(self, *_: Any) -> None:
        if not self._quiet and self.selected:
            self.picked.emit(self.selected)


def shown_columns(names: list[str]) -> list[str]:
    """Order columns for reading; what only programs need is left out."""
    first = [name for name in FIRST if name in names]
    rest = [n for n in names if n not in first and not n.startswith(HIDDEN)]
    return first + rest


def cell_text(value: Any) -> str:
    """Write a value as short as it can be read."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if isinstance(value, float | np.floating):
        return describe_number(float(value))
    return str(value)
