"""Whether every photo that arrived is accounted for, and what is done for one that is not."""
