"""How good a model is on held-out photos, and which threshold that supports."""
