"""Customer days, panel, one file per feature family, labels."""
