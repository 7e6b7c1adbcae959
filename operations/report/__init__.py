"""From captured inferences to a page that a manager understands."""
