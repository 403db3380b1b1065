"""The GET service of the simulated meter: attributes, lists of them, and blocks of what is too long for one APDU."""

from collections.abc import Callable
from dataclasses import dataclass

from custom_components.dlms_meter.dlms.application.enums import (
    Conformance,
    DataAccessResult,
    ExceptionServiceError,
    ExceptionStateError,
)
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    encode_results,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute

from .objects import AssociationFacts

type ReadAttribute = Callable[[AssociationFacts, SelectedAttribute], GetResult]

_BLOCK_OVERHEAD = 12
"""Octets of a GetResponseWithDatablock beside its raw data, whose length may take three."""

_NOT_SUPPORTED = ExceptionResponse(
    ExceptionStateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED
)


@dataclass(slots=True)
class _Transfer:
    """A long answer on its way."""

    raw: bytes
    sent: int = 0
    block_number: int = 0


class GetService:
    """Answers the GET requests of one association."""

    def __init__(self, association: AssociationFacts, read: ReadAttribute) -> None:
        self._association = association
        self._read = read
        self._transfer: _Transfer | None = None
        self.refuses_lists = False
        """Refuse lists although they were agreed on."""
        self.refuses_blocks = False
        """Refuse the next block although block transfer was agreed on."""

    def handle(self, apdu: bytes) -> bytes:
        """Answer one GET-Request. Raises `DecodeError` for what is none."""
        answer, needed = {
            1: (self._normal, Conformance.GET),
            2: (self._next, Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ),
            3: (self._with_list, Conformance.MULTIPLE_REFERENCES),
        }.get(apdu[1] if len(apdu) > 1 else 0, (None, Conformance.GET))
        if answer is None or not self._allows(needed | Conformance.GET):
            return _NOT_SUPPORTED.encode()
        reader = Reader(apdu)
        response = answer(reader)
        reader.finish("the GET-Request")
        return response

    def _allows(self, service: Conformance) -> bool:
        return service in self._association.conformance

    def _normal(self, reader: Reader) -> bytes:
        request = GetRequestNormal.decode(reader)
        self._transfer = None
        result = self._select(SelectedAttribute(request.attribute, request.access))
        response = GetResponseNormal(request.invoke, result).encode()
        if self._fits(response):
            return response
        if isinstance(result, DataAccessResult) or not self._has_blocks:
            return GetResponseNormal(
                request.invoke, DataAccessResult.OTHER_REASON
            ).encode()
        return self._begin(request.invoke, encode_data(result))

    def _with_list(self, reader: Reader) -> bytes:
        request = GetRequestWithList.decode(reader)
        self._transfer = None
        if self.refuses_lists:
            return _NOT_SUPPORTED.encode()
        results = tuple(self._select(item) for item in request.attributes)
        response = GetResponseWithList(request.invoke, results).encode()
        if self._fits(response):
            return response
        if self._has_blocks:
            return self._begin(request.invoke, encode_results(results))
        refusals = (DataAccessResult.OTHER_REASON,) * len(results)
        return GetResponseWithList(request.invoke, refusals).encode()

    def _select(self, item: SelectedAttribute) -> GetResult:
        if item.access is not None and not self._allows(Conformance.SELECTIVE_ACCESS):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return self._read(self._association, item)

    def _next(self, reader: Reader) -> bytes:
        request = GetRequestNext.decode(reader)
        if self.refuses_blocks:
            return _NOT_SUPPORTED.encode()
        if self._transfer is None:
            error = DataAccessResult.NO_LONG_GET_IN_PROGRESS
        elif request.block_number != self._transfer.block_number:
            error = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        else:
            return self._block(request.invoke, self._transfer)
        self._transfer = None
        return GetResponseWithDatablock(
            request.invoke, True, request.block_number, error
        ).encode()

    @property
    def _has_blocks(self) -> bool:
        return self._allows(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ)

    def _fits(self, response: bytes) -> bool:
        limit = self._association.max_response_size
        return not limit or len(response) <= limit

    def _begin(self, invoke: InvokeIdAndPriority, raw: bytes) -> bytes:
        self._transfer = _Transfer(raw)
        return self._block(invoke, self._transfer)

    def _block(self, invoke: InvokeIdAndPriority, transfer: _Transfer) -> bytes:
        size = max(self._association.max_response_size - _BLOCK_OVERHEAD, 1)
        raw = transfer.raw[transfer.sent : transfer.sent + size]
        transfer.sent += len(raw)
        transfer.block_number += 1
        last = transfer.sent == len(transfer.raw)
        if last:
            self._transfer = None
        return GetResponseWithDatablock(
            invoke, last, transfer.block_number, raw
        ).encode()
