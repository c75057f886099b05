"""Histories as data: the steps that led to products, in an order in which each comes after what it needs."""

from provkg.histories.digests import Match, Recipes, compared, recipes_of
from provkg.histories.history import History, Input, Output, Process, Product, Step
from provkg.histories.reading import every_history, history_of

__all__ = [
    "History",
    "Input",
    "Match",
    "Output",
    "Process",
    "Product",
    "Recipes",
    "Step",
    "compared",
    "every_history",
    "history_of",
    "recipes_of",
]
