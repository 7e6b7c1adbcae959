"""What a training job is started with, and how it is followed."""
