"""Who a resource belongs to, on every resource that takes tags."""

from __future__ import annotations

import pulumi


def tags(component: str) -> dict[str, str]:
    """The tags of a component's resources: project, stack and `component`."""
    return {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "component": component}
