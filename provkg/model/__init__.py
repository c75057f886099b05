"""What a pipeline's activities are expected to do: the definition.yaml of lstosa, gammapy and logprov.

The three dialects differ in a few names: gammapy and lstosa say ``activities`` and ``entityName``, lstosa of 2020
``entityType``, logprov ``activity_descriptions`` and ``entity_description``. What a role or a file is called is the
same as in the records that the pipeline writes by it.
"""

from provkg.model.definition import read_definition
from provkg.model.parts import Activity, Captured, Definition, Entity, Parameter, Slot

__all__ = ["Activity", "Captured", "Definition", "Entity", "Parameter", "Slot", "read_definition"]
