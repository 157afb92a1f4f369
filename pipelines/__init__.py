"""The steps of each command, one file per pipeline, each a table of contents."""
