"""Stores that move: backups and their way back, what others exported, another base for the IRIs, another format."""

from provkg.moving.backup import Backup, backup, restored
from provkg.moving.exports import exports
from provkg.moving.migrating import bring, migrate
from provkg.moving.rebasing import Rebased, rebased, redirects

__all__ = ["Backup", "Rebased", "backup", "bring", "exports", "migrate", "rebased", "redirects", "restored"]
