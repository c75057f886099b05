"""Methods: how a product was made, in words with a record behind each number, and what to cite for it."""

from provkg.methods.bibliography import Citations, Entry, citations, read_known
from provkg.methods.explaining import Explanation, Reference, Sentence, explain

__all__ = ["Citations", "Entry", "Explanation", "Reference", "Sentence", "citations", "explain", "read_known"]
