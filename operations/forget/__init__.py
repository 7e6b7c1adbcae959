"""A photo removed from everywhere it went, for a driver who asks for it."""
