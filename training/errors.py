"""What can go wrong between a person's command and what training makes of it."""


class TrainingError(Exception):
    """A mistake that the user can put right; the message is one clear sentence."""
