"""Whatever goes wrong, no counting sensor ever shows 0, or a number that the meter does not stand at.

Home Assistant books every difference between two states as consumption: one wrong state is a wrong bill.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import CONF_KEEP_OPEN
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    DataAccessResult,
    DataType,
    Mechanism,
    Obis,
    ScalerUnit,
    TransportError,
    Unit,
    decode_scaler_unit,
)
from custom_components.dlms_meter.settings import from_input
from tests.home import DEVICE, EVENING, NOBODY, WITH_PASSWORD, Line, answer_of
from tests.models import extended, mbus_client
from tests.simulator import ClientRule, Meter, MeterSettings, WrapperSession
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import (
    NULL,
    boolean,
    octets,
    structure,
    text,
    uint8,
    uint32,
)

pytestmark = [pytest.mark.usefixtures("impatient"), pytest.mark.freeze_time(EVENING)]

OBJECTS = (
    *HOUSEHOLD_METER,
    mbus_client(1, 0x12345678, 0x2324, 3),
    extended("0-1:24.2.1", 1_234_567, -3, Unit.CUBIC_METRE, uint8(0)),
)
COUNTING = [
    AttributeDescriptor(item.class_id, item.logical_name, 2)
    for item in OBJECTS
    if item.logical_name.d == 8
    and item.class_id == 3
    and item.logical_name.a == 1
    and item.logical_name.c in (1, 2)  # reactive energy waits to be chosen
] + [AttributeDescriptor(4, Obis.parse("0-1:24.2.1"), 2)]
COUNTING_CLASSES = ("energy", "gas")
NOTHING_SHOWN = ("unavailable", "unknown")
HEAD = 8
"""Octets of the wrapper before the APDU."""
GET = 0xC0
_PATIENCE = 1
"""Seconds: so much time goes by where an answer does not come."""


@pytest.fixture(autouse=True)
async def unloaded(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> AsyncIterator[None]:
    """Close what is kept open."""
    assert not line.wires
    yield
    await hass.config_entries.async_unload(entry.entry_id)


def healthy(line: Line) -> Meter:
    return Meter(now=line.meter.now, objects=OBJECTS)


def is_number(state: State) -> bool:
    return state.state not in NOTHING_SHOWN


class Witness:
    """Notes every state of a counting sensor that is not what the meter stands at in that moment."""

    def __init__(self, hass: HomeAssistant, meter: Meter) -> None:
        self._hass = hass
        self._meter = meter
        self.numbers = 0
        self.lies: list[str] = []
        hass.bus.async_listen(EVENT_STATE_CHANGED, self.note)

    @callback
    def note(self, event: Event[EventStateChangedData]) -> None:
        """Look at a new state."""
        state = event.data["new_state"]
        if state is None or not _counts(state) or not is_number(state):
            return
        self.numbers += 1
        if not self.is_true(state):
            self.lies.append(str(state))

    def is_true(self, state: State) -> bool:
        """Tell whether a state is what the meter stands at now."""
        code = Obis.parse(state.attributes["obis_code"])
        [counted] = [each for each in COUNTING if each.logical_name == code]
        truth = self._value(counted, decode_scaler_unit(self._told(counted, 3)))
        return abs(Decimal(state.state) - truth) < Decimal("0.0001")

    def _value(self, counted: AttributeDescriptor, scaler_unit: ScalerUnit) -> Decimal:
        number = self._told(counted, 2).value
        assert isinstance(number, int)
        thousands = 0 if scaler_unit.unit == Unit.CUBIC_METRE else -3  # kWh, kvarh
        return Decimal(number).scaleb(scaler_unit.scaler + thousands)

    def _told(self, counted: AttributeDescriptor, attribute_id: int) -> Data:
        return answer_of(self._meter, counted._replace(attribute_id=attribute_id))

    def shown(self) -> list[State]:
        """Return the counting sensors there are."""
        return [
            state for state in self._hass.states.async_all("sensor") if _counts(state)
        ]


def _counts(state: State) -> bool:
    return (
        state.attributes.get("device_class") in COUNTING_CLASSES
        and "state_class" in state.attributes
    )


# --- What goes wrong --------------------------------------------------------------------------------------------------

type Fault = Callable[[Line, FrozenDateTimeFactory], None]


def nobody_connects(line: Line, _: FrozenDateTimeFactory) -> None:
    line.broken = NOBODY


def nobody_answers(line: Line, freezer: FrozenDateTimeFactory) -> None:
    def wait(_: bytes) -> bytes:
        freezer.tick(_PATIENCE)
        return b""

    line.answer = wait


def nonsense_is_answered(line: Line, _: FrozenDateTimeFactory) -> None:
    line.answer = lambda _: bytes.fromhex("0001000100010002FFFF")


def another_password(line: Line, _: FrozenDateTimeFactory) -> None:
    rule = ClientRule(1, Mechanism.LLS, b"87654321")
    line.meter = Meter(
        MeterSettings(clients=(rule,)), now=line.meter.now, objects=OBJECTS
    )


def nobody_is_let_in(line: Line, _: FrozenDateTimeFactory) -> None:
    line.meter = Meter(MeterSettings(clients=()), now=line.meter.now, objects=OBJECTS)


def another_meter(line: Line, _: FrozenDateTimeFactory) -> None:
    """It began to count from another number."""
    settings = MeterSettings(serial_number="99999999", seed=2)
    line.meter = Meter(settings, now=line.meter.now, objects=OBJECTS)


def refused(result: DataAccessResult) -> Fault:
    def fault(line: Line, _: FrozenDateTimeFactory) -> None:
        line.meter.refusals |= dict.fromkeys(COUNTING, result)

    return fault


def told(data: Data) -> Fault:
    def fault(line: Line, _: FrozenDateTimeFactory) -> None:
        line.meter.written |= dict.fromkeys(COUNTING, data)

    return fault


def cut_short(line: Line, _: FrozenDateTimeFactory) -> None:
    """The connection breaks in the middle of each answer with values."""

    class Short(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            answer = super().receive_data(data)
            if data[HEAD] != GET:
                return answer
            fault = TransportError("somebody pulled the plug")
            asyncio.get_running_loop().call_soon(line.wires[-1].lose, fault)
            return answer[: len(answer) // 2]

    line.framing = Short


def service_refused(line: Line, _: FrozenDateTimeFactory) -> None:
    """Every GET is answered with an exception response."""

    class Refusing(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            answer = super().receive_data(data)
            if data[HEAD] != GET:
                return answer
            return answer[:6] + bytes.fromhex("0003 D80102")

    line.framing = Refusing


def dropped_after(answers: int) -> Fault:
    """The connection breaks when the meter has answered so many times."""

    def fault(line: Line, _: FrozenDateTimeFactory) -> None:
        class Dropping(WrapperSession):
            left = answers

            def receive_data(self, data: bytes) -> bytes:
                if not self.left:
                    line.wires[-1].lose(TransportError("somebody pulled the plug"))
                    return b""
                self.left -= 1
                return super().receive_data(data)

        line.framing = Dropping

    return fault


UNAVAILABLE = {"unavailable"}
UNKNOWN = {"unknown"}
FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "nobody connects": (nobody_connects, UNAVAILABLE),
    "nobody answers": (nobody_answers, UNAVAILABLE),
    "nonsense is answered": (nonsense_is_answered, UNAVAILABLE),
    "answers are cut short": (cut_short, UNAVAILABLE),
    "the service is refused": (service_refused, UNAVAILABLE),
    "another password": (another_password, UNAVAILABLE),
    "nobody is let in": (nobody_is_let_in, UNAVAILABLE),
    "another meter": (another_meter, UNAVAILABLE),
    **{
        f"refused: {result.name}": (refused(result), UNAVAILABLE)
        for result in (
            DataAccessResult.HARDWARE_FAULT,
            DataAccessResult.TEMPORARY_FAILURE,
            DataAccessResult.READ_WRITE_DENIED,
            DataAccessResult.OBJECT_UNDEFINED,
            DataAccessResult.OTHER_REASON,
        )
    },
    "null-data": (told(NULL), UNKNOWN),
    "no number": (told(Data(DataType.FLOAT64, float("nan"))), UNKNOWN),
    "infinity": (told(Data(DataType.FLOAT64, float("inf"))), UNKNOWN),
    "text": (told(text("0")), UNKNOWN),
    "octets": (told(octets(bytes(4))), UNKNOWN),
    "no octets": (told(octets(b"")), UNKNOWN),
    "false": (told(boolean(False)), UNKNOWN),
    "a structure": (told(structure(uint32(0))), UNKNOWN),
    **{
        f"dropped after {answers} answers": (dropped_after(answers), UNAVAILABLE)
        for answers in range(4)
    },
}
EACH_FAULT = pytest.mark.parametrize("fault", FAULTS)


async def set_up(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, *, keeps_open: bool
) -> Witness:
    witness = Witness(hass, line.meter)
    hass.config_entries.async_update_entry(
        entry, data=from_input(WITH_PASSWORD), options={CONF_KEEP_OPEN: keeps_open}
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return witness


async def poll(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: MockConfigEntry
) -> None:
    freezer.tick(60)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


def mend(line: Line, meter: Meter) -> None:
    line.broken, line.answer, line.framing = None, None, WrapperSession
    meter.refusals.clear()
    meter.written.clear()
    line.meter = meter
    line.interrupt()


@pytest.mark.parametrize("keeps_open", [False, True], ids=["each time", "kept open"])
@EACH_FAULT
async def test_fault_shows_no_number(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    fault: str,
    *,
    keeps_open: bool,
) -> None:
    """Neither 0 nor what was true before; when it is over, the meter's own numbers again."""
    line.meter = meter = healthy(line)
    witness = await set_up(hass, line, entry, keeps_open=keeps_open)
    assert len(witness.shown()) == len(COUNTING)
    assert all(map(witness.is_true, witness.shown()))

    break_it, shown = FAULTS[fault]
    break_it(line, freezer)
    if (
        line.meter is not meter
        or line.broken
        or line.answer
        or line.framing is not WrapperSession
    ):
        line.interrupt()
    for _ in range(3):
        await poll(hass, freezer, entry)
        assert {state.state for state in witness.shown()} == shown

    mend(line, meter)
    if entry.runtime_data.is_refused:
        await hass.config_entries.async_reload(entry.entry_id)
    await poll(hass, freezer, entry)
    assert len(witness.shown()) == len(COUNTING)
    assert all(map(witness.is_true, witness.shown()))
    assert witness.numbers >= 2 * len(COUNTING)
    assert not witness.lies


