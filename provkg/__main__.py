"""The command ``provkg``, also as ``python -m provkg``."""

from provkg.cli import main

if __name__ == "__main__":
    main()
