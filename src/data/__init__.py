"""Table contracts, sources and sinks, quarantine."""
