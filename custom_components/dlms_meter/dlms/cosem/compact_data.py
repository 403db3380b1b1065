"""Compact data (class 62): values without their types, which the template tells. Source: DLMS UA Blue Book."""

from ..codec.axdr import CompactArray, Data, DataType, decode_data
from ..codec.cursor import encode_length
from ..errors import DecodeError
from .values import elements


def decode_compact_buffer(
    buffer: bytes, template_description: bytes
) -> tuple[Data, ...]:
    """Read a compact_buffer (attribute 2) by its template_description (attribute 5): one value per capture object.

    Raises `DecodeError` when they do not fit each other.
    """
    # A template is the type description of a compact-array, and the buffer one element of it.
    head = bytes((DataType.COMPACT_ARRAY,)) + template_description
    data = decode_data(head + encode_length(len(buffer)) + buffer)
    assert isinstance(data.value, CompactArray)
    if len(data.value.elements) != 1:
        raise DecodeError(
            f"a compact buffer of {len(data.value.elements)} elements where its template describes one"
        )
    (element,) = data.value.elements
    return elements(element) if element.type is DataType.STRUCTURE else (element,)
