"""The exception for problems that the user can fix."""


class UserError(Exception):
    """A user's mistake: one line that names the file, key or value, and the remedy.

    What cannot be printed, such as a line feed in a file's name, is escaped.
    """

    def __init__(self, text: str) -> None:
        super().__init__(
            "".join(
                letter if letter.isprintable() else ascii(letter)[1:-1]
                for letter in text
            )
        )


def one_line(error: BaseException) -> str:
    """Return the first line of an error's text, or else its type."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