@EACH_FAULT
async def test_fault_from_the_beginning_shows_no_number(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    fault: str,
) -> None:
    line.meter = healthy(line)
    witness = Witness(hass, line.meter)
    break_it, shown = FAULTS[fault]
    break_it(line, freezer)
    await set_up(hass, line, entry, keeps_open=False)
    assert {state.state for state in witness.shown()} <= shown
    assert not witness.numbers
    assert not witness.lies


@pytest.mark.parametrize(
    "scaler", [DataAccessResult.READ_WRITE_DENIED, NULL, uint8(0), structure(uint8(0))]
)
async def test_scaler_that_is_not_told(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    scaler: Data | DataAccessResult,
) -> None:
    """Nobody can say by how many powers of ten a number is off."""
    line.meter = meter = healthy(line)
    for counted in COUNTING:
        teller = counted._replace(attribute_id=3)
        if isinstance(scaler, Data):
            meter.written[teller] = scaler
        else:
            meter.refusals[teller] = scaler
    witness = Witness(hass, healthy(line))
    await set_up(hass, line, entry, keeps_open=False)
    await poll(hass, freezer, entry)
    told_without_scaler = witness.numbers
    assert told_without_scaler == 0
    mend(line, meter)
    await poll(hass, freezer, entry)
    assert len(witness.shown()) == len(COUNTING)  # those with a unit
    assert all(map(witness.is_true, witness.shown()))
    assert not witness.lies


