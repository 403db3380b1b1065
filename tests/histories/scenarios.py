"""Everything that is settled before a history begins: the meter with its keys and quirks, the line to it, the client."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from unittest.mock import patch

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    Data,
    DlmsClient,
    Endpoint,
    Enveloping,
    Framing,
    Mechanism,
    MethodDescriptor,
    Notification,
    Obis,
    Receiver,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
    TcpEndpoint,
    UdpEndpoint,
    client_settings,
)
from custom_components.dlms_meter.dlms.application.aes_gcm import AesGcm
from custom_components.dlms_meter.dlms.application.ciphering import SecurityControl
from custom_components.dlms_meter.dlms.transport import Transport
from tests.dlms.application.secured import CLIENT_TITLE, as_server, settings as keys_for
from tests.dlms.cosem.profiled import NOW, objects
from tests.line.datagrams import Datagrams, Network
from tests.simulator import (
    PUBLIC_CLIENT,
    ClientRule,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.household import data
from tests.simulator.objects import (
    Attribute,
    MeterObject,
    Readers,
    boolean,
    cosem_object,
    octets,
)
from tests.simulator.settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    Quirks,
    RangeForm,
    ServiceQuirks,
)
from tests.transports import (
    HARMFUL_TO_HDLC,
    HARMLESS,
    HARMLESS_TO_HDLC,
    Fault,
    MemoryTransport,
    delay_beyond_patience,
    duplicate,
    faultless,
)

SAP, SECRET = 3, b"12345678"
MESSAGES = tuple(
    AttributeDescriptor(1, Obis.parse(f"0-0:96.13.{number}"), 2) for number in range(3)
)
"""Anybody may write there."""
ECHO = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
"""Returns what it is given, which the standard does not have it do."""


def _message(attribute: AttributeDescriptor) -> MeterObject:
    value = Attribute(lambda _: octets(b"welcome"), writers=Readers.EVERYONE)
    return cosem_object(1, str(attribute.logical_name), value)


_OBJECTS: tuple[MeterObject, ...] = (
    *objects(),
    *map(_message, MESSAGES),
    data("0-0:42.0.0", octets(b"SIM0000040817263")),
    cosem_object(
        70, str(ECHO.logical_name), boolean(True), methods=2, callers=Readers.EVERYONE
    ),
)


class RecordingMeter(Meter):
    """Remembers everything it ever held, in the order in which it came to hold it."""

    def __init__(self, settings: MeterSettings) -> None:
        super().__init__(settings, now=lambda: NOW, objects=_OBJECTS)
        self.held = {attribute: [octets(b"welcome")] for attribute in MESSAGES}
        for attribute in MESSAGES:
            self.takers[attribute] = self._taker(attribute)
        self.methods[ECHO] = lambda parameters: parameters

    def _taker(self, attribute: AttributeDescriptor) -> Callable[[Data], None]:
        def take(value: Data) -> None:
            self.held[attribute].append(value)
            self.written[attribute] = value

        return take


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What one seed settles."""

    framing: Framing
    over_udp: bool
    sizes: tuple[int, int]
    short_names: bool
    mechanism: Mechanism
    keys: SecuritySettings
    max_pdu_size: int
    client_max_pdu_size: int
    window: int
    meter_window: int
    service_quirks: ServiceQuirks
    quirks: Quirks
    fault: Fault
    """On a line of octets."""
    network: Network
    """With UDP."""
    is_sound: bool
    """Nothing gets lost for good."""

    @property
    def doubles(self) -> bool:
        """Whether the line brings things twice."""
        return self.fault is duplicate or self.network.doubled > 0

    @classmethod
    def of(cls, random: Random) -> Scenario:
        """Choose everything by chance."""
        framing = random.choice((Framing.HDLC, Framing.HDLC, Framing.WRAPPER))
        over_udp = framing is Framing.WRAPPER and random.random() < 0.4
        short_names = not over_udp and random.random() < 0.4
        is_sound = random.random() < 0.5
        fault = random.choice(_FAULTS[framing, is_sound])
        mechanism = random.choice([m for m in Mechanism if m <= Mechanism.HLS_ECDSA])
        keys = _keys(random, mechanism)
        has_long_ones = (
            keys.signs
            or keys.enveloping not in _SHORT_ENVELOPINGS
            or mechanism is Mechanism.HLS_ECDSA
        )
        size = random.choice((500, 1200, 0) if has_long_ones else (200, 1200, 0))
        return cls(
            framing=framing,
            over_udp=over_udp,
            sizes=random.choice(((128, 1), (128, 7), (2030, 1), (2030, 7))),
            short_names=short_names,
            mechanism=mechanism,
            keys=keys,
            max_pdu_size=size,
            client_max_pdu_size=0xFFFF
            if has_long_ones
            else random.choice((300, 0xFFFF)),
            window=0 if short_names else random.choice((0, 0, 1, 4)),
            meter_window=random.choice((1, 4)),
            service_quirks=_service_quirks(random, fault),
            quirks=_quirks(random),
            fault=fault,
            network=Network() if is_sound else _bad_network(random),
            is_sound=is_sound,
        )

    def meter(self) -> RecordingMeter:
        """Make the meter."""
        rule = ClientRule(
            SAP,
            self.mechanism,
            SECRET,
            as_server(self.keys),
        )
        information, window = self.sizes
        return RecordingMeter(
            MeterSettings(
                clients=(PUBLIC_CLIENT, rule),
                conformance=EVERY_SERVICE | SHORT_NAME_SERVICES,
                short_names=True,
                max_pdu_size=self.max_pdu_size,
                max_information_length=information,
                window=window,
                service_quirks=self.service_quirks,
                quirks=self.quirks,
                block_window=self.meter_window,
                exclusive=False,
            )
        )

    @property
    def settings(self) -> ClientSettings:
        """Make what the client is told."""
        endpoint: Endpoint = TcpEndpoint("meter.example", 4059)
        if self.over_udp:
            endpoint = UdpEndpoint("meter.example", 4059)
        return ClientSettings(
            endpoint=endpoint,
            framing=self.framing,
            client_sap=SAP,
            physical_device=17 if self.framing is Framing.HDLC else None,
            short_names=self.short_names,
            mechanism=self.mechanism,
            password=SECRET,
            system_title=CLIENT_TITLE,
            security=self.keys,
            max_receive_pdu_size=self.client_max_pdu_size,
            block_transfer_window=self.window,
        )


