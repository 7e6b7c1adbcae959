"""What waits for a person, and how people answer it: the queue, the answers, and the page on which they are given."""
