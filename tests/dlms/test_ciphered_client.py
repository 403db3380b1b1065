"""Whole ciphered sessions with the simulated meter: every mechanism and suite, and how counters are kept."""

from dataclasses import replace
import logging
import struct

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    AuthenticationFailed,
    ClientSettings,
    DlmsClient,
    Enveloping,
    Framing,
    InvocationCounterRefused,
    LocalProtocolError,
    Mechanism,
    Obis,
    SecurityError,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.application import invocation_counter
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.invocation_counter import BLOCK
from custom_components.dlms_meter.dlms.application.notification import Notification
from tests.dlms.application.secured import (
    BOOK,
    CLIENT_TITLE,
    as_server,
    context,
    settings,
)
from tests.simulator import PUBLIC_CLIENT, ClientRule, Meter, MeterSettings
from tests.simulator.settings import SHORT_NAME_SERVICES, SUPPORTED, ServiceQuirks
from tests.transports import memory_transports, run_virtually

from .test_client import (
    BOTH,
    NOW,
    REGISTERS,
    line_to,
    quantity_told_by,
    settings_for,
)

SAP = 3
SECRET = b"12345678"
COUNTER = AttributeDescriptor(1, Obis.parse("0-0:43.1.0"), 2)
HLS = [mechanism for mechanism in Mechanism if 2 <= mechanism <= 7]


def meter_for(
    mechanism: Mechanism,
    keys: SecuritySettings | None,
    *,
    public: bool = True,
    silent: bool = False,
    quirks: ServiceQuirks | None = None,
) -> Meter:
    rule = ClientRule(
        SAP,
        mechanism,
        SECRET,
        None if keys is None else as_server(keys),
        ignores_old_counters=silent,
    )
    clients = (PUBLIC_CLIENT, rule) if public else (rule,)
    meter_settings = MeterSettings(
        clients=clients,
        conformance=SUPPORTED | SHORT_NAME_SERVICES,
        short_names=True,
        service_quirks=quirks or ServiceQuirks(),
    )
    return Meter(meter_settings, now=lambda: NOW)


def client_for(
    framing: Framing,
    mechanism: Mechanism,
    keys: SecuritySettings | None,
    *,
    short_names: bool = False,
) -> ClientSettings:
    return settings_for(
        framing,
        client_sap=SAP,
        mechanism=mechanism,
        password=SECRET,
        system_title=CLIENT_TITLE,
        security=keys,
        short_names=short_names,
    )


async def check(client: DlmsClient, meter: Meter) -> None:
    async with client:
        report = await client.read(REGISTERS, {})
    assert report.values == {
        attribute: quantity_told_by(meter, attribute) for attribute in REGISTERS
    }


@BOTH
@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.LLS, *HLS])
@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("ciphered", [False, True], ids=["plain", "ciphered"])
@pytest.mark.parametrize("names", ["LN", "SN", "SN called by Write"])
def test_mechanism(
    framing: Framing,
    mechanism: Mechanism,
    suite: SecuritySuite,
    ciphered: bool,
    names: str,
) -> None:
    keys = settings(suite)
    if not ciphered:
        keys = replace(keys, policy=SecurityPolicy.NONE)
    quirks = ServiceQuirks(calls_by_write=names.endswith("Write"))
    meter = meter_for(mechanism, keys, quirks=quirks)
    short_names = names.startswith("SN")

    async def main() -> None:
        client = DlmsClient(
            client_for(framing, mechanism, keys, short_names=short_names)
        )
        if mechanism is Mechanism.HLS_ECDSA and not suite:
            with pytest.raises(LocalProtocolError, match="signing key is needed"):
                await check(client, meter)
            return
        await check(client, meter)
        assert client.negotiated.authenticated is (True if ciphered else None)

    with memory_transports(line_to(meter, framing)):
        run_virtually(main())


