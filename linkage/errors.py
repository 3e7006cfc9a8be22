"""What can go wrong in linkage. No message ever carries a value that identifies a person."""

from __future__ import annotations


class LinkageError(Exception):
    """Linkage cannot go on; the message says what is wrong, where, and what to do."""


class ParametersError(LinkageError):
    """The trained parameters cannot be used for prediction."""


class RegistryError(LinkageError):
    """The registry of persons cannot be opened or trusted."""


class ConstraintError(LinkageError):
    """A decision about two records contradicts another, or names a record that does not exist."""
