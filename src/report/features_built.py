"""Which features the model was given, which it was not and why, and which may leak."""

from collections.abc import Mapping
from typing import Any

from patronage.retention.wording import counted


def features_sentence(manifest: Mapping[str, Any]) -> str | None:
    """How many features of which families; None where the manifest does not say.

    Examples
    --------
    >>> features_sentence({"families": {"built": {"rfm": 6, "own": 2}, "left_out": {}}})
    '8 features of 2 families: rfm 6, own 2.'
    """
    built = manifest.get("families", {}).get("built", {})
    if not built:
        return None
    families = ", ".join(f"{name} {count:,}" for name, count in built.items())
    return (
        f"{counted(sum(built.values()), 'feature')} of {len(built)} "
        f"{'family' if len(built) == 1 else 'families'}: {families}."
    )


def features_left_out(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Families and own features that were not built, and why."""
    return list(manifest.get("families", {}).get("left_out", {}).items())


def leakage_texts(metrics: Mapping[str, Any]) -> list[str]:
    """What the probes for leakage said when the model was trained."""
    return [str(found["text"]) for found in metrics.get("leakage", ())]
