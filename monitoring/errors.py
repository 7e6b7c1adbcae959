"""What can go wrong between a person's command and its report."""


class MonitoringError(Exception):
    """A mistake that the user can put right; the message is one clear sentence."""
