"""Observe: captured inferences, ended executions and drift alarms become metrics and events."""
