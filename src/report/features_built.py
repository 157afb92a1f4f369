"""Which features the model uses, which it was not given and why, and which may leak."""

from collections.abc import Mapping
from typing import Any

from patronage.retention.wording import counted


def features_sentence(manifest: Mapping[str, Any]) -> str | None:
    """How many features of which families the model uses; None where the manifest does not say.

    Examples
    --------
    >>> families = {"built": {"rfm": 6, "own": 2}, "used": {"rfm": 5, "own": 2}}
    >>> features_sentence({"model_version": "3", "families": families})
    'Model version 3 uses 7 features of 2 families: rfm 5, own 2.'
    """
    families = manifest.get("families", {})
    used = families.get("used", families.get("built", {}))
    if not used:
        return None
    named = ", ".join(f"{name} {count:,}" for name, count in used.items())
    return (
        f"Model version {manifest['model_version']} uses "
        f"{counted(sum(used.values()), 'feature')} of {len(used)} "
        f"{'family' if len(used) == 1 else 'families'}: {named}."
    )


def features_unknown(manifest: Mapping[str, Any]) -> str | None:
    """Which families the data have and the model was not trained with; None where there is none.

    Examples
    --------
    >>> families = {"built": {"rfm": 6, "survey": 11, "usage": 8}, "used": {"rfm": 6}}
    >>> families["empty"] = {"usage": "there are no events of the kind usage"}
    >>> features_unknown({"model_version": "2", "families": families})
    'Not known to model version 2, which was trained without them: survey 11.'
    """
    families = manifest.get("families", {})
    if "used" not in families:
        return None
    known = families["used"].keys() | families.get("empty", {}).keys()
    unknown = {name: n for name, n in families["built"].items() if name not in known}
    if not unknown:
        return None
    named = ", ".join(f"{name} {count:,}" for name, count in unknown.items())
    return (
        f"Not known to model version {manifest['model_version']}, "
        f"which was trained without them: {named}."
    )


def features_left_out(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Families and own features that say nothing or were not built, and why."""
    families = manifest.get("families", {})
    empty = {name: f"built, but empty: {why}" for name, why in families.get("empty", {}).items()}
    return [*empty.items(), *families.get("left_out", {}).items()]


def leakage_texts(metrics: Mapping[str, Any]) -> list[str]:
    """What the probes for leakage said when the model was trained."""
    return [str(found["text"]) for found in metrics.get("leakage", ())]
