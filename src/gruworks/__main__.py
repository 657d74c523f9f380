"""The command `gruworks`, also as `python -m gruworks`."""

import sys

from gruworks.errors import MissingExtraError, require

__all__ = ["run"]


def run() -> None:
    """Run the command line, or print how to install what it needs."""
    try:
        main = require("gruworks.app.cli.main", extra="cli")
    except MissingExtraError as error:
        print(f"gruworks: {error}", file=sys.stderr)
        sys.exit(2)
    main.run()


if __name__ == "__main__":
    run()
