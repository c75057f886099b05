"""Recipes: how to make a product again, from what was recorded, and whether it comes out the same."""

from provkg.recipes.checking import Blocker, blockers
from provkg.recipes.plan import Call, File, Plan, plan_of
from provkg.recipes.running import Outcome, rerun
from provkg.recipes.writing import FORMATS, files_of

__all__ = ["FORMATS", "Blocker", "Call", "File", "Outcome", "Plan", "blockers", "files_of", "plan_of", "rerun"]
