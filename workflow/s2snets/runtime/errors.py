"""The exception for problems that the user can fix."""


class UserError(Exception):
    """A user's mistake: one line that names the file, key or value, and the remedy."""


def one_line(error: BaseException) -> str:
    """Return the first line of an error's text, or else its type."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
