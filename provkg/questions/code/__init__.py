"""What is done with the rows of a query where SPARQL alone does not give the answer; each is named in a header."""

from provkg.questions.asking import Code
from provkg.questions.code.divergence import divergence, same
from provkg.questions.code.histories import batches, current, recipes, shortest, subset
from provkg.questions.code.rows import check, last, needed, platform, shell, stock, unusual, versus, walltime

__all__ = ["CODE"]

CODE: dict[str, Code] = {
    "batches": batches,
    "check": check,
    "current": current,
    "divergence": divergence,
    "last": last,
    "needed": needed,
    "platform": platform,
    "recipes": recipes,
    "same": same,
    "shell": shell,
    "shortest": shortest,
    "stock": stock,
    "subset": subset,
    "unusual": unusual,
    "versus": versus,
    "walltime": walltime,
}
