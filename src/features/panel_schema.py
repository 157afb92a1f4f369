"""The columns of the panel on disk, each with its meaning and unit."""

from collections.abc import Sequence

import pyarrow as pa

from patronage.features.feature import Feature
from patronage.features.labels import ChurnLabels

KEYS = ("customer_id", "eligible")


def panel_schema(
    id_type: pa.DataType, features: Sequence[Feature], labels: ChurnLabels | None
) -> pa.Schema:
    """customer_id, eligible, the features, the labels; the cutoff is in the name of the folder."""
    return pa.schema(
        [
            pa.field("customer_id", id_type, metadata=_said(meaning="Who.")),
            pa.field(
                "eligible",
                pa.bool_(),
                metadata=_said(
                    unit="flag", meaning="Bought within active_days before as_of; all without it."
                ),
            ),
            *(_feature_field(feature) for feature in features),
            *(() if labels is None else _label_fields(labels)),
        ]
    )


def texts_of(schema: pa.Schema) -> list[str]:
    """The features that are categories."""
    return [one.name for one in schema if one.metadata.get(b"unit") == b"text"]


def _feature_field(feature: Feature) -> pa.Field:
    said = _said(
        family=feature.family,
        unit=feature.unit,
        window="" if feature.window is None else f"{feature.window} days",
        meaning=feature.meaning,
        null=feature.null or "never",
    )
    kind = pa.string() if feature.unit == "text" else pa.float64()
    return pa.field(feature.name, kind, metadata=said)


def _label_fields(labels: ChurnLabels) -> list[pa.Field]:
    return [
        pa.field(
            name,
            pa.int8(),
            metadata=_said(
                unit="flag",
                window=f"{horizon} days ahead",
                meaning=labels.meaning(horizon),
                null="not eligible, or not known yet",
            ),
        )
        for name, horizon in zip(labels.names, labels.horizons_days, strict=True)
    ]


def _said(**texts: str) -> dict[str, str]:
    return {key: text for key, text in texts.items() if text}
