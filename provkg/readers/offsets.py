"""Where the characters of a text lie in its bytes."""

from provkg.identity import to_bytes


class Offsets:
    """Say how many bytes lie before a character; asked from left to right, each character is looked at once.

    >>> offsets = Offsets("aé{")
    >>> offsets.of(1), offsets.of(2)
    (1, 3)
    """

    def __init__(self, text: str) -> None:
        self.text, self.plain = text, text.isascii()
        self.at = self.bytes = 0

    def of(self, at: int) -> int:
        """Return the offset of a character in bytes."""
        if self.plain:
            return at
        if at < self.at:
            self.at = self.bytes = 0
        self.bytes += len(to_bytes(self.text[self.at : at]))
        self.at = at
        return self.bytes
