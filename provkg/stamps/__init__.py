"""A stamp: what a product carries so that its history is found again, also when it was renamed or copied.

It is written into FITS (cards of the primary header), HDF5 (attributes of the root) and ECSV (``meta``), and changes
nothing else: the file is written beside its old self and takes its place when it is whole.
"""

from provkg.stamps.formats import read_stamp, stamped
from provkg.stamps.stamp import MOST_BYTES, Stamp

__all__ = ["MOST_BYTES", "Stamp", "read_stamp", "stamped"]
