"""How a command of the project ends when the user has made a mistake."""

import sys
from collections.abc import Callable

from s2snets.runtime.errors import UserError
from s2snets.runtime.files import disk_error


def run_command(main: Callable[[], None]) -> None:
    """Run a command; print a user's mistake as one line, without a traceback."""
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except Exception as error:
        explained = disk_error(error, getattr(error, "filename", None) or "disk")
        if explained is None:
            raise
        sys.exit(f"error: {explained}")
