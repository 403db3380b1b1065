"""Rows of profiles as JSON, for actions and attributes."""

from collections.abc import Callable, Sequence
from typing import Any

from .dlms import AttributeDescriptor, ProfileRow, ProfileRows
from .plain_data import plain


def column_names(rows: ProfileRows) -> list[str]:
    """Return what each column is called: its OBIS code; where two share it, class and attribute too."""
    names = [str(column.capture_object.logical_name) for column in rows.columns]
    return [
        name if names.count(name) == 1 else str(column.capture_object)
        for name, column in zip(names, rows.columns, strict=True)
    ]


def columns_json(
    rows: ProfileRows, is_wanted: Callable[[AttributeDescriptor], bool]
) -> list[dict[str, Any]]:
    """Return what the wanted columns hold."""
    return [
        {
            "name": name,
            "obis": str(captured.logical_name),
            "class_id": captured.class_id,
            "attribute": captured.attribute_id,
            "unit": column.symbol or None,
        }
        for name, column in zip(column_names(rows), rows.columns, strict=True)
        if is_wanted((captured := column.capture_object).attribute)
    ]


def row_json(
    rows: ProfileRows, row: ProfileRow, names: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return one row: its time, and its values by the names of the columns, of those wanted."""
    values = zip(column_names(rows), row.values, strict=True)
    return {
        "time": row.moment and row.moment.isoformat(),
        "values": {
            name: plain(value)
            for name, value in values
            if names is None or name in names
        },
    }
