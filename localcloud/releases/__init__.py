"""What a release registered, and what the program would do now to a stack that runs it."""
