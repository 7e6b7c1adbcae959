"""Everything under a prefix, classified at once: counted and priced, started, followed, and what became of it."""
