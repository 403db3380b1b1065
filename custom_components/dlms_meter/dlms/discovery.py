"""Finding a meter of which nothing is known but the port: which questions to ask, in which order, and asking them.

Safe by construction: every question is an association without security, so no password can be sent, none can be
wrong, and nothing in the meter is written. `questions` is the plan, a generator without clock or network: it yields
a `Probe` and is sent how far that came. `find_meter` carries the plan out, one short session a probe.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from .application.enums import Conformance, Mechanism
from .client import DlmsClient
from .client_settings import ClientSettings, Framing
from .codec.data import Data
from .cosem.descriptors import AttributeDescriptor
from .cosem.identity import Identity
from .cosem.meter_memory import MeterMemory
from .cosem.meters import METERS, AddressRule, Approach, KnownMeter, ServerAddress
from .cosem.obis import Obis
from .errors import DlmsError
from .link.mode_e import SignOnSettings
from .symptom import Symptom, symptom_of
from .transport.endpoint import Endpoint, LineSettings, SerialEndpoint, UdpEndpoint

PUBLIC_CLIENT: Final = 16
_OTHER_CLIENTS: Final = (32, 1, 2, 48)
"""Clients that some meters know instead of the public one, or beside it."""

_USUAL_SPEED: Final = 9600
_OTHER_SPEEDS: Final = (19200, 2400, 4800, 115200, 38400, 57600, 1200)
_USUAL_ADDRESSES: Final = (
    ServerAddress(1, 17),
    ServerAddress(1),
    ServerAddress(1, 16),
)
_WRAPPER_PORT: Final = 4059

PROBE_TIMEOUT: Final = 1.2
"""Seconds of silence after which nobody is there; a meter that is there answers within some tenths."""
PAUSE: Final = 0.3
"""Seconds between two probes: gateways and meters want to notice that one is over."""

_FAILURE_LIMIT: Final = 2
"""So many answers without a sound frame, and the speed is taken for wrong; so many sign-ons without an answer, and there is none."""


_UNEXPLAINED: Final = {Symptom.ASSOCIATION_REJECTED, Symptom.ANSWER_INCOMPLETE}
"""Perhaps the meter knows its objects by other names, and does not say so."""
_READING: Final = {False: Conformance.GET, True: Conformance.READ}
"""What a meter agrees to that can be read, by whether it is asked by short names."""


class Line(NamedTuple):
    """One way to talk on a connection; `speed` in baud, None where the connection has none."""

    approach: Approach
    speed: int | None = None


class Probe(NamedTuple):
    """One question: whether there is a meter on this line, at this address, that lets this client in."""

    line: Line
    address: ServerAddress
    client_sap: int = PUBLIC_CLIENT
    short_names: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A meter that let us in without security, and what it says about itself.

    `reads_openly`: its energy can be read so; otherwise a password or keys will be needed.
    `counters` are the numbers of the invocation counters it shows: it can cipher. `logical_devices` are those it lists.
    `memory` is what was learned of it, after how long it ends an idle session included (class IEC HDLC setup or TCP-UDP
    setup); what another client would learn may differ.
    """

    probe: Probe
    settings: ClientSettings
    identity: Identity | None = None
    reads_openly: bool = False
    counters: tuple[int, ...] = ()
    logical_devices: tuple[int, ...] = ()
    memory: MeterMemory = field(default_factory=MeterMemory)


