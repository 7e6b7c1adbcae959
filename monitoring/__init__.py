"""What the model did: captured inferences turned into numbers, pictures and a report."""
