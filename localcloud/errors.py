"""What can go wrong on the local cloud."""


class LocalCloudError(Exception):
    """A mistake that the user can put right, or a local limit; the message is one clear sentence."""