@dataclass(slots=True)
class ScanReport:
    """How a scan went: what was seen on each line, and the meter, if one was found.

    `best` is the probe that came furthest without being let in. `wanting` are the clients of whom the meter wants to
    know who they are.
    """

    seen: dict[Line, Symptom] = field(default_factory=dict)
    probes: int = 0
    found: Found | None = None
    best: Probe | None = None
    wanting: list[int] = field(default_factory=list)
    proposal: ClientSettings | None = None
    """How to speak to the meter: as it let us in, or as it wants to know who we are; None when there is none."""

    @property
    def symptom(self) -> Symptom | None:
        """Return how far the scan came at best; None before the first probe."""
        return max(self.seen.values(), key=lambda symptom: symptom.rung, default=None)

    def note(self, probe: Probe, symptom: Symptom) -> None:
        """Note how far one probe came."""
        before = self.symptom
        if before is None or symptom.rung > before.rung:
            self.best = probe
        if symptom is Symptom.AUTHENTICATION_WANTED:
            self.wanting.append(probe.client_sap)
        known = self.seen.get(probe.line, symptom)
        self.seen[probe.line] = max(known, symptom, key=lambda one: one.rung)


class Outcome(NamedTuple):
    """What came of a probe: how far it came, and the letters of the maker if the meter signed on with them."""

    symptom: Symptom
    maker: str | None = None


type Questions = Generator[Probe, Outcome]


def lines_of(endpoint: Endpoint) -> tuple[Line, ...]:
    """Return the ways to talk over a connection, the likeliest first."""
    if isinstance(endpoint, SerialEndpoint):
        if not endpoint.changes_speed:
            return (Line(Approach.HDLC, endpoint.line.speed),)
        return (
            Line(Approach.HDLC, _USUAL_SPEED),
            Line(Approach.SIGN_ON, _USUAL_SPEED),
            *(Line(Approach.HDLC, speed) for speed in _OTHER_SPEEDS),
        )
    wrapper, hdlc = Line(Approach.WRAPPER), Line(Approach.HDLC)
    if isinstance(endpoint, UdpEndpoint):
        return (wrapper,)
    return (wrapper, hdlc) if endpoint.port == _WRAPPER_PORT else (hdlc, wrapper)


def questions(lines: Sequence[Line], serial_number: str | None = None) -> Questions:
    """Plan a scan: yield probes, be sent what came of each, and end when no further one makes sense.

    A sound frame or an answered sign-on settles the line, a link the address; then only the client is to be found.
    Whoever carries the plan out closes it when a probe is let in.
    """
    asked = set[Probe]()
    failed = dict.fromkeys(lines, 0)
    settled = False
    probes = _rounds(lines, serial_number)
    while True:
        probe = next(
            (
                one
                for one in probes
                if one not in asked and failed[one.line] < _FAILURE_LIMIT
            ),
            None,
        )
        if probe is None:
            return
        asked.add(probe)
        symptom, maker = yield probe
        if not symptom.is_connected:
            return
        if symptom is Symptom.BUSY or symptom.is_linked:
            yield from _other_clients(probe, symptom)
            return
        if (
            symptom.is_answered and not settled
        ):  # this is the line: the others are wrong
            settled = True
            probes = _rounds([probe.line], serial_number, maker)
        elif _speaks_against(probe.line, symptom):
            failed[probe.line] += 1


def _speaks_against(line: Line, symptom: Symptom) -> bool:
    """Tell whether an outcome says that the meter is not on this line, whatever its address is."""
    if symptom is Symptom.NO_VALID_FRAME:
        return True
    return line.approach is Approach.SIGN_ON and not symptom.is_answered


def _other_clients(probe: Probe, symptom: Symptom) -> Questions:
    """The meter is there: find out as whom it lets us in, and by which names it knows its objects."""
    clients = dict.fromkeys((probe.client_sap, PUBLIC_CLIENT, *_OTHER_CLIENTS))
    both_names = False
    heard = set[Symptom]()
    for client_sap in clients:
        if client_sap != probe.client_sap:
            probe = probe._replace(client_sap=client_sap)
            symptom = (yield probe).symptom
        if symptom is Symptom.CONTEXT_REFUSED and not both_names:
            both_names = True
            symptom = (yield _by_other_names(probe)).symptom
            if symptom is not Symptom.CONTEXT_REFUSED:
                probe = _by_other_names(probe)
        heard.add(symptom)
    wanted = Symptom.AUTHENTICATION_WANTED in heard
    if heard & _UNEXPLAINED and not (both_names or wanted):
        for client_sap in clients:
            yield _by_other_names(probe._replace(client_sap=client_sap))


