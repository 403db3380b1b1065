"""How a request names what it wants: COSEM attribute and method descriptors (Green Book, xDLMS ASN.1)."""

from typing import NamedTuple

from ..codec.axdr import Data
from .obis import Obis


class AttributeDescriptor(NamedTuple):
    """One attribute of one object: interface class, logical name, attribute index (1 is the logical name)."""

    class_id: int
    logical_name: Obis
    attribute_id: int

    def __str__(self) -> str:
        """Print as class, OBIS code and attribute: `3/1-0:1.8.0*255/2`."""
        return f"{self.class_id}/{self.logical_name}/{self.attribute_id}"


class SelectiveAccess(NamedTuple):
    """Which part of an attribute is wanted: the selector its interface class defines, and its parameters.

    For the buffer of a profile: 1 a range of values, 2 a range of entries.
    """

    selector: int
    parameters: Data


class SelectedAttribute(NamedTuple):
    """An attribute, or with `access` a part of it (Cosem-Attribute-Descriptor-With-Selection)."""

    attribute: AttributeDescriptor
    access: SelectiveAccess | None = None


class MethodDescriptor(NamedTuple):
    """One method of one object: interface class, logical name, method index."""

    class_id: int
    logical_name: Obis
    method_id: int

    def __str__(self) -> str:
        """Print as class, OBIS code and method: `70/0-0:96.3.10*255/m1`."""
        return f"{self.class_id}/{self.logical_name}/m{self.method_id}"
