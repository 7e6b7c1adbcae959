"""What the components share: one file for each kind of part."""