_FAULTS: dict[tuple[Framing, bool], tuple[Fault, ...]] = {
    (Framing.HDLC, True): tuple(HARMLESS_TO_HDLC.values()),
    (Framing.HDLC, False): tuple(HARMFUL_TO_HDLC.values()),
    (Framing.WRAPPER, True): tuple(HARMLESS.values()),
    (Framing.WRAPPER, False): (faultless, delay_beyond_patience),
}
_SHORT_ENVELOPINGS = (Enveloping.SERVICE, Enveloping.GENERAL)


def _bad_network(random: Random) -> Network:
    return Network(
        lost=random.choice((0.0, 0.03)),
        late=random.choice((0.0, 0.03)),
        doubled=random.choice((0.0, 0.1)),
    )


def _keys(random: Random, mechanism: Mechanism) -> SecuritySettings:
    suites = [*SecuritySuite][mechanism is Mechanism.HLS_ECDSA :]
    suite = random.choice(suites)
    policy = SecurityPolicy(random.choice((0, 0x10, 0x20, 0x30, 0x30, 0x30)))
    agrees = suite is not SecuritySuite.AES_GCM_128
    envelopings = [e for e in Enveloping if agrees or "agreed" not in e.value]
    enveloping = random.choice((*_SHORT_ENVELOPINGS, *envelopings))
    return keys_for(
        suite,
        policy=policy,
        enveloping=enveloping,
        use_dedicated_key=bool(policy)
        and enveloping in _SHORT_ENVELOPINGS
        and random.random() < 0.5,
        signs=bool(policy) and agrees and random.random() < 0.15,
    )