@pytest.mark.parametrize("enveloping", Enveloping)
@pytest.mark.parametrize(
    "policy", [SecurityPolicy(bits) for bits in (0, 0x10, 0x20, 0x30)]
)
@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
def test_protection(
    enveloping: Enveloping, policy: SecurityPolicy, dedicated: bool
) -> None:
    keys = settings(
        SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256,
        enveloping=enveloping,
        policy=policy,
        use_dedicated_key=dedicated,
        signs=enveloping is Enveloping.ONE_PASS_DIFFIE_HELLMAN,
    )
    meter = meter_for(Mechanism.HLS_GMAC, keys)

    async def main() -> None:
        client = DlmsClient(client_for(Framing.WRAPPER, Mechanism.HLS_GMAC, keys))
        await check(client, meter)

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


class Storage:
    """What outlives the client: the counter saved last."""

    def __init__(self) -> None:
        self.saved: list[int] = []

    async def save(self, counter: int) -> None:
        self.saved.append(counter)

    def client(self, client_settings: ClientSettings) -> DlmsClient:
        return DlmsClient(
            client_settings,
            invocation_counter=self.saved[-1] if self.saved else None,
            save_invocation_counter=self.save,
        )


CIPHERED = client_for(Framing.WRAPPER, Mechanism.HLS_GMAC, BOOK)


def test_counter_is_read_from_the_meter_once_and_saved() -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK)
    meter.last_counter = 5000
    storage = Storage()

    async def main() -> None:
        client = storage.client(CIPHERED)
        await check(client, meter)
        assert len(opened) == 2  # the public client asks first
        await check(client, meter)
        assert len(opened) == 3
        assert storage.saved == [5001 + BLOCK]
        assert 5001 < meter.last_counter < 5001 + BLOCK
        again = storage.client(CIPHERED)
        await check(again, meter)
        assert len(opened) == 4
        assert storage.saved == [5001 + BLOCK, 5001 + 2 * BLOCK]
        assert meter.last_counter > 5001 + BLOCK

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())


