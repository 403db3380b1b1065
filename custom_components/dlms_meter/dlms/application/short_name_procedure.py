"""Reading, writing and invoking by short names: Read, Write and UnconfirmedWrite, in blocks where something is too long.

Whoever asks names attributes and methods by class and logical name, as for any other meter: their short names come from
the meter's object list, which is read when the first name is wanted and kept in `association.memory`. There are no
priorities here.
"""

from collections.abc import Mapping, Sequence

from ..codec.axdr import Data, DataType
from ..cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from ..cosem.object_list import decode_object_list
from ..cosem.short_names import (
    OBJECT_LIST_NAME,
    RESERVED_NAMES,
    attribute_name,
    method_name,
    names_of,
)
from ..errors import DecodeError, RemoteProtocolError, ServiceError
from .association import Association
from .ended_association import refuses_request, see_whether_it_ended
from .enums import Conformance, DataAccessResult
from .get import GetResult
from .procedure import Procedure, Progress, decoded, refused
from .short_name import METHOD_CALL, NOT_THERE, ParameterizedAccess, VariableName
from .short_name_request import (
    NamedVariable,
    read_variable,
    read_variables,
    results_in,
    write_unconfirmed,
    write_variables,
)

_ZERO = Data(DataType.INTEGER, 0)
"""What the standard hands over to a method that needs nothing."""


def read_one(
    association: Association,
    attribute: AttributeDescriptor,
    access: SelectiveAccess | None,
    progress: Progress | None,
) -> Procedure[Data | bytes]:
    """Read one attribute, or the part of it that `access` selects; what came in blocks is left as octets.

    Raises as `procedures.get` does.
    """
    association.require(
        Conformance.READ
        if access is None
        else Conformance.READ | Conformance.PARAMETERIZED_ACCESS
    )
    what = str(attribute)
    name = yield from _attribute_name(association, attribute, progress)
    variable = (
        VariableName(name) if access is None else ParameterizedAccess(name, access)
    )
    value = yield from read_variable(association, what, variable, progress)
    if name == OBJECT_LIST_NAME:
        value = yield from decoded(value)
        _learn_names(association, value)
    return value


def read_list(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
) -> Procedure[tuple[GetResult, ...]]:
    """Read attributes by one request; return a result for each, or none when the meter does not answer with as many.

    Raises `ServiceError` when it refuses with an exception, `DecodeError` and `RemoteProtocolError` for answers that make
    no sense.
    """
    what = f"a list of {len(attributes)} attributes"
    names = yield from _attribute_names(association, attributes, progress)
    variables = [VariableName(name) for name in names if name is not None]
    read: tuple[GetResult, ...] = ()
    if variables:
        answer = yield from read_variables(
            association, what, tuple(variables), progress
        )
        read = (
            (yield from results_in(answer))
            if isinstance(answer, bytes)
            else tuple(
                [each for each in answer if isinstance(each, Data | DataAccessResult)]
            )
        )
    return _for_each(names, read)


def _for_each[T](
    names: Sequence[int | None], results: tuple[T, ...]
) -> tuple[T | DataAccessResult, ...]:
    """Return a result for each name, in the order of the names, also for those that are not known; none for too few or many."""
    if len(results) != len(names) - names.count(None):
        return ()
    told = iter(results)
    return tuple(
        [
            DataAccessResult.OBJECT_UNDEFINED if name is None else next(told)
            for name in names
        ]
    )


def write_one(
    association: Association,
    attribute: AttributeDescriptor,
    value: Data,
    access: SelectiveAccess | None,
    confirmed: bool,
) -> Procedure[None]:
    """Write one attribute, or the part of it that `access` selects. Raises as `procedures.set_attribute` does."""
    needed = Conformance.WRITE if confirmed else Conformance.UNCONFIRMED_WRITE
    if access is not None:
        needed |= Conformance.PARAMETERIZED_ACCESS
    association.require(needed)
    name = yield from _attribute_name(association, attribute, None)
    variable = (
        VariableName(name) if access is None else ParameterizedAccess(name, access)
    )
    if not confirmed:
        yield from write_unconfirmed(association, variable, value)
        return
    what = str(attribute)
    results = yield from write_variables(association, what, (variable,), (value,))
    if len(results) != 1:
        raise RemoteProtocolError(f"{what}: the meter answered {len(results)} results")
    if results[0] is not DataAccessResult.SUCCESS:
        raise refused(what, results[0])


