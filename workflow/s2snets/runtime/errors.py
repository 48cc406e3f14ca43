"""The exception for problems that the user can fix."""


class UserError(Exception):
    """A user's mistake: one line that names the file, key or value, and the remedy."""