async def test_connection_that_breaks_between_two_readings(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """The next reading connects anew, and is true."""
    line.meter = healthy(line)
    witness = await set_up(hass, line, entry, keeps_open=True)
    for _ in range(3):
        line.interrupt()
        await poll(hass, freezer, entry)
        assert all(is_number(state) for state in witness.shown())
        assert all(map(witness.is_true, witness.shown()))
    assert not witness.lies


@pytest.mark.parametrize("number", [0, 1, 4_000_000_000])
async def test_number_that_cannot_be_true(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    number: int,
) -> None:
    """The last true one is shown for three polls, and never the wrong one; then the meter's own again."""
    line.meter = meter = healthy(line)
    witness = await set_up(hass, line, entry, keeps_open=False)
    before = {state.entity_id: state.state for state in witness.shown()}
    told(uint32(number))(line, freezer)
    for _ in range(3):
        await poll(hass, freezer, entry)
        assert {state.entity_id: state.state for state in witness.shown()} == before
    mend(line, meter)
    await poll(hass, freezer, entry)
    assert all(map(witness.is_true, witness.shown()))
    assert not witness.lies


async def test_the_witness_would_see_it(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    line.meter = healthy(line)
    witness = await set_up(hass, line, entry, keeps_open=False)
    state = hass.states.get(f"sensor.{DEVICE}_energy_import")
    assert state is not None
    for wrong in ("0", "0.0", str(float(state.state) - 0.001)):
        witness.lies.clear()
        hass.states.async_set(state.entity_id, wrong, state.attributes)
        await hass.async_block_till_done()
        assert len(witness.lies) == 1