def test_counters_are_saved_between_the_blocks_of_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each block is asked for by a message of its own, and one answer may have more than are saved at a time."""
    monkeypatch.setattr(invocation_counter, "BLOCK", 8)
    storage = Storage()

    async def main() -> None:
        async with storage.client(
            replace(CIPHERED, max_receive_pdu_size=200)
        ) as client:
            before = len(storage.saved)
            assert len(await client.objects()) > 20
            assert len(storage.saved) > before + 2

    meter = meter_for(Mechanism.HLS_GMAC, BOOK)
    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


def test_nothing_is_sent_with_a_counter_that_could_not_be_saved() -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK)

    async def full(counter: int) -> None:
        raise OSError("no space left")

    async def main() -> None:
        client = DlmsClient(
            CIPHERED, invocation_counter=1, save_invocation_counter=full
        )
        with pytest.raises(OSError, match="no space left"):
            async with client:
                raise AssertionError
        assert opened[0].sent == []
        assert not opened[0].open
        assert meter.last_counter == 0

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())


@pytest.mark.parametrize("public", [False, True])
def test_a_meter_that_has_seen_our_counter_tells_the_right_one(public: bool) -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK, public=public)
    meter.last_counter = 77_000

    async def main() -> None:
        client = DlmsClient(CIPHERED, invocation_counter=500)
        await check(client, meter)
        assert len(opened) == 2
        assert meter.last_counter > 77_000

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())


def test_a_meter_that_says_nothing_to_an_old_counter_is_asked_the_next_time() -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK, silent=True)
    meter.last_counter = 77_000

    async def main() -> None:
        client = DlmsClient(CIPHERED, invocation_counter=500)
        with pytest.raises(TransportTimeout):
            await check(client, meter)
        await check(client, meter)

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


def test_a_meter_that_is_never_content() -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK, public=False)
    meter.last_counter = 0xFFFFFFFE

    async def main() -> None:
        with pytest.raises((InvocationCounterRefused, SecurityError)):
            await check(DlmsClient(CIPHERED, invocation_counter=500), meter)
        assert len(opened) == 2

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())


@pytest.mark.parametrize("tells", [False, True])
def test_a_meter_that_does_not_tell_the_counter(tells: bool) -> None:
    """No public client, or no such object for it: counting begins with 1."""
    meter = meter_for(Mechanism.HLS_GMAC, BOOK, public=tells)
    meter.objects = meter.objects[:-1]

    async def main() -> None:
        unknown = replace(CIPHERED, invocation_counter_name=Obis.parse("0-0:43.1.9"))
        await check(DlmsClient(unknown), meter)
        assert 1 < meter.last_counter < 50
        meter.last_counter = 0
        await check(DlmsClient(replace(CIPHERED, invocation_counter_name=None)), meter)

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"global_unicast_key": bytes(16)}, SecurityError),
        ({"authentication_key": bytes(16)}, SecurityError),
        ({"policy": SecurityPolicy.ENCRYPTED}, SecurityError),
    ],
)
def test_wrong_keys(
    changes: dict[str, bytes], error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    meter = meter_for(Mechanism.HLS_GMAC, BOOK)
    keys = replace(BOOK, **changes)  # type: ignore[arg-type]

    async def main() -> None:
        with pytest.raises(error) as raised:
            await check(
                DlmsClient(replace(CIPHERED, security=keys), invocation_counter=1),
                meter,
            )
        assert "key" in str(raised.value) or "policy" in str(raised.value)
        assert not opened[-1].open

    with (
        caplog.at_level(logging.DEBUG),
        memory_transports(line_to(meter, Framing.WRAPPER)) as opened,
    ):
        run_virtually(main())


@pytest.mark.parametrize(
    "mechanism",
    [
        Mechanism.HLS_VENDOR,
        Mechanism.HLS_MD5,
        Mechanism.HLS_SHA1,
        Mechanism.HLS_SHA256,
    ],
)
def test_wrong_secret(mechanism: Mechanism) -> None:
    meter = meter_for(mechanism, None)

    async def main() -> None:
        wrong = replace(client_for(Framing.HDLC, mechanism, None), password=b"87654321")
        with pytest.raises(AuthenticationFailed, match="does not believe"):
            async with DlmsClient(wrong):
                raise AssertionError
        assert not opened[-1].open

    with memory_transports(line_to(meter, Framing.HDLC)) as opened:
        run_virtually(main())


def test_a_client_that_does_not_cipher_is_refused() -> None:
    meter = meter_for(Mechanism.NONE, BOOK)

    async def main() -> None:
        with pytest.raises(Exception, match="may want ciphering"):
            async with DlmsClient(client_for(Framing.WRAPPER, Mechanism.NONE, None)):
                raise AssertionError

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


def test_keys_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    keys = replace(settings(), use_dedicated_key=True)
    meter = meter_for(Mechanism.HLS_GMAC, keys)
    dedicated: list[bytes] = []

    async def main() -> None:
        client = DlmsClient(client_for(Framing.HDLC, Mechanism.HLS_GMAC, keys))
        async with client:
            key = client._association.settings.dedicated_key
            assert key is not None
            dedicated.append(key)
            await client.objects()

    with (
        caplog.at_level(logging.DEBUG),
        memory_transports(line_to(meter, Framing.HDLC)),
    ):
        run_virtually(main())
    logged = caplog.text.lower()
    assert "actionrequestnormal" in logged
    for key in (keys.global_unicast_key, keys.authentication_key, *dedicated):
        assert key is not None
        assert key.hex() not in logged
        assert key.hex(" ") not in logged
        assert repr(key).lower() not in logged


def test_notifications_are_deciphered_or_dropped() -> None:
    """Between request and answer too; what cannot be trusted disturbs nothing."""
    keys = replace(BOOK, enveloping=Enveloping.GENERAL)
    meter = meter_for(Mechanism.HLS_GMAC, keys)
    notification = bytes.fromhex("0f 00000001 00 06 00000007")
    heard: list[Notification] = []
    pusher = context(keys, meter.settings.system_title, CLIENT_TITLE)

    def framed(apdu: bytes) -> bytes:
        return struct.pack(">HHHH", 1, 1, SAP, len(apdu)) + apdu

    async def main() -> None:
        client = DlmsClient(
            replace(CIPHERED, security=keys), on_notification=heard.append
        )
        async with client:
            pusher.counter.advance(1000)
            meter.counter.advance(2000)
            good = pusher.protect(notification)
            for apdu in (good, notification, good):
                opened[-1].say(framed(apdu))
            report = await client.read(REGISTERS, {})
            assert len(report.values) == len(REGISTERS)
        assert heard == [decode_apdu(notification)]

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())
