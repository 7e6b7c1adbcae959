"""The models of a stack: which there are, how two differ, and what is kept of those that serve no more."""
