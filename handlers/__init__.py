"""The code that Lambda runs: one module a function, and nothing that a function does not need."""
