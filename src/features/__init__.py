"""Customer days, panel, one file per feature family, labels."""

from patronage.features.catalogue import FEATURES, catalogue_markdown
from patronage.features.feature import Feature

__all__ = ["FEATURES", "Feature", "catalogue_markdown"]
