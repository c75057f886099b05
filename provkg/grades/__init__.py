"""Grades: how well a product's origin is known, and how well it can be made again; the rules are SHACL shapes."""

from provkg.grades.badge import badge
from provkg.grades.grades import SCALES, Criterion, Grades, grades, judged

__all__ = ["SCALES", "Criterion", "Grades", "badge", "grades", "judged"]
