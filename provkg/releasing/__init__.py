"""What may be told to everybody: a copy of a store without what is personal or tells of the infrastructure."""

from provkg.releasing.gate import Leak, leaks
from provkg.releasing.manifest import manifest, write_manifest
from provkg.releasing.policy import ACTIONS, KINDS, Policy, read_policy
from provkg.releasing.redacting import Redaction, Removed, redacted

__all__ = [
    "ACTIONS",
    "KINDS",
    "Leak",
    "Policy",
    "Redaction",
    "Removed",
    "leaks",
    "manifest",
    "read_policy",
    "redacted",
    "write_manifest",
]