def _by_other_names(probe: Probe) -> Probe:
    """Ask the same by short names instead of logical ones, or the other way round."""
    return probe._replace(short_names=not probe.short_names)


def _rounds(
    lines: Sequence[Line], serial_number: str | None, maker: str | None = None
) -> Iterator[Probe]:
    """Yield what meters of this maker answer to, then what most do, then what some do, then what few do; some twice."""
    for line in lines:
        for meter in METERS:
            if maker is not None and meter.flag == maker.upper():
                yield from _usual_probes(meter, line, serial_number)
    main = [line for line in lines if line.speed in (None, _USUAL_SPEED)]
    others = [line for line in lines if line not in main]
    derived = _derived_addresses(serial_number)
    known = [meter.address for meter in METERS]
    yield from _at(main, derived)
    yield from _at(main[:1], known)
    yield from _at(others, ())
    for client_sap in _OTHER_CLIENTS:
        yield from (probe._replace(client_sap=client_sap) for probe in _at(main, ()))
    for line in main:
        for meter in METERS:
            yield from _usual_probes(meter, line, serial_number)


def _at(lines: Sequence[Line], addresses: Sequence[ServerAddress]) -> Iterator[Probe]:
    """Yield the usual addresses on each line, then these; the wrapper knows no physical devices."""
    for line in lines:
        if line.approach is Approach.WRAPPER:
            yield Probe(line, ServerAddress(1))
        else:
            for address in (*_USUAL_ADDRESSES, *addresses):
                yield Probe(line, address)


def _derived_addresses(serial_number: str | None) -> list[ServerAddress]:
    """Return the addresses that makers' rules derive from the number on the meter."""
    if not serial_number:
        return []
    derived = (rule.address(serial_number) for rule in AddressRule)
    return [address for address in dict.fromkeys(derived) if address is not None]


def _usual_probes(
    meter: KnownMeter, line: Line, serial_number: str | None
) -> Iterator[Probe]:
    """Yield how a known meter is usually set up, if it is ever found on such a line."""
    if (line.approach is Approach.WRAPPER) != (Approach.WRAPPER in meter.approaches):
        return
    address = meter.address_of(serial_number)
    for client_sap in (PUBLIC_CLIENT, *meter.clients):
        yield Probe(line, address, client_sap, meter.short_names)


def settings_for(endpoint: Endpoint, probe: Probe) -> ClientSettings:
    """Return what the client needs to ask the question of a probe, with ordinary patience."""
    line, address = probe.line, probe.address
    if isinstance(endpoint, SerialEndpoint) and line.speed is not None:
        endpoint = replace(endpoint, line=LineSettings(line.speed))
    return ClientSettings(
        endpoint=endpoint,
        framing=Framing.WRAPPER if line.approach is Approach.WRAPPER else Framing.HDLC,
        client_sap=probe.client_sap,
        logical_device=address.logical_device,
        physical_device=address.physical_device,
        address_length=address.length,
        short_names=probe.short_names,
        mechanism=Mechanism.NONE,
        sign_on=SignOnSettings(attempts=1)
        if line.approach is Approach.SIGN_ON
        else None,
    )


type ScanProgress = Callable[[Probe, int], None]


