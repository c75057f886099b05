"""Stores that move: backups and their way back, what others exported, and another base for the IRIs."""

from provkg.moving.backup import Backup, backup, restored
from provkg.moving.exports import exports
from provkg.moving.rebasing import Rebased, rebased, redirects

__all__ = ["Backup", "Rebased", "backup", "exports", "rebased", "redirects", "restored"]
