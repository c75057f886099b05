"""Pictures: a history as a tree for the terminal, and roll-ups as graphs of no more shapes than one can look at."""

from provkg.graphview.drawing import FORMATS, SUFFIXES, draw
from provkg.graphview.outline import outline
from provkg.graphview.picture import Links, picture_of
from provkg.graphview.tree import svg, tree

__all__ = ["FORMATS", "SUFFIXES", "Links", "draw", "outline", "picture_of", "svg", "tree"]
