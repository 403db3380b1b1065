"""The client a program uses: one meter, one session at a time, values with their meaning.

    energy = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
    endpoint = TcpEndpoint("192.0.2.7", 4059)
    async with DlmsClient(ClientSettings(endpoint=endpoint, framing=Framing.WRAPPER)) as client:
        report = await client.read([energy], scaler_units={})

Then `report.values[energy]` is a `Quantity` such as `12345.7 Wh`, or `report.failed[energy]` says why there is none.
"""

from collections.abc import Collection, Iterable, Mapping, Reversible, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from .application import procedures
from .application.ended_association import refuses_request, see_whether_it_ended
from .application.enums import DataAccessResult
from .client_settings import Framing
from .codec.cursor import Reader
from .codec.data import Data
from .codec.slices import read_data_in_slices
from .connection import in_turns
from .cosem.class_values import to_value
from .cosem.compact_reading import read_compact_data
from .cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from .cosem.identity import IDENTITY_ATTRIBUTES, Identity
from .cosem.obis import Obis
from .cosem.object_list import CosemObject, read_object_list
from .cosem.profile import ProfileRows
from .cosem.profile_reading import read_profile
from .cosem.profile_selection import Selection
from .cosem.values import (
    ScalerUnit,
    Value,
    decode_scaler_unit,
    has_more_elements,
    scaler_unit_of,
)
from .errors import (
    DecodeError,
    DlmsError,
    RemoteProtocolError,
    ServiceError,
)
from .profiles import carry_out
from .session import Session

_MOST_ELEMENTS: Final = 2000
"""A value made of more is none that anybody reads every minute; to give it a meaning would keep others waiting."""

OBJECT_LIST: Final = AttributeDescriptor(15, Obis.parse("0-0:40.0.0*255"), 2)

_LOGICAL_DEVICE_NAME: Final = AttributeDescriptor(1, Obis.parse("0-0:42.0.0*255"), 2)

_INACTIVITY_TIMEOUTS: Final = {
    Framing.HDLC: AttributeDescriptor(23, Obis.parse("0-0:22.0.0*255"), 8),
    Framing.WRAPPER: AttributeDescriptor(41, Obis.parse("0-0:25.0.0*255"), 6),
}
"""Where meters keep it: IEC HDLC setup, and TCP-UDP setup (DLMS UA Blue Book)."""

_TRANSFER_BROKEN: Final = (
    DataAccessResult.LONG_GET_ABORTED,
    DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
)
"""What a meter says when it was asked for a block twice."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What one `read` brought: every attribute asked for is in exactly one of the two.

    Numbers with a scaler are a `Quantity`, in the unit that the meter tells; times are a `DlmsDateTime`.
    """

    values: dict[AttributeDescriptor, Value]
    failed: dict[AttributeDescriptor, DlmsError]


