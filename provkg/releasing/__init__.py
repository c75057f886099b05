"""What may be told to everybody: a copy of a store without what is personal or tells of the infrastructure."""

from provkg.releasing.policy import ACTIONS, KINDS, Policy, read_policy
from provkg.releasing.redacting import Release, released

__all__ = ["ACTIONS", "KINDS", "Policy", "Release", "read_policy", "released"]