async def find_meter(
    endpoint: Endpoint,
    serial_number: str | None = None,
    progress: ScanProgress | None = None,
) -> ScanReport:
    """Look for a meter on a connection; `progress` is told each probe and its number before it is asked.

    Returns how it went, whatever that was: what goes wrong on the way is in the report, and not raised.
    `serial_number` is what is printed on the meter: it may give the address away. Cancelling ends the scan at once,
    and closes the connection.
    """
    report = ScanReport()
    plan = questions(lines_of(endpoint), serial_number)
    probe: Probe | None = next(plan, None)
    while probe is not None:
        if probe.short_names and isinstance(endpoint, UdpEndpoint):
            probe = _next(
                plan, Outcome(Symptom.CONTEXT_REFUSED)
            )  # answers look all the same
            continue
        if progress is not None:
            progress(probe, report.probes)
        if report.probes:
            await asyncio.sleep(PAUSE)
        report.probes += 1
        outcome = await _ask(endpoint, probe)
        if isinstance(outcome, Found):
            report.found = outcome
            break
        report.note(probe, outcome.symptom)
        probe = _next(plan, outcome)
    plan.close()
    report.proposal = _proposal(endpoint, report)
    return report


def _proposal(endpoint: Endpoint, report: ScanReport) -> ClientSettings | None:
    """Return how to speak to the meter that was found, or at least located."""
    if report.found is not None:
        return report.found.settings
    if report.best is None or report.symptom is None or not report.symptom.is_linked:
        return None
    client_sap = report.wanting[0] if report.wanting else report.best.client_sap
    return settings_for(endpoint, report.best._replace(client_sap=client_sap))


def _next(plan: Questions, outcome: Outcome) -> Probe | None:
    try:
        return plan.send(outcome)
    except StopIteration:
        return None


async def _ask(endpoint: Endpoint, probe: Probe) -> Found | Outcome:
    """Ask one question: be let in and look around, or tell how far it came."""
    settings = settings_for(endpoint, probe)
    client = DlmsClient(replace(settings, response_timeout=PROBE_TIMEOUT, attempts=1))
    found: Found | None = None
    try:
        async with client:
            if _READING[probe.short_names] not in client.negotiated.conformance:
                return Outcome(Symptom.CONTEXT_REFUSED)  # politely
            found = Found(probe, settings, memory=client.memory)
            return await _look_around(client, found)
    except DlmsError as error:
        # A meter that let us in and then fell silent is found all the same.
        signed_on = client.maker is not None
        symptom = symptom_of(error, client.statistics, signed_on=signed_on)
        return found or Outcome(symptom, client.maker)


_ENERGY: Final = tuple(
    AttributeDescriptor(3, Obis.parse(code), 2)
    for code in ("1-0:1.8.0*255", "1-0:15.8.0*255", "7-0:3.0.0*255")
)
_COUNTERS: Final = {
    AttributeDescriptor(1, Obis.parse(f"0-0:43.1.{number}*255"), 2): number
    for number in range(5)
}
_LOGICAL_DEVICES: Final = AttributeDescriptor(17, Obis.parse("0-0:41.0.0*255"), 2)


async def _look_around(client: DlmsClient, found: Found) -> Found:
    """Ask the meter who it is, and what else it tells everybody."""
    found = replace(found, identity=await client.identity())
    answers = await client.get_many([*_ENERGY, *_COUNTERS, _LOGICAL_DEVICES])
    told = {
        attribute: answer
        for attribute, answer in answers.items()
        if isinstance(answer, Data)
    }
    with suppress(DlmsError):  # it has told what matters
        await client.learn_inactivity_timeout()
    return replace(
        found,
        reads_openly=any(energy in told for energy in _ENERGY),
        counters=tuple(
            number for counter, number in _COUNTERS.items() if counter in told
        ),
        logical_devices=_listed(told.get(_LOGICAL_DEVICES)),
    )


def _listed(assignment: Data | None) -> tuple[int, ...]:
    """Return the SAPs of a list of logical devices (class SAP assignment); nothing where it is no such list."""
    if assignment is None or not isinstance(assignment.value, tuple):
        return ()
    firsts = (
        entry.value[0]
        for entry in assignment.value
        if isinstance(entry, Data) and isinstance(entry.value, tuple) and entry.value
    )
    return tuple(
        first.value
        for first in firsts
        if isinstance(first, Data) and isinstance(first.value, int)
    )
