"""Reconciling: what the scheduler saw, joined with what the pipelines recorded."""

from provkg.reconciling.joining import Join, Joins, joined
from provkg.reconciling.report import Attempt, Reconciliation, reconcile

__all__ = ["Attempt", "Join", "Joins", "Reconciliation", "joined", "reconcile"]
