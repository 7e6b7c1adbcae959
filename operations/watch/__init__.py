"""Decisions as they come."""
