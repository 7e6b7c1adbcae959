"""One small function a resource type, grouped by service; importing this registers them all."""

from __future__ import annotations

from localcloud.adapters import budgets, builds, events, iam, lambda_, observe, queues, s3, sagemaker, tables

__all__ = ["budgets", "builds", "events", "iam", "lambda_", "observe", "queues", "s3", "sagemaker", "tables"]
