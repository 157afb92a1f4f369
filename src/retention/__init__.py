"""Whom to contact, why, with what and at what cost."""

from patronage.retention.at_risk import at_risk_list
from patronage.retention.policy import RetentionPolicy
from patronage.retention.reasons import plain_reasons

__all__ = ["RetentionPolicy", "at_risk_list", "plain_reasons"]