def write_list(
    association: Association,
    values: Mapping[AttributeDescriptor, Data],
) -> Procedure[tuple[DataAccessResult, ...]]:
    """Write attributes by one request; return a result for each, or none when the meter does not answer with as many.

    Raises `ServiceError` when it refuses with an exception, `RemoteProtocolError` when it answers out of turn.
    """
    what = f"a list of {len(values)} attributes"
    names = yield from _attribute_names(association, tuple(values), None)
    variables = tuple([VariableName(name) for name in names if name is not None])
    data = tuple(
        [
            value
            for name, value in zip(names, values.values(), strict=True)
            if name is not None
        ]
    )
    written: tuple[DataAccessResult, ...] = ()
    if variables:
        written = yield from write_variables(association, what, variables, data)
    return _for_each(names, written)


def invoke_one(
    association: Association,
    method: MethodDescriptor,
    parameters: Data | None,
    confirmed: bool,
) -> Procedure[Data | None]:
    """Invoke one method: by Read, as the standard has it, or else by Write, which returns nothing.

    Raises as `procedures.invoke` does.
    """
    what, memory = str(method), association.memory
    name = yield from _method_name(association, method)
    given = _ZERO if parameters is None else parameters
    if not confirmed:
        association.require(Conformance.UNCONFIRMED_WRITE)
        yield from write_unconfirmed(association, VariableName(name), given)
        return None
    parameterized = Conformance.PARAMETERIZED_ACCESS in association.conformance
    if parameterized and not memory.writes_methods:
        association.require(Conformance.READ)
        call = ParameterizedAccess(name, SelectiveAccess(METHOD_CALL, given))
        try:
            returned = yield from _read_decoded(association, what, call, None)
        except ServiceError as error:
            # An exception is no DataAccessResult: the meter could not make anything of the call.
            failed = isinstance(error.result, DataAccessResult) and (
                error.result not in NOT_THERE
            )
            if failed or memory.writes_methods is False:
                raise
        else:
            memory.writes_methods = False
            return None if returned.type is DataType.NULL_DATA else returned
    association.require(Conformance.WRITE)
    results = yield from write_variables(
        association, what, (VariableName(name),), (given,)
    )
    if results != (DataAccessResult.SUCCESS,):
        raise refused(what, next(iter(results), DataAccessResult.OTHER_REASON))
    memory.writes_methods = True
    return None


def _attribute_name(
    association: Association,
    attribute: AttributeDescriptor,
    progress: Progress | None,
) -> Procedure[int]:
    (name,) = yield from _attribute_names(association, (attribute,), progress)
    if name is None:
        raise refused(str(attribute), DataAccessResult.OBJECT_UNDEFINED)
    return name


def _attribute_names(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
) -> Procedure[list[int | None]]:
    """Return the short names of attributes, None for those the meter has not."""
    memory = association.memory
    names = [attribute_name(memory.short_names, each) for each in attributes]
    if None in names and not memory.short_names:
        yield from _read_object_list(association, progress)
        names = [attribute_name(memory.short_names, each) for each in attributes]
    return names


def _method_name(association: Association, method: MethodDescriptor) -> Procedure[int]:
    memory = association.memory
    name = method_name(memory.short_names, method)
    if name is None and not memory.short_names:
        yield from _read_object_list(association, None)
        name = method_name(memory.short_names, method)
    if name is None:
        raise refused(str(method), DataAccessResult.OBJECT_UNDEFINED)
    return name


def _read_object_list(
    association: Association, progress: Progress | None
) -> Procedure[None]:
    """Learn all short names from the meter; a meter that keeps them for itself has at least the reserved ones.

    Raises `LinkError` when it has ended the association: then nothing is learned.
    """
    association.require(Conformance.READ)
    variable = VariableName(OBJECT_LIST_NAME)
    try:
        data = yield from _read_decoded(
            association, "the object list", variable, progress
        )
    except ServiceError as error:
        if refuses_request(error):
            yield from see_whether_it_ended(association, error)
        association.memory.short_names = dict(RESERVED_NAMES)
    else:
        _learn_names(association, data)


def _learn_names(association: Association, object_list: Data) -> None:
    try:
        names = names_of(decode_object_list(object_list))
    except DecodeError:
        names = {}
    association.memory.short_names = names or dict(RESERVED_NAMES)


def _read_decoded(
    association: Association,
    what: str,
    variable: NamedVariable,
    progress: Progress | None,
) -> Procedure[Data]:
    value = yield from read_variable(association, what, variable, progress)
    return (yield from decoded(value))
