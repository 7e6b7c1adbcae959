"""Typed Pulumi components, each a file that can be lifted into another program."""
