"""Whom to contact, why, with what and at what cost."""

from patronage.retention.at_risk import at_risk_list
from patronage.retention.policy import RetentionPolicy

__all__ = ["RetentionPolicy", "at_risk_list"]
