"""Captured inferences, read from where SageMaker wrote them."""
