"""What a client may ask of a meter, and what must come of it: the truth, or an error that says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import Random

from custom_components.dlms_meter.dlms import (
    AccessItem,
    AttributeDescriptor,
    Data,
    DataAccessResult,
    DlmsError,
    EntryRange,
    LastEntries,
    Mechanism,
    Obis,
    Selection,
    ServiceError,
    TimeRange,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute
from tests.dlms.cosem.profiled import (
    BUFFER,
    COUNT,
    ENERGY,
    FIRST,
    NOW,
    PROFILE,
    QUARTER,
    VOLTAGE,
    energy_at,
)
from tests.simulator import AssociationFacts
from tests.simulator.clients import by_entry
from tests.simulator.objects import NULL, octets, structure
from tests.simulator.settings import EVERY_SERVICE

from .scenarios import ECHO, MESSAGES, World

CLOCK = AttributeDescriptor(8, Obis.parse("0-0:1.0.0"), 2)
SCALER = ENERGY._replace(attribute_id=3)
UNKNOWN = AttributeDescriptor(3, Obis.parse("1-0:99.8.0"), 2)
FIXED = (ENERGY, VOLTAGE, CLOCK, SCALER)
ALL = [FIRST + n * QUARTER for n in range(1, COUNT + 1)]
_FACTS = AssociationFacts(3, Mechanism.LLS, EVERY_SERVICE, 0)
_EXTRA_OCTETS = (0, 0, 0, 30, 180, 700, 2100)
"""Of values that are written: many are equally long, some need blocks."""


class Operations:
    """Uses a client, and holds what it says against what the meter knows."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self.random = random
        self.client = world.client()
        self.may_fail = not world.scenario.is_sound
        """Whether something happened after which requests may fail."""
        self._numbers = count(1)

    @property
    def all(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What can be asked of this meter."""
        everywhere = [
            self.get, self.get, self.get_many, self.get_unknown, self.get_selected, self.read_profile,
            self.set, self.set, self.set_many, self.set_unconfirmed, self.invoke, self.invoke_many,
        ]  # fmt: skip
        if self.world.scenario.short_names:
            return everywhere
        return [*everywhere, self.get_all, self.set_all, self.access]

    # The truth

    def _age(self, attribute: AttributeDescriptor) -> int:
        """Return how many values were there before the present one."""
        return len(self.world.meter.held.get(attribute, [NULL])) - 1

    def _is_true(self, attribute: AttributeDescriptor, age: int, value: object) -> bool:
        """Tell whether the meter held this value at any time since it had that age."""
        if attribute in MESSAGES:
            return value in self.world.meter.held[attribute][age:]
        return value == self.world.meter.read(_FACTS, SelectedAttribute(attribute))

    def _new(self, sizes: tuple[int, ...] = _EXTRA_OCTETS) -> Data:
        """Make a value that never was before."""
        number = f"{next(self._numbers):08}".encode()
        return octets(number + bytes(self.random.choice(sizes)))

    def _check_done(self, times: int) -> None:
        assert times == 1 or (times and self.world.scenario.network.doubled), times

    @contextmanager
    def _writes(self, values: dict[AttributeDescriptor, Data]) -> Iterator[None]:
        """See to it that values are written once, or, when that fails, not more than once."""
        written = self.world.meter.held
        try:
            yield
        except BaseException:
            for attribute, value in values.items():
                if times := written[attribute].count(value):
                    self._check_done(times)
            raise
        for attribute, value in values.items():
            self._check_done(written[attribute].count(value))

    async def _let_it_arrive(self) -> None:
        """Wait for what is not answered: a datagram may be overtaken by the next one."""
        if self.world.scenario.over_udp:
            await asyncio.sleep(1)

    # Reading

    async def get(self) -> None:
        attribute = self.random.choice((*FIXED, *MESSAGES))
        priority = self.random.choice((None, True, False))
        age = self._age(attribute)
        value = await self.client.get(attribute, high_priority=priority)
        assert self._is_true(attribute, age, value), f"{attribute}: {value}"

    async def get_unknown(self) -> None:
        with suppress(ServiceError):
            value = await self.client.get(UNKNOWN)
            raise AssertionError(f"nobody knows {value}")

    async def get_many(self) -> None:
        pool = (*FIXED, *MESSAGES, UNKNOWN)
        wanted = self.random.sample(pool, self.random.randint(2, len(pool)))
        ages = [self._age(attribute) for attribute in wanted]
        answers = await self.client.get_many(wanted)
        assert [*answers] == wanted
        for age, (attribute, value) in zip(ages, answers.items(), strict=True):
            if isinstance(value, DlmsError):
                assert attribute == UNKNOWN or self.may_fail, f"{attribute}: {value!r}"
            else:
                assert self._is_true(attribute, age, value), f"{attribute}: {value}"

    async def get_all(self) -> None:
        """Attribute 0."""
        attribute = self.random.choice(MESSAGES)
        age = self._age(attribute)
        whole = await self.client.get(attribute._replace(attribute_id=0))
        assert isinstance(whole.value, tuple)
        name, value = whole.value
        assert name == octets(attribute.logical_name)
        assert self._is_true(attribute, age, value)

    async def get_selected(self) -> None:
        first = self.random.randint(1, COUNT - 10)
        access = by_entry(first, first + 9)
        expected = self.world.meter.read(_FACTS, SelectedAttribute(BUFFER, access))
        try:
            value = await self.client.get(BUFFER, access)
        except ServiceError as error:
            if error.result != expected:
                raise
        else:
            assert value == expected

    async def read_profile(self) -> None:
        first, last = sorted(self.random.choices(range(COUNT), k=2))
        number = self.random.randint(1, 12)
        by_number = ALL[::-1] if self.world.scenario.quirks.newest_first else ALL
        selections: dict[Selection, list[datetime]] = {
            TimeRange(ALL[first], ALL[last]): ALL[first : last + 1],
            TimeRange(ALL[first]): ALL[first:],
            LastEntries(number): ALL[-number:],
            EntryRange(first + 1, last + 1): sorted(by_number[first : last + 1]),
            WholeBuffer(): ALL,
        }
        selection = self.random.choice([*selections])
        rows = await self.client.read_profile(
            PROFILE, selection, {}, columns=[ENERGY, VOLTAGE], now=NOW
        )
        assert [*rows.moments] == selections[selection]
        for moment, values in rows:
            assert moment is not None
            voltage = Decimal(2300 + moment.hour) / 10
            assert values == (energy_at(moment) * 10, voltage)

    # Writing

    async def set(self) -> None:
        attribute, value = self.random.choice(MESSAGES), self._new()
        with self._writes({attribute: value}):
            await self.client.set(attribute, value)

    async def set_all(self) -> None:
        """Attribute 0."""
        attribute, value = self.random.choice(MESSAGES), self._new()
        with self._writes({attribute: value}):
            whole = attribute._replace(attribute_id=0)
            await self.client.set(whole, structure(NULL, value))

    async def set_unconfirmed(self) -> None:
        attribute, value = self.random.choice(MESSAGES), self._new((0,))
        await self.client.set(attribute, value, confirmed=False)
        await self._let_it_arrive()
        if not self.may_fail:
            with self._writes({attribute: value}):
                await self.client.get(ENERGY)

    async def set_many(self) -> None:
        values = {each: self._new() for each in MESSAGES if self.random.random() < 0.8}
        refused = {ENERGY: self._new()} if self.random.random() < 0.3 else {}
        outcomes = {}
        with self._writes(values if not self.may_fail else {}):
            outcomes = await self.client.set_many(values | refused)
        for attribute, outcome in outcomes.items():
            if attribute == ENERGY:
                assert outcome is not None
            elif outcome is None:
                held = self.world.meter.held[attribute]
                self._check_done(held.count(values[attribute]))
            else:
                assert self.may_fail, outcome

    def _check_returned(self, value: Data, outcome: object) -> None:
        scenario = self.world.scenario
        returns_nothing = (
            scenario.short_names and scenario.service_quirks.calls_by_write
        )
        assert outcome == (None if returns_nothing else value)

    async def invoke(self) -> None:
        value = self._new()
        returned = await self.client.invoke(ECHO, value)
        self._check_returned(value, returned)
        self._check_done(self.world.meter.calls.count((ECHO, value)))

    async def invoke_many(self) -> None:
        values = [self._new() for _ in range(self.random.randint(2, 3))]
        outcomes = await self.client.invoke_many([(ECHO, value) for value in values])
        for value, outcome in zip(values, outcomes, strict=True):
            if not (isinstance(outcome, ServiceError) and self.may_fail):
                self._check_returned(value, outcome)

    async def access(self) -> None:
        attribute, value = self.random.choice(MESSAGES), self._new((0,))
        items = [
            AccessItem.get(ENERGY),
            AccessItem.set(attribute, value),
            AccessItem.get(attribute),
            AccessItem.action(ECHO, value),
            AccessItem.get(UNKNOWN),
        ]
        if self.random.random() < 0.2:
            assert await self.client.access(items, confirmed=False) == ()
            await self._let_it_arrive()
            return
        with self._writes({attribute: value}):
            energy, _, read, called, unknown = await self.client.access(items)
        assert self._is_true(ENERGY, 0, energy.value)
        assert read.value == called.value == value
        assert unknown.result is DataAccessResult.OBJECT_UNDEFINED
