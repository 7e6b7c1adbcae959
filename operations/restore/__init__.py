"""Decisions that were lost or damaged, put back from a table that was restored."""
