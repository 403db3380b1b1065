"""Protection of APDUs: every vector that has keys, both ways; what is refused; both sides against each other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.application.ciphering import (
    GeneralCiphering,
    GeneralSigning,
    IdentifiedKey,
    SecurityControl,
    ServiceCiphering,
    decode_envelope,
)
from custom_components.dlms_meter.dlms.application.envelope_tags import KeySet
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.application.security_settings import (
    Enveloping,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    MessageRepeated,
    SecurityError,
)
from tests.harness import Vector, check_damage, damaged, each, vectors

from .secured import (
    AUTHENTICATION_KEY,
    BOOK,
    CLIENT_TITLE,
    DEDICATED_KEY,
    GLOBAL_KEY,
    SERVER_TITLE,
    context,
    pair,
    settings,
)

AUTHENTICATED, ENCRYPTED = SecurityPolicy.AUTHENTICATED, SecurityPolicy.ENCRYPTED
BOTH = AUTHENTICATED | ENCRYPTED
STRANGER = b"STRANGER"
GET = bytes.fromhex("c0010000080000010000ff0200")
NOTIFICATIONS = [bytes((tag,)) + GET[1:] for tag in (0x0F, 0x18, 0xC2)]

KEYED = [vector for vector in vectors(layer="apdu") if vector.keys]
SOUND = [vector for vector in KEYED if vector.expect != "reject"]
MISCOUNTED = {"v0409", "v0411"}  # MEL meters count a tag that is not there

PUSHES = [vector for vector in vectors(layer="push-stream") if vector.keys]


def test_no_vector_with_keys_is_left_out() -> None:
    """Those of other layers are in `test_ciphered_session` (v0635)."""
    elsewhere = {vector.id for vector in vectors() if vector.keys} - {
        vector.id for vector in KEYED + PUSHES
    }
    assert elsewhere == {"v0635"}


def keys_of(vector: Vector, policy: SecurityPolicy) -> SecuritySettings:
    return SecuritySettings(
        suite=SecuritySuite.AES_GCM_128,
        policy=policy,
        global_unicast_key=bytes.fromhex(vector.keys["ek"]),
        authentication_key=bytes.fromhex(vector.keys["ak"]),
    )


def policy_of(security_control: dict[str, str]) -> SecurityPolicy:
    return SecurityControl(bytes.fromhex(security_control["hex"])[0]).policy


def receiver(vector: Vector, policy: SecurityPolicy = BOTH) -> SecurityContext:
    title = bytes.fromhex(vector.keys.get("system_title", ""))
    return context(keys_of(vector, policy), STRANGER, title)


@each(SOUND)
def test_vector_is_opened(vector: Vector) -> None:
    policy = policy_of(vector.decoded["security_control"])
    opened = receiver(vector, policy).unprotect(vector.octets)
    assert opened.apdu.hex() == vector.decoded["plaintext_hex"]
    assert opened.control.policy == policy
    assert opened.authenticated == (AUTHENTICATED in policy)


@each(SOUND)
def test_vector_is_made(vector: Vector) -> None:
    decoded = vector.decoded
    control = decoded["security_control"]
    general = decoded["apdu"].startswith("general")
    title = decoded["system_title"] if general else vector.keys["system_title"]
    keys = replace(
        keys_of(vector, policy_of(control)),
        enveloping=Enveloping.GENERAL if general else Enveloping.SERVICE,
    )
    sender = context(
        keys, bytes.fromhex(title), STRANGER, decoded["invocation_counter"]
    )
    made = sender.protect(bytes.fromhex(decoded["plaintext_hex"]))
    if vector.id in MISCOUNTED:
        assert made[2:] == vector.octets[2:]
    else:
        assert made == vector.octets


@each(vector for vector in KEYED if vector.expect == "reject")
def test_vector_with_a_wrong_tag(vector: Vector) -> None:
    with pytest.raises(SecurityError, match="check the encryption key"):
        receiver(vector, SecurityPolicy.NONE).unprotect(vector.octets)


@each(PUSHES)
def test_push_is_opened(vector: Vector) -> None:
    for message in vector.decoded.get("messages", [vector.decoded]):
        apdu = message["apdu"]
        if apdu["apdu"] != "general-glo-ciphering":
            continue
        opened = receiver(vector, ENCRYPTED).unprotect(
            bytes.fromhex(message["apdu_hex"])
        )
        assert opened.apdu.hex() == apdu["plaintext_hex"]
        assert opened.authenticated == apdu["security_control"]["authenticated"]


@pytest.mark.parametrize(
    ("vector", "suite"),
    [
        (vector, SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256)
        for vector in vectors(layer="crypto", category="general-ciphering")
    ],
    ids=lambda value: value.id if isinstance(value, Vector) else "",
)
def test_published_cipher_text(vector: Vector, suite: SecuritySuite) -> None:
    """Without the tag, which nobody has been able to make from any reading of the Green Book."""
    inputs = vector.inputs
    iv = bytes.fromhex(inputs["iv"])
    keys = SecuritySettings(
        suite=suite,
        enveloping=Enveloping.IDENTIFIED_KEY,
        global_unicast_key=bytes.fromhex(inputs["key"]),
        authentication_key=AUTHENTICATION_KEY,
    )
    sender = context(keys, iv[:8], SERVER_TITLE, int.from_bytes(iv[8:]))
    made = decode_envelope(sender.protect(bytes.fromhex(inputs["plaintext"])))
    assert isinstance(made, GeneralCiphering)
    assert made.content.control == int(inputs["security_control"], 16)
    assert made.content.body[:-12].hex() == vector.decoded["ciphertext"]
    assert vector.decoded["tag_verified"] is False


@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("enveloping", Enveloping)
@pytest.mark.parametrize("policy", [AUTHENTICATED, ENCRYPTED, BOTH])
@pytest.mark.parametrize("signs", [False, True], ids=["unsigned", "signed"])
def test_both_sides(
    suite: SecuritySuite, enveloping: Enveloping, policy: SecurityPolicy, signs: bool
) -> None:
    keys = settings(suite, enveloping=enveloping, policy=policy, signs=signs)
    client, server = pair(keys)
    if suite is SecuritySuite.AES_GCM_128 and (signs or "agreed" in enveloping.value):
        with pytest.raises(LocalProtocolError, match="key"):
            client.protect(GET)
        return
    for apdu in (GET, b"\x0f" + bytes(300), b"\xd9"):
        message = client.protect(apdu)
        assert len(message) - len(apdu) <= client.overhead
        opened = server.unprotect(message)
        control = SecurityControl.of(suite, policy)
        assert opened == (apdu, control, signs or AUTHENTICATED in policy)
        assert client.unprotect(server.protect(apdu)).apdu == apdu
        with pytest.raises(SecurityError, match="repeats old messages"):
            server.unprotect(message)


@pytest.mark.parametrize("enveloping", [Enveloping.SERVICE, Enveloping.GENERAL])
def test_dedicated_key(enveloping: Enveloping) -> None:
    keys = settings(enveloping=enveloping, use_dedicated_key=True, policy=AUTHENTICATED)
    client, server = pair(keys, DEDICATED_KEY)
    begun = client.protect_initiate(b"\x01" + DEDICATED_KEY)
    assert DEDICATED_KEY not in begun  # encrypted, whatever the policy
    assert server.unprotect(begun).control.policy == BOTH
    before = client.counter.following
    client.sends_dedicated = True
    made = decode_envelope(client.protect(GET))
    assert not isinstance(made, GeneralCiphering | GeneralSigning)
    assert made.key_set is KeySet.DEDICATED
    assert client.counter.following == before
    assert server.unprotect(made.encode()).apdu == GET
    server.sends_dedicated = True
    assert client.unprotect(server.protect(GET)).apdu == GET


def test_dedicated_key_that_does_not_exist() -> None:
    client, server = pair(BOOK, DEDICATED_KEY)
    client.sends_dedicated = True
    server.dedicated_key = None
    with pytest.raises(SecurityError, match="dedicated key"):
        server.unprotect(client.protect(GET))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(ENCRYPTED, BOTH), (AUTHENTICATED, AUTHENTICATED), (BOTH, BOTH)],
)
def test_the_beginning_is_authenticated(
    policy: SecurityPolicy, expected: SecurityPolicy
) -> None:
    client, server = pair(replace(BOOK, policy=policy))
    assert server.unprotect(client.protect_initiate(b"\x01")).control.policy == expected


def test_without_an_authentication_key_messages_are_read_and_marked() -> None:
    reader = context(
        SecuritySettings(policy=ENCRYPTED, global_unicast_key=GLOBAL_KEY),
        CLIENT_TITLE,
        SERVER_TITLE,
    )
    _, server = pair(BOOK)
    assert reader.unprotect(server.protect(GET)) == (GET, 0x30, False)
    begun = decode_envelope(reader.protect_initiate(GET))
    assert isinstance(begun, ServiceCiphering)
    assert begun.content.control.policy is ENCRYPTED


def test_a_wrong_key_without_an_authentication_key() -> None:
    reader = context(
        SecuritySettings(policy=ENCRYPTED, global_unicast_key=bytes(16)),
        CLIENT_TITLE,
        SERVER_TITLE,
    )
    _, server = pair(BOOK)
    with pytest.raises(SecurityError, match="check the encryption key"):
        reader.unprotect(server.protect(GET))


def test_broadcast_key() -> None:
    keys = settings()
    client, _ = pair(keys)
    assert keys.broadcast_key
    station = context(
        replace(keys, global_unicast_key=keys.broadcast_key), SERVER_TITLE
    )
    control = SecurityControl.of(keys.suite, BOTH, broadcast=True)
    sealed = station._seal(keys.broadcast_key, control, station.counter, GET)
    made = ServiceCiphering.of(GET[0], KeySet.GLOBAL, sealed)
    assert made is not None
    assert client.unprotect(made.encode()).apdu == GET
    without, _ = pair(BOOK)
    with pytest.raises(SecurityError, match="broadcast key"):
        without.unprotect(made.encode())


def test_less_than_the_policy_is_refused() -> None:
    client, _ = pair(BOOK)
    for policy, missing in ((AUTHENTICATED, "ENCRYPTED"), (ENCRYPTED, "AUTHENTICATED")):
        _, server = pair(replace(BOOK, policy=policy))
        with pytest.raises(SecurityError, match=f"asks for: {missing}"):
            client.unprotect(server.protect(GET))


def test_no_protection_at_all() -> None:
    free = replace(BOOK, policy=SecurityPolicy.NONE)
    client, server = pair(free)
    assert client.unprotect(server.protect(GET)) == (GET, 0, False)


def test_our_own_message_comes_back() -> None:
    for enveloping in Enveloping:
        suite = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
        client, _ = pair(settings(suite, enveloping=enveloping, signs=True))
        with pytest.raises(SecurityError):
            client.unprotect(client.protect(GET))


def test_titles() -> None:
    client = context(BOOK, CLIENT_TITLE)
    _, server = pair(BOOK)
    with pytest.raises(SecurityError, match="give it in the settings"):
        client.unprotect(server.protect(GET))
    with pytest.raises(SecurityError, match="choose another for this client"):
        client.meet(CLIENT_TITLE)
    with pytest.raises(SecurityError, match="of 8 octets"):
        client.meet(b"SHORT")
    known = context(replace(BOOK, server_system_title=SERVER_TITLE), CLIENT_TITLE, b"")
    assert known.unprotect(server.protect(GET)).apdu == GET
    with pytest.raises(LocalProtocolError, match="8 octets, not 3"):
        context(BOOK, b"ABC")


def test_an_empty_system_title_is_the_one_known() -> None:
    """Some meters leave theirs out of what they push (amsreader 1198)."""
    general = replace(BOOK, enveloping=Enveloping.GENERAL)
    client, server = pair(general)
    message = server.protect(GET)
    assert message[1:10] == b"\x08" + SERVER_TITLE
    assert client.unprotect(message[:1] + b"\x00" + message[10:]).apdu == GET


def test_compression_is_not_supported() -> None:
    client, server = pair(BOOK)
    message = bytearray(server.protect(GET))
    message[2] |= 0x80
    with pytest.raises(SecurityError, match="compresses"):
        client.unprotect(bytes(message))


def test_a_tag_cut_short() -> None:
    client, _ = pair(BOOK)
    with pytest.raises(DecodeError, match="11 octets"):
        client.unprotect(bytes.fromhex("c8 10 30 00000001") + bytes(11))


def test_an_envelope_that_claims_another_service() -> None:
    client, server = pair(BOOK)
    message = server.protect(GET)
    with pytest.raises(SecurityError, match="what its envelope says"):
        client.unprotect(b"\xc9" + message[1:])


def test_replay_is_told_by_sender_and_key() -> None:
    client, server = pair(replace(BOOK, enveloping=Enveloping.GENERAL))
    other = context(server.settings, STRANGER, CLIENT_TITLE)
    server.counter.advance(50)
    client.unprotect(server.protect(GET))
    assert client.unprotect(other.protect(GET)).apdu == GET


@pytest.mark.parametrize("enveloping", [Enveloping.SERVICE, Enveloping.GENERAL])
def test_a_notification_may_overtake_an_answer(enveloping: Enveloping) -> None:
    """One that comes between the blocks of an answer, which was protected before it was cut."""
    client, server = pair(settings(enveloping=enveloping))
    for notification in NOTIFICATIONS:
        for _ in range(3):  # by the plain way, and by the short one
            messages = [server.protect(GET), server.protect(notification)]
            answer, overtaking = messages
            assert client.unprotect(overtaking).apdu == notification
            assert client.unprotect(answer).apdu == GET
            for message in messages:
                with pytest.raises(MessageRepeated):
                    client.unprotect(message)


def test_more_keys_than_any_meter_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "custom_components.dlms_meter.dlms.application.security._MOST_KEYS", 3
    )
    suite = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
    client, server = pair(settings(suite, enveloping=Enveloping.STATIC_UNIFIED_MODEL))
    for _ in range(3):
        client.unprotect(server.protect(GET))
    with pytest.raises(SecurityError, match="new association"):
        client.unprotect(server.protect(GET))


def test_signatures() -> None:
    suite = SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384
    client, server = pair(settings(suite, signs=True))
    message = server.protect(GET)
    damaged = message[:-1] + bytes((message[-1] ^ 1,))
    with pytest.raises(SecurityError, match="not signed by it"):
        client.unprotect(damaged)
    keyless = context(
        replace(client.settings, server_signing_key=None), CLIENT_TITLE, SERVER_TITLE
    )
    assert keyless.unprotect(message).authenticated  # by the tag inside
    outer = decode_envelope(message)
    assert isinstance(outer, GeneralSigning)
    twice = replace(outer, content=message).encode()
    with pytest.raises(DecodeError, match="signed message in a signed message"):
        keyless.unprotect(twice)


def test_signed_in_clear() -> None:
    (vector,) = vectors(layer="apdu", category="general-signing")
    free = SecuritySettings(policy=SecurityPolicy.NONE)
    opened = context(free, SERVER_TITLE).unprotect(vector.octets)
    assert opened == (
        bytes.fromhex(vector.decoded["content"]),
        0,
        False,
    )
    with pytest.raises(SecurityError, match="asks for"):
        context(BOOK, SERVER_TITLE).unprotect(vector.octets)


def test_the_header_of_general_ciphering_is_authenticated_unless_told_otherwise() -> (
    None
):
    for authenticates in (True, False):
        keys = replace(
            BOOK,
            enveloping=Enveloping.IDENTIFIED_KEY,
            authenticates_general_header=authenticates,
        )
        client, server = pair(keys)
        made = decode_envelope(server.protect(GET))
        assert isinstance(made, GeneralCiphering)
        assert made.key_info == IdentifiedKey(0)
        forged = replace(made, header=made.header._replace(transaction_id=b"\xff" * 8))
        if authenticates:
            with pytest.raises(SecurityError):
                client.unprotect(forged.encode())
        else:
            assert client.unprotect(forged.encode()).apdu == GET


def test_damage_is_refused() -> None:
    suite = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
    for enveloping in Enveloping:
        for signs in (False, True):
            keys = settings(suite, enveloping=enveloping, signs=signs)
            client, server = pair(keys)
            message = server.protect(GET)

            def unprotect(octets: bytes, keys: SecuritySettings = keys) -> None:
                apdu = pair(keys)[0].unprotect(octets).apdu
                assert apdu == GET  # damage that changes nothing, or is cut off again

            check_damage(message, unprotect, count=60)
            assert client.unprotect(message).apdu == GET


def test_every_changed_bit_is_seen() -> None:
    client, server = pair(BOOK)
    message = server.protect(GET)
    for place in range(len(message) * 8):
        changed = bytearray(message)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(DlmsError):
            client.unprotect(bytes(changed))
    assert client.unprotect(message).apdu == GET


def test_secrets_are_not_shown() -> None:
    suite = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
    keys = settings(suite)
    shown = repr(keys) + repr(pair(keys))
    for name in (
        "global_unicast_key", "authentication_key", "broadcast_key", "master_key",
        "signing_key", "agreement_key",
    ):  # fmt: skip
        secret: bytes = getattr(keys, name)
        assert secret.hex() not in shown.lower()
        assert repr(secret) not in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"global_unicast_key": bytes(15)}, "global unicast key: 16 octets .* 15 were"),
        ({"authentication_key": bytes(32)}, "authentication key: 16 octets"),
        ({"broadcast_key": b""}, "broadcast key"),
        ({"master_key": b"A"}, "master key"),
        ({"authentication_key": None}, "authentication key is needed"),
        ({"global_unicast_key": None}, "global unicast key is needed"),
        ({"server_system_title": b"A"}, "8 octets"),
    ],
)
def test_settings_are_checked(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        settings(**changes)


def test_suite_2_has_longer_keys() -> None:
    with pytest.raises(LocalProtocolError, match="32 octets are needed"):
        replace(BOOK, suite=SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384)


def test_only_what_begins_an_association_has_its_envelope() -> None:
    client, _ = pair(BOOK)
    with pytest.raises(LocalProtocolError, match="0f begins no association"):
        client.protect_initiate(b"\x0f")


def usual_messages() -> Iterator[tuple[SecuritySettings, bytes, bytes, bytes]]:
    """Make messages that have a short way once one like them was opened, long and short, with every head they can have."""
    for enveloping in (Enveloping.SERVICE, Enveloping.GENERAL):
        for dedicated in (False, True):
            keys = settings(enveloping=enveloping)
            _, server = pair(keys, DEDICATED_KEY)
            server.sends_dedicated = dedicated
            for size in (20, 95, 200, 300, 70_000):
                apdu = GET[:1] + bytes(size)
                yield keys, apdu, server.protect(apdu), server.protect(apdu)


def outcome(
    keys: SecuritySettings, first: bytes, octets: bytes, *, short: bool
) -> object:
    """Open a message, and another one twice, the second time in vain; in the short way, or in the plain one."""
    client, _ = pair(keys, DEDICATED_KEY)
    client.unprotect(first)
    found: list[object] = []
    for _ in range(2):
        if not short:
            client._short_ways.clear()
        try:
            found.append(client.unprotect(octets))
        except DlmsError as error:
            found.append((type(error), str(error)))
    return found


def test_the_short_way_leads_where_the_plain_one_does() -> None:
    for keys, _, first, message in usual_messages():
        for octets in (first, message, *damaged(message[:400], seed=1, count=40)):
            assert outcome(keys, first, octets, short=True) == outcome(
                keys, first, octets, short=False
            )


def test_what_begins_like_the_message_before_takes_the_short_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for keys, apdu, first, message in usual_messages():
        client, _ = pair(keys, DEDICATED_KEY)
        opened = client.unprotect(first)
        with monkeypatch.context() as patch:
            patch.delattr(SecurityContext, "_open")
            assert client.unprotect(message) == opened
        assert opened.apdu == apdu


def by_the_short_way(
    enveloping: Enveloping = Enveloping.SERVICE,
) -> tuple[SecurityContext, SecurityContext, list[bytes]]:
    """Return a client that has a short way for the next messages of a meter, and those."""
    client, server = pair(settings(enveloping=enveloping), DEDICATED_KEY)
    client.unprotect(server.protect(GET))
    return client, server, [server.protect(GET) for _ in range(3)]


def test_a_wrong_tag_costs_nothing_but_the_message() -> None:
    client, _, (message, later, _) = by_the_short_way()
    for changed in (-1, -12, -13):
        octets = bytearray(later)
        octets[changed] ^= 1
        with pytest.raises(SecurityError, match="fails its check"):
            client.unprotect(bytes(octets))
    assert client.unprotect(message).apdu == client.unprotect(later).apdu == GET


def test_an_old_message_is_refused_by_the_short_way() -> None:
    client, _, (message, later, _) = by_the_short_way()
    client.unprotect(later)
    for octets in (message, later):
        with pytest.raises(MessageRepeated):
            client.unprotect(octets)


def test_another_service_is_held_against_its_envelope() -> None:
    other = b"\xc5" + GET[1:]
    client, server, _ = by_the_short_way()
    message = server.protect(GET)
    with pytest.raises(SecurityError, match="what its envelope says"):
        client.unprotect(message[:1] + server.protect(other)[1:])
    client, server, _ = by_the_short_way(Enveloping.GENERAL)
    assert client.unprotect(server.protect(other)).apdu == other
    assert client.unprotect(server.protect(GET)).apdu == GET


def test_the_short_way_ends_where_titles_and_keys_change() -> None:
    client, _, (message, _, _) = by_the_short_way()
    client.meet(b"OTHER TI")
    with pytest.raises(SecurityError, match="fails its check"):
        client.unprotect(message)

    client, server = pair(BOOK, DEDICATED_KEY)
    server.sends_dedicated = True
    client.unprotect(server.protect(GET))
    client.dedicated_key = bytes(16)
    with pytest.raises(SecurityError, match="fails its check"):
        client.unprotect(server.protect(GET))


def test_few_short_ways_are_kept() -> None:
    client, server = pair(BOOK)
    for size in range(100):
        apdu = GET[:1] + bytes(size)
        assert client.unprotect(server.protect(apdu)).apdu == apdu
    assert len(client._short_ways) <= 16


@pytest.mark.parametrize(
    ("client_settings", "server_settings"),
    [
        *[
            (settings(policy=each), settings(policy=each))
            for each in (AUTHENTICATED, ENCRYPTED)
        ],
        (settings(policy=AUTHENTICATED), settings(policy=BOTH)),
        (settings(), settings(enveloping=Enveloping.IDENTIFIED_KEY)),
    ],
)
def test_no_short_way_is_kept_for_what_it_does_not_open(
    client_settings: SecuritySettings, server_settings: SecuritySettings
) -> None:
    client, _ = pair(client_settings)
    _, server = pair(server_settings)
    assert client.unprotect(server.protect(GET)).apdu == GET
    assert not client._short_ways
