"""What stops packs from being made."""


class FeedbackError(Exception):
    """The packs cannot be made; the message says why and what to do."""