def _service_quirks(random: Random, fault: Fault) -> ServiceQuirks:
    def seldom() -> bool:
        return random.random() < 0.15

    return ServiceQuirks(
        refuses_lists=seldom(),
        takes_any_pdu_size_only=seldom(),
        # DISC, sent twice, is answered four times: the last one would refuse the next SNRM.
        ignores_parameters=seldom() and fault is not duplicate,
        bare_blocks=seldom(),
        calls_by_write=seldom(),
        answers_unconfirmed=seldom(),
        lost_blocks=frozenset({random.randint(1, 4)}) if seldom() else frozenset(),
    )


def _quirks(random: Random) -> Quirks:
    form = random.randrange(6)
    forms = [RangeForm(t, d) for t in (False, True) for d in (False, True)]
    return Quirks(
        range_forms=frozenset(random.sample(forms, random.randint(0, 4))),
        takes_entries=random.random() < 0.8,
        newest_first=random.random() < 0.3,
        compressed=form == 1,
        compact=form == 2,
    )


class _Datagrams(Datagrams):
    """Sends each frame that the meter says in a datagram of its own; on a sound network they keep their order."""

    _busy_until = 0.0

    def say(self, data: bytes) -> None:
        """Let the meter speak, asked or unasked."""
        while data:
            end = 8 + int.from_bytes(data[6:8])
            self._carry(data[:end], self._receiver.data_received)
            data = data[end:]

    def _at_meter(self, data: bytes) -> None:
        self.say(self._meter.receive_data(data))

    def _carry(self, data: bytes, arrive: Callable[[bytes], None]) -> None:
        network = self._network
        if network.lost or network.late or network.doubled:
            super()._carry(data, arrive)
            return
        loop = asyncio.get_running_loop()
        soonest = loop.time() + network.delay * self._random.random()
        self._busy_until = max(self._busy_until + 1e-6, soonest)
        self._under_way.append(loop.call_at(self._busy_until, arrive, data))


@dataclass
class World:
    """A meter, the line to it, and what is remembered of both."""

    scenario: Scenario
    seed: int
    meter: RecordingMeter = field(init=False)
    heard: list[Notification] = field(default_factory=list)
    saved: int = 1
    """The invocation counter that was saved last."""
    lines: list[MemoryTransport | _Datagrams] = field(default_factory=list)
    sessions: list[HdlcSession | WrapperSession] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build the meter."""
        self.meter = self.scenario.meter()

    def client(self) -> DlmsClient:
        """Make a client that goes on counting where the last one stopped."""
        return DlmsClient(
            self.scenario.settings,
            on_notification=self.heard.append,
            invocation_counter=self.saved,
            save_invocation_counter=self._save,
            open_shared=self._open,
        )

    async def _save(self, counter: int) -> None:
        assert counter >= self.saved
        self.saved = counter

    async def _open(self, _: Endpoint, receiver: Receiver) -> Transport:
        scenario, seed = self.scenario, self.seed + len(self.lines)
        is_hdlc = scenario.framing is Framing.HDLC
        session = HdlcSession(self.meter) if is_hdlc else WrapperSession(self.meter)
        self.sessions.append(session)
        if scenario.over_udp:
            network = replace(scenario.network, seed=seed)
            self.lines.append(_Datagrams(receiver, session, network))
        else:
            self.lines.append(
                MemoryTransport(receiver, session, fault=scenario.fault, seed=seed)
            )
        return self.lines[-1]

    def become_sound(self) -> None:
        """From here on new lines are good ones."""
        self.scenario = replace(self.scenario, fault=faultless, network=Network())


@contextmanager
def no_counter_twice(world: World) -> Iterator[None]:
    """See to it that no key ever meets an initialisation vector twice, and ours none that was not saved."""
    seal, random = AesGcm.seal, Random(world.seed)
    sealed: set[tuple[bytes, bytes]] = set()

    def watched(
        self: AesGcm, key: bytes, control: SecurityControl, iv: bytes, *rest: bytes
    ) -> bytes:
        assert (key, iv) not in sealed, "a counter used twice"
        sealed.add((key, iv))
        ours = iv.startswith(CLIENT_TITLE)
        if ours and key == world.scenario.keys.global_unicast_key:
            assert int.from_bytes(iv[-4:]) < world.saved, "a counter not saved"
        return seal(self, key, control, iv, *rest)

    with (
        patch.object(AesGcm, "seal", watched),
        patch.object(client_settings, "token_bytes", random.randbytes),
    ):
        yield