class DlmsClient(Session):
    """Reads and writes one logical device of a meter, in sessions as `Session` describes.

    All methods need a session (`LocalProtocolError` without one), and raise `TransportError` or `LinkError` when it
    is lost, also when the meter has ended the association and now refuses everything; it must then be left. `RemoteProtocolError` and `DecodeError` mean that the meter's answer makes no sense,
    `RemoteProtocolError` also that it does not offer the service, and `SecurityError`, with keys, that an answer cannot
    be trusted. Several tasks may share a session: their requests take turns.

    A `Data` is a value as it stands in the meter: a number without its scaler and unit, which `read` applies.
    """

    async def get(
        self,
        attribute: AttributeDescriptor,
        access: SelectiveAccess | None = None,
        progress: procedures.Progress | None = None,
        *,
        high_priority: bool | None = None,
    ) -> Data:
        """Read one attribute, or the part of it that `access` selects; return what the meter tells, as it stands there.

        `progress` is told the number of octets received so far, when the value comes in blocks. `high_priority` here and
        elsewhere: None for what the meter knows; with short names there are no priorities.
        Raises `ServiceError` when the meter refuses.
        """
        value = await self._get_undecoded(attribute, access, progress, high_priority)
        if isinstance(value, Data):
            return value
        return await in_turns(read_data_in_slices(Reader(value)))

    async def _get_undecoded(
        self,
        attribute: AttributeDescriptor,
        access: SelectiveAccess | None,
        progress: procedures.Progress | None,
        high_priority: bool | None = None,
    ) -> Data | bytes:
        for _ in range(self._restarts):
            try:
                return await self._run(
                    procedures.get_undecoded(
                        self._association, attribute, access, progress, high_priority
                    )
                )
            except ServiceError as error:
                if error.result not in _TRANSFER_BROKEN:
                    raise
        return await self._run(
            procedures.get_undecoded(
                self._association, attribute, access, progress, high_priority
            )
        )

    async def get_many(
        self, attributes: Sequence[AttributeDescriptor]
    ) -> dict[AttributeDescriptor, Data | DlmsError]:
        """Read several attributes in as few requests as the meter allows; return what it tells of each, as it stands there.

        What it refuses, or garbles, is in the result as the `ServiceError` or `DecodeError`, and not raised.
        """
        answers = await self._connection.run(
            procedures.get_many(self._association, attributes, self._frame_limits)
        )
        await self._see_whether_it_ended(answers.values())
        if self._restarts:
            for attribute, answer in answers.items():
                if getattr(answer, "result", None) in _TRANSFER_BROKEN:
                    try:
                        answers[attribute] = await self.get(attribute)
                    except ServiceError as error:
                        answers[attribute] = error.with_traceback(None)
        return answers

    async def set(
        self,
        attribute: AttributeDescriptor,
        data: Data,
        access: SelectiveAccess | None = None,
        *,
        confirmed: bool = True,
        high_priority: bool | None = None,
    ) -> None:
        """Write one attribute, or the part of it that `access` selects; attribute 0 is all of them, in a structure.

        Not `confirmed`, the meter does not tell whether it was written. Raises `ServiceError` when the meter refuses,
        `LocalProtocolError` when the value is too long for it.
        """
        await self._run(
            procedures.set_attribute(
                self._association,
                attribute,
                data,
                access=access,
                confirmed=confirmed,
                high_priority=high_priority,
            )
        )

    async def set_many(
        self, values: Mapping[AttributeDescriptor, Data]
    ) -> dict[AttributeDescriptor, ServiceError | None]:
        """Write several attributes in as few requests as the meter allows.

        Returns None for each that was written, and the `ServiceError` for each that was refused, which is not raised.
        """
        outcomes = await self._connection.run(
            procedures.set_many(self._association, values)
        )
        await self._see_whether_it_ended(outcomes.values())
        return outcomes

    async def invoke(
        self,
        method: MethodDescriptor,
        data: Data | None = None,
        *,
        confirmed: bool = True,
        high_priority: bool | None = None,
    ) -> Data | None:
        """Invoke one method, and return what it returns, as it stands there; None when that is nothing.

        Not `confirmed`, the meter does not tell whether it was done. Raises `ServiceError` when the meter refuses.
        """
        return await self._run(
            procedures.invoke(self._association, method, data, confirmed, high_priority)
        )

    async def invoke_many(
        self, calls: Sequence[tuple[MethodDescriptor, Data | None]]
    ) -> tuple[Data | ServiceError | None, ...]:
        """Invoke several methods in their order.

        Returns for each what it returns, None when that is nothing, or the `ServiceError` it was refused with, which is
        not raised.
        """
        outcomes = await self._connection.run(
            procedures.invoke_many(self._association, calls)
        )
        await self._see_whether_it_ended(outcomes)
        return outcomes

    async def access(
        self,
        items: Sequence[procedures.AccessItem],
        *,
        break_on_error: bool = False,
        confirmed: bool = True,
        high_priority: bool | None = None,
    ) -> tuple[procedures.AccessOutcome, ...]:
        """Read, write and invoke by one request, in the order given; with `break_on_error` not beyond a failure.

        For meters with logical names that offer ACCESS. Returns an outcome for each, what it was refused with included;
        none when not `confirmed`. Raises `ServiceError` when the meter refuses the request as a whole.
        """
        return await self._run(
            procedures.access(
                self._association,
                items,
                break_on_error=break_on_error,
                confirmed=confirmed,
                high_priority=high_priority,
            )
        )

    async def objects(
        self, progress: procedures.Progress | None = None
    ) -> tuple[CosemObject, ...]:
        """Read which objects the meter has, as far as this client may know, with their rights; `progress` as in `get`.

        A slow line can take minutes. Raises `ServiceError` when the meter refuses, `DecodeError` when what it tells is no
        list of objects.
        """
        value = await self._get_undecoded(OBJECT_LIST, None, progress)
        return await in_turns(read_object_list(value))

    async def read(
        self,
        attributes: Iterable[AttributeDescriptor],
        scaler_units: dict[AttributeDescriptor, ScalerUnit],
    ) -> ReadReport:
        """Read values with their meaning: scaled, with their unit, times as such; one that fails spoils no other.

        `scaler_units` is the caller's to keep, by the attribute that tells each: what is missing there is read along and
        added. A number whose scaler cannot be had fails as well: nobody could tell by how many powers of ten it is off.
        """
        scalers = {attribute: scaler_unit_of(attribute) for attribute in attributes}
        missing = [
            s for s in scalers.values() if s is not None and s not in scaler_units
        ]
        answers = await self.get_many([*scalers, *missing])
        report = ReadReport({}, {})
        for attribute, scaler in scalers.items():
            try:
                data = _value_in(answers[attribute])
                if scaler is not None and scaler not in scaler_units:
                    scaler_units[scaler] = decode_scaler_unit(
                        _value_in(answers[scaler])
                    )
                scaler_unit = None if scaler is None else scaler_units[scaler]
                report.values[attribute] = to_value(attribute, data, scaler_unit)
            except DlmsError as error:
                # Its traceback would hold this frame, with all that was read.
                report.failed[attribute] = error.with_traceback(None)
        return report

    async def keep_alive(self) -> None:
        """Ask for something short, so that the meter does not end a session that nobody uses.

        Raises `TransportError` or `LinkError` when it has ended it.
        """
        self._connection.rested = True
        with suppress(DecodeError, RemoteProtocolError, ServiceError):
            await self.get(_LOGICAL_DEVICE_NAME)

    async def learn_inactivity_timeout(self) -> None:
        """Ask the meter once after how long it ends a session that nobody uses; `memory` has the answer, in seconds.

        Raises `TransportError` or `LinkError` when the session is lost; a meter that does not tell is not asked again.
        """
        if self.memory.inactivity_timeout is not None:
            return
        seconds = None
        with suppress(DecodeError, RemoteProtocolError, ServiceError):
            teller = _INACTIVITY_TIMEOUTS[self.settings.framing]
            seconds = (await self.get(teller)).value
        self.memory.inactivity_timeout = (
            max(seconds, 0) if isinstance(seconds, int) else 0
        )

    @property
    def inactivity_timeout(self) -> float:
        """Seconds without a request after which the meter ends a session: as it says, or as it is set here if that is less."""
        limit = self.settings.inactivity_timeout
        return min(self.memory.inactivity_timeout or limit, limit)

    async def read_profile(
        self,
        profile: Obis,
        selection: Selection,
        scaler_units: dict[AttributeDescriptor, ScalerUnit],
        *,
        columns: Collection[AttributeDescriptor] | None = None,
        now: datetime | None = None,
        time_zone: tzinfo | None = None,
        progress: procedures.Progress | None = None,
    ) -> ProfileRows:
        """Read rows of a profile (Profile generic, by its logical name), oldest first, with their moments in UTC.

        The values of a row have their meaning, as those of `read`.

        `columns` are the captured attributes that are wanted, None for all. `scaler_units` is the caller's to keep, as
        for `read`. The meter's clock is compared once with `now` (aware; None for the host's clock) to learn what its
        date-times mean; `time_zone` is the one of its place, and helps where they do not say enough. What was learned of
        the meter is in `memory`. `progress` is told the number of octets of each answer so far.

        Selective access that the meter does not understand is replaced by other ways, down to reading everything.
        Raises `LocalProtocolError` for columns or times the profile has not, `ServiceError` when the meter refuses.
        """
        reading = read_profile(
            profile,
            selection,
            self.memory,
            scaler_units,
            now=datetime.now(UTC) if now is None else now,
            columns=columns,
            time_zone=time_zone,
        )
        return await carry_out(
            reading,
            get_many=self.get_many,
            get_part=lambda attribute, access: self._get_undecoded(
                attribute, access, progress
            ),
        )

    async def read_compact_data(
        self,
        name: Obis,
        scaler_units: dict[AttributeDescriptor, ScalerUnit],
        *,
        time_zone: tzinfo | None = None,
    ) -> ProfileRows:
        """Read what a Compact data object holds now: one row, a column for each captured object.

        Arguments as for `read_profile`. Raises `ServiceError` when the meter refuses, `DecodeError` when what it tells
        of the object does not fit together.
        """
        return await carry_out(
            read_compact_data(name, self.memory, scaler_units, time_zone=time_zone),
            get_many=self.get_many,
            get_part=lambda attribute, access: self._get_undecoded(
                attribute, access, None
            ),
        )

    async def identity(self) -> Identity:
        """Read who the meter is: logical device name, serial number, firmware, device type, as far as it tells.

        Raises `DecodeError` when it tells neither its logical device name nor a serial number, `ServiceError` when it
        refuses to.
        """
        answers = await self.get_many(IDENTITY_ATTRIBUTES)
        told = {
            attribute: answer
            for attribute, answer in answers.items()
            if not isinstance(answer, DlmsError)
        }
        try:
            return Identity.from_answers(told)
        except DecodeError:
            for answer in answers.values():
                if isinstance(answer, ServiceError):
                    raise answer from None
            raise

    async def _run[T](self, procedure: procedures.Procedure[T]) -> T:
        """Carry out a procedure. Raises `LinkError` in the place of a refusal that is the end of the association."""
        try:
            return await self._connection.run(procedure)
        except ServiceError as error:
            await self._see_whether_it_ended([error])
            raise

    async def _see_whether_it_ended(self, outcomes: Reversible[object]) -> None:
        """Raise `LinkError` when the meter refused the last request because it has ended the association.

        Refusals behind that are no sign of life: with short names, what is not in the object list is never asked for.
        """
        for outcome in reversed(outcomes):
            if not isinstance(outcome, ServiceError):
                return
            if refuses_request(outcome):
                asking = see_whether_it_ended(self._association, outcome)
                await self._connection.run(asking)
                return


def _value_in(answer: Data | DlmsError) -> Data:
    """Return what the meter answered for one attribute; raise what it refused it with."""
    if isinstance(answer, DlmsError):
        raise answer
    if has_more_elements(answer, _MOST_ELEMENTS):
        raise DecodeError(
            f"more than {_MOST_ELEMENTS} elements are too many for a reading: use get"
        )
    return answer
