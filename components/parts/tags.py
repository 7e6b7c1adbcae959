"""Who a resource belongs to: tags that every resource of a component gets, without being asked for."""

from __future__ import annotations

import pulumi


def tagged(component: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A component's options, with a transformation that tags every resource below it that takes tags.

    Children inherit their parent's transformations, so that none can be forgotten.

    Args:
        component: the tag `component`; the others are the project and the stack.
        opts: what the component was given.
    """
    tags = {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "component": component}

    def tag(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        # a resource class has a property for each output, and what takes tags returns them
        if not isinstance(args.resource, pulumi.CustomResource) or not hasattr(type(args.resource), "tags"):
            return None
        if args.opts.id is not None:  # only looked at
            return None
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)

    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[tag]))
