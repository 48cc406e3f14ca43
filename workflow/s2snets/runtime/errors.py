"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """A user's mistake: one line that names the file, key or value, and the mend."""
