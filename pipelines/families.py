"""What the manifest says of the feature families: built, empty, left out, known to the model."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from patronage.features import CustomerTables
from patronage.features.catalogue import families_left_out, families_of, features_of, why_empty


def families_built(tables: CustomerTables) -> dict[str, Any]:
    """The features of each family, the kinds of events, and why other families have none."""
    columns = {
        family.name: [feature.name for feature in family.features_of(tables)]
        for family in families_of(tables)
    }
    return {
        "features": len(features_of(tables)),
        "built": {name: len(features) for name, features in columns.items()},
        "left_out": families_left_out(tables),
        "columns": columns,
        "event_kinds": [] if tables.events is None else list(tables.events.text("kind").values),
    }


def families_used(
    families: Mapping[str, Any], features_seen: Path, known_to_model: Collection[str]
) -> dict[str, Any]:
    """What the scoring model knows of the families built, and which of them are empty.

    Parameters
    ----------
    families
        As made by `families_built`.
    features_seen
        Parquet file of the features that were scored.
    known_to_model
        The features that the model was trained with.
    """
    columns = families.get("columns", {})
    silent = silent_columns(features_seen)
    empty = [name for name, features in columns.items() if silent.issuperset(features)]
    used = {name: len(set(known_to_model) & set(features)) for name, features in columns.items()}
    return {
        "used": {name: count for name, count in used.items() if count and name not in empty},
        "empty": {name: why_empty(name, families.get("event_kinds", ())) for name in empty},
    }


def silent_columns(path: Path) -> set[str]:
    """Columns of a Parquet file that hold one value at most, nulls aside.

    The statistics of its row groups tell it; of a table of one row nothing can be told.
    """
    metadata = pq.read_metadata(path)
    if metadata.num_rows < 2:
        return set()
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return {
        name
        for place, name in enumerate(metadata.schema.names)
        if len(_ends([group.column(place).statistics for group in groups])) < 2
    }


def _ends(statistics: list[Any]) -> set[Any]:
    """Lowest and highest value of each row group; none where all is null."""
    known = [one for one in statistics if one.has_min_max]
    return {end for one in known for end in (one.min, one.max)}
