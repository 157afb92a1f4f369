"""Whom to contact, why, with what and at what cost."""
