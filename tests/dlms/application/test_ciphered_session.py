"""Ciphered associations: a recorded session played again, and everything a meter may do otherwise."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.action import (
    ActionOutcome,
    ActionRequestNormal,
    ActionResponseNormal,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.association import (
    Association,
    AssociationState,
)
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.authentication import (
    Handshake,
    is_proven,
    proof,
)
from custom_components.dlms_meter.dlms.application.ciphering import SecurityControl
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    ApplicationContext,
    AssociationResult,
    Conformance,
    DataAccessResult,
    ExceptionServiceError,
    ExceptionStateError,
    Mechanism,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.envelope_tags import is_envelope
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetResponseNormal,
)
from custom_components.dlms_meter.dlms.application.high_level_security import (
    REPLY_TO_HLS,
    REPLY_TO_HLS_NAME,
)
from custom_components.dlms_meter.dlms.application.initiate import (
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.procedures import (
    associate,
    get,
    release,
)
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.application.security_settings import (
    Enveloping,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    BlockArrived,
    ParameterizedAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import (
    AuthenticationFailed,
    DlmsError,
    InvocationCounterRefused,
    LocalProtocolError,
    RemoteProtocolError,
    SecurityError,
    ServiceError,
)
from tests.harness import vectors

from .conversation import EVERYTHING, drive
from .secured import (
    BOOK,
    CLIENT_TITLE,
    DEDICATED_KEY,
    GLOBAL_KEY,
    ONE_TIME_KEY,
    SERVER_TITLE,
    as_server,
    context,
    settings,
)

SECRET = b"12345678"
CTOS, STOC = b"from the client!", b"from the server!"
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
VALUE = Data(DataType.DOUBLE_LONG_UNSIGNED, 1234)
FREE = InvocationCounter(1, reserved=1 << 32)


class Peer:
    """A meter: octets in, octets out. What it does can be changed by assigning to it."""

    def __init__(self, client: AssociationSettings) -> None:
        self.client = client
        self.security: SecurityContext | None = None
        if client.security is not None:
            self.security = context(as_server(client.security), SERVER_TITLE)
        self.ciphers = client.is_ciphered
        self.title: bytes | None = SERVER_TITLE
        self.challenge: bytes | None = STOC
        self.named_context = ApplicationContext.LOGICAL_NAME
        self.instead: dict[type[Apdu], bytes] = {}
        """What it says to a request, whatever else it would."""
        self.requests: list[bytes] = []
        self.handshake: Handshake

    def __call__(self, octets: bytes) -> bytes:
        self.requests.append(octets)
        assert is_envelope(octets) == (self.ciphers and octets[0] not in (0x60, 0x62))
        request = decode_apdu(self._open(octets))
        if type(request) in self.instead:
            return self.instead[type(request)]
        match request:
            case Aarq():
                return self.associate(request).encode()
            case Rlrq():
                assert (request.user_information is not None) == self.ciphers
                if request.user_information:
                    self._open(request.user_information)
                return Rlre().encode()
            case GetRequestNormal():
                return self.seal(GetResponseNormal(request.invoke, VALUE))
            case _:
                return self.seal(self.prove(request))

    def _open(self, octets: bytes) -> bytes:
        if not is_envelope(octets):
            return octets
        assert self.security is not None
        return self.security.unprotect(octets).apdu

    def seal(self, apdu: Apdu) -> bytes:
        if not self.ciphers:
            return apdu.encode()
        assert self.security is not None
        return self.security.protect(apdu.encode())

    def associate(self, request: Aarq) -> Aare:
        hls = request.mechanism > Mechanism.LLS
        if self.security is not None:
            self.security.meet(request.calling_ap_title)
        self.handshake = Handshake(
            self.title or b"",
            request.calling_ap_title or b"",
            self.challenge or b"",
            request.authentication_value or b"",
        )
        assert request.user_information is not None
        initiate = InitiateRequest.decode(Reader(self._open(request.user_information)))
        information = InitiateResponse(
            conformance=initiate.conformance, max_receive_pdu_size=1000
        ).encode()
        if self.security is not None:
            self.security.dedicated_key = initiate.dedicated_key
            self.security.sends_dedicated = initiate.dedicated_key is not None
            if self.ciphers:
                information = self.security.protect_initiate(information)
        return Aare(
            application_context=self.named_context,
            result=AssociationResult.ACCEPTED,
            diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED
            if hls
            else UserDiagnostic.NULL,
            responding_ap_title=self.title,
            mechanism=request.mechanism,
            authentication_value=self.challenge if hls else None,
            user_information=information,
        )

    def prove(self, request: Apdu) -> Apdu:
        match request:
            case ActionRequestNormal(invoke, method, Data(_, answer)):
                assert method == REPLY_TO_HLS
                data = self.check(answer)
                return ActionResponseNormal(
                    invoke,
                    ActionOutcome(
                        ActionResult.SUCCESS
                        if data
                        else ActionResult.READ_WRITE_DENIED,
                        data,
                    ),
                )
            case ReadRequest((ParameterizedAccess(name, (0, Data(_, answer))),)):
                assert name == REPLY_TO_HLS_NAME
                return ReadResponse(
                    (self.check(answer) or DataAccessResult.OTHER_REASON,)
                )
            case _:
                raise AssertionError(request)

    def check(self, answer: object) -> Data | None:
        assert isinstance(answer, bytes)
        mechanism, secret = self.client.mechanism, self.client.secret
        facts = (mechanism, self.handshake, secret, self.security)
        if not is_proven(*facts, answer=answer):
            return None
        return Data(DataType.OCTET_STRING, proof(*facts))


def exchange(association: Association, peer: Peer, request: Apdu) -> Apdu:
    answer = peer(association.encode(request))
    return association.decode(association.unprotect(answer))


def session(settings_: AssociationSettings) -> tuple[Association, Peer]:
    counter = InvocationCounter(1, reserved=1 << 32)
    return Association(settings_, counter), Peer(settings_)


def read(association: Association, peer: Peer) -> Data:
    """Associate, read one value, release."""

    over = partial(exchange, association, peer)
    drive(associate(association), over)
    assert association.state is AssociationState.ASSOCIATED
    value = drive(get(association, ENERGY), over)
    drive(release(association), over)
    return value


def client(
    mechanism: Mechanism = Mechanism.NONE,
    security: SecuritySettings | None = BOOK,
    **changes: Any,  # noqa: ANN401 - fields of AssociationSettings
) -> AssociationSettings:
    made = AssociationSettings(
        mechanism=mechanism,
        secret=SECRET,
        conformance=EVERYTHING,
        system_title=CLIENT_TITLE,
        security=security,
        challenge=CTOS if mechanism > Mechanism.LLS else b"",
        one_time_key=ONE_TIME_KEY,
    )
    return replace(made, **changes)


def test_recorded_session() -> None:
    """v0635: a MEL meter, HLS with GMAC; octet by octet what was said, except where a client may choose."""
    (vector,) = (row for row in vectors(layer="session") if row.keys)
    steps = [
        (step["dir"], bytes.fromhex(step["hex"])) for step in vector.decoded["apdus"]
    ][4:]
    requests = [octets for who, octets in steps if who == "c2s"]
    answers: Iterator[bytes] = iter([octets for who, octets in steps if who == "s2c"])
    recorded = decode_apdu(requests[0])
    assert isinstance(recorded, Aarq)
    association = Association(
        AssociationSettings(
            mechanism=Mechanism.HLS_GMAC,
            conformance=Conformance(0x00FE1F),
            system_title=bytes.fromhex(vector.keys["st_c"]),
            security=SecuritySettings(
                global_unicast_key=bytes.fromhex(vector.keys["ek"]),
                authentication_key=bytes.fromhex(vector.keys["ak"]),
            ),
            challenge=recorded.authentication_value or b"",
        ),
        InvocationCounter(0x59, reserved=1 << 32),
    )
    made: list[bytes] = []

    def over(request: Apdu) -> Apdu:
        made.append(association.encode(request))
        return association.decode(association.unprotect(next(answers)))

    drive(associate(association), over)
    # The recorded client asked everything with invoke-id 1, and left a counter out.
    while association.next_invoke().invoke_id:
        pass
    assert association.security is not None
    association.security.counter.advance(0x5D)
    name = AttributeDescriptor(1, Obis.parse("0-0:96.1.0*255"), 2)
    value = drive(get(association, name), over)
    assert value == Data(DataType.OCTET_STRING, b"12000017")
    assert [octets.hex() for octets in made] == [octets.hex() for octets in requests]
    assert association.protection.authenticated


HLS = [mechanism for mechanism in Mechanism if 2 <= mechanism <= 7]
CONTEXTS = [ApplicationContext.LOGICAL_NAME, ApplicationContext.SHORT_NAME]


@pytest.mark.parametrize("mechanism", HLS)
@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("ciphered", [False, True], ids=["plain", "ciphered"])
def test_hls(mechanism: Mechanism, suite: SecuritySuite, ciphered: bool) -> None:
    keys = settings(suite)
    if not ciphered:
        keys = replace(keys, policy=SecurityPolicy.NONE)
    association, peer = session(client(mechanism, keys))
    if mechanism is Mechanism.HLS_ECDSA and suite is SecuritySuite.AES_GCM_128:
        with pytest.raises(LocalProtocolError, match="signing key is needed"):
            read(association, peer)
        return
    assert read(association, peer) == VALUE
    aarq = decode_apdu(peer.requests[0])
    assert isinstance(aarq, Aarq)
    assert aarq.application_context == (3 if ciphered else 1)
    assert aarq.calling_ap_title == CLIENT_TITLE


@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.LLS])
@pytest.mark.parametrize("enveloping", Enveloping)
def test_ciphered(mechanism: Mechanism, enveloping: Enveloping) -> None:
    keys = settings(SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256, enveloping=enveloping)
    association, peer = session(client(mechanism, keys))
    assert read(association, peer) == VALUE
    assert association.protection.authenticated


@pytest.mark.parametrize("mechanism", HLS[:5])
def test_hls_by_short_name(mechanism: Mechanism) -> None:
    association, peer = session(
        client(mechanism, context=ApplicationContext.SHORT_NAME)
    )

    over = partial(exchange, association, peer)
    drive(associate(association), over)
    assert association.state is AssociationState.ASSOCIATED
    aarq = decode_apdu(peer.requests[0])
    assert isinstance(aarq, Aarq)
    assert aarq.application_context is ApplicationContext.SHORT_NAME_CIPHERED


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize("named", ApplicationContext)
def test_the_context_the_meter_names_says_nothing(
    ciphered: bool, named: ApplicationContext
) -> None:
    """Some name the context in clear in a ciphered association, the ciphered one for LLS, or always the same."""
    association, peer = session(client(Mechanism.LLS, BOOK if ciphered else None))
    peer.named_context = named
    assert read(association, peer) == VALUE


@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.HLS_GMAC])
def test_dedicated_key(mechanism: Mechanism) -> None:
    keys = replace(BOOK, use_dedicated_key=True)
    association, peer = session(client(mechanism, keys, dedicated_key=DEDICATED_KEY))
    assert read(association, peer) == VALUE
    tags = [octets[0] for octets in peer.requests]
    assert tags == [0x60, *([0xCB] if mechanism else []), 0xD0, 0x62]
    assert all(DEDICATED_KEY not in octets for octets in peer.requests)


def test_without_the_authentication_key() -> None:
    keys = SecuritySettings(
        policy=SecurityPolicy.ENCRYPTED, global_unicast_key=GLOBAL_KEY
    )
    association, peer = session(client(security=keys))
    peer.security = context(BOOK, SERVER_TITLE)
    peer.security._demanded = int(SecurityPolicy.ENCRYPTED)
    assert read(association, peer) == VALUE
    assert not association.protection.authenticated


def test_one_message_nobody_signed_for_is_not_forgotten() -> None:
    """What follows it may be authenticated: then not all that was read is."""
    keys = replace(BOOK, policy=SecurityPolicy.ENCRYPTED)
    association, peer = session(client(security=keys))
    over = partial(exchange, association, peer)
    drive(associate(association), over)
    assert association.protection.authenticated
    for policy, all_authenticated in (
        (SecurityPolicy.ENCRYPTED | SecurityPolicy.AUTHENTICATED, True),
        (SecurityPolicy.ENCRYPTED, False),
        (SecurityPolicy.ENCRYPTED | SecurityPolicy.AUTHENTICATED, False),
    ):
        assert peer.security is not None
        peer.security._control = SecurityControl.of(keys.suite, policy)
        assert drive(get(association, ENERGY), over) == VALUE
        assert association.protection.authenticated is all_authenticated


def test_refusals_in_clear() -> None:
    """As u9n's users saw; the meter may refuse the release like this, too."""
    for refusal in (
        ExceptionResponse(
            ExceptionStateError.SERVICE_NOT_ALLOWED,
            ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        ),
        decode_apdu(bytes.fromhex("0e040501")),
    ):
        association, peer = session(client())
        peer.instead = {GetRequestNormal: refusal.encode(), Rlrq: refusal.encode()}
        with pytest.raises(ServiceError):
            read(association, peer)
        drive(release(association), partial(exchange, association, peer))
        assert not association.is_open


def raised_by(
    instead: dict[type[Apdu], bytes], settings_: AssociationSettings
) -> DlmsError:
    association, peer = session(settings_)
    peer.instead = instead
    with pytest.raises(DlmsError) as raised:
        read(association, peer)
    return raised.value


def exception(code: ExceptionServiceError, counter: int | None = None) -> bytes:
    return ExceptionResponse(
        ExceptionStateError.SERVICE_NOT_ALLOWED, code, counter
    ).encode()


def test_the_meter_wants_another_counter() -> None:
    for request in (Aarq, GetRequestNormal):
        association, peer = session(client())
        wanted = exception(ExceptionServiceError.INVOCATION_COUNTER_ERROR, 777)
        peer.instead = {request: wanted}
        with pytest.raises(InvocationCounterRefused, match="777") as raised:
            read(association, peer)
        assert raised.value.expected == 777
        assert association.security is not None
        assert association.security.counter.following == 778


def test_the_meter_cannot_decipher() -> None:
    for request in (Aarq, GetRequestNormal):
        answer = exception(ExceptionServiceError.DECIPHERING_ERROR)
        error = raised_by({request: answer}, client())
        assert isinstance(error, SecurityError)
        assert "check the keys" in str(error)


def test_the_same_exceptions_in_an_association_in_clear() -> None:
    answer = exception(ExceptionServiceError.DECIPHERING_ERROR)
    error = raised_by({GetRequestNormal: answer}, client(security=None))
    assert isinstance(error, ServiceError)


def test_answers_in_clear() -> None:
    invoke = bytes.fromhex("c1")
    for answer in (b"\xc4\x01" + invoke + b"\x00\x11\x07", b"\x0f", b""):
        error = raised_by({GetRequestNormal: answer}, client())
        assert isinstance(error, SecurityError)
        assert "in clear" in str(error)


def aare(
    result: AssociationResult, information: bytes | None, title: bytes | None = None
) -> bytes:
    return Aare(
        application_context=ApplicationContext.LOGICAL_NAME_CIPHERED,
        result=result,
        diagnostic=UserDiagnostic.NULL
        if result is AssociationResult.ACCEPTED
        else UserDiagnostic.AUTHENTICATION_FAILURE,
        responding_ap_title=title,
        user_information=information,
    ).encode()


IN_CLEAR = InitiateResponse(conformance=EVERYTHING, max_receive_pdu_size=0).encode()
UNREADABLE = bytes.fromhex("281f300000004f") + bytes(26)


def test_accepted_in_clear() -> None:
    answer = aare(AssociationResult.ACCEPTED, IN_CLEAR, SERVER_TITLE)
    error = raised_by({Aarq: answer}, client())
    assert isinstance(error, SecurityError)
    assert "in clear" in str(error)


def test_accepted_with_nothing() -> None:
    answer = aare(AssociationResult.ACCEPTED, None, SERVER_TITLE)
    assert isinstance(raised_by({Aarq: answer}, client()), RemoteProtocolError)


def test_accepted_with_what_does_not_decipher() -> None:
    answer = aare(AssociationResult.ACCEPTED, UNREADABLE, SERVER_TITLE)
    error = raised_by({Aarq: answer}, client())
    assert isinstance(error, SecurityError)
    assert "check the encryption key" in str(error)


@pytest.mark.parametrize(
    "information",
    [None, b"", IN_CLEAR, UNREADABLE, UNREADABLE[:9], bytes.fromhex("0e010600")],
)
@pytest.mark.parametrize("title", [None, SERVER_TITLE, CLIENT_TITLE])
def test_a_refusal_stands_whatever_comes_with_it(
    information: bytes | None, title: bytes | None
) -> None:
    answer = aare(AssociationResult.REJECTED_PERMANENT, information, title)
    error = raised_by({Aarq: answer}, client())
    assert isinstance(error, AuthenticationFailed)


def test_a_meter_that_does_not_tell_its_title() -> None:
    association, peer = session(client())
    peer.title = None
    with pytest.raises(SecurityError, match="give it in the settings"):
        read(association, peer)
    keys = replace(BOOK, server_system_title=SERVER_TITLE)
    association, peer = session(client(security=keys))
    peer.title = None
    assert read(association, peer) == VALUE
    plain = client(Mechanism.HLS_GMAC, replace(BOOK, policy=SecurityPolicy.NONE))
    association, peer = session(plain)
    peer.title = None
    with pytest.raises(SecurityError, match="give it in the settings"):
        read(association, peer)


def test_a_meter_with_our_title() -> None:
    association, peer = session(client())
    peer.title = CLIENT_TITLE
    with pytest.raises(SecurityError, match="choose another"):
        read(association, peer)


@pytest.mark.parametrize("mechanism", HLS[:5])
def test_a_meter_that_does_not_challenge_us(mechanism: Mechanism) -> None:
    for challenge in (None, b""):
        association, peer = session(client(mechanism))
        peer.challenge = challenge
        with pytest.raises(RemoteProtocolError, match="without challenging us"):
            read(association, peer)
        assert association.is_open


def test_a_meter_that_sends_our_challenge_back() -> None:
    association, peer = session(client(Mechanism.HLS_MD5, None))
    peer.challenge = CTOS
    with pytest.raises(SecurityError, match="with our own challenge"):
        read(association, peer)


def outcome(result: ActionResult, returned: Data | None = None) -> bytes:
    invoke = ActionRequestNormal.decode(
        Reader(bytes.fromhex("c301c1000f0000280000ff0100"))
    ).invoke
    return ActionResponseNormal(invoke, ActionOutcome(result, returned)).encode()


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (outcome(ActionResult.READ_WRITE_DENIED), AuthenticationFailed, "denied"),
        (exception(ExceptionServiceError.OTHER_REASON), AuthenticationFailed, "other"),
        (bytes.fromhex("0e050401"), AuthenticationFailed, "does not believe"),
        (outcome(ActionResult.SUCCESS), AuthenticationFailed, "does not prove"),
        (outcome(ActionResult.SUCCESS, VALUE), AuthenticationFailed, "does not prove"),
        (
            outcome(ActionResult.SUCCESS, Data(DataType.OCTET_STRING, bytes(16))),
            AuthenticationFailed,
            "does not prove",
        ),
        (bytes.fromhex("c401c1000600000001"), RemoteProtocolError, "GetResponse"),
    ],
)
def test_proofs_that_fail(answer: bytes, error: type[DlmsError], words: str) -> None:
    raised = raised_by({ActionRequestNormal: answer}, client(Mechanism.HLS_MD5, None))
    assert type(raised) is error
    assert words in str(raised)
    assert SECRET.decode() not in str(raised)


class ShortNamePeer(Peer):
    """A meter that wants reply_to_HLS by Write, or refuses it; it counts the proofs it was given."""

    first: Apdu = ReadResponse((DataAccessResult.OBJECT_UNDEFINED,))
    written: Apdu | None = WriteResponse((DataAccessResult.SUCCESS,))
    returned: Data | None = None
    proofs = 0

    def prove(self, request: Apdu) -> Apdu:
        match request:
            case ReadRequest((ParameterizedAccess(),)):
                self.proofs += 1
                return self.first
            case WriteRequest((VariableName(name),), (Data(_, answer),)):
                assert name == REPLY_TO_HLS_NAME
                self.proofs += 1
                self.returned = self.check(answer)
                assert self.returned is not None
                return self.written or ReadResponse((self.returned,))
            case ReadRequest((VariableName(name),)):
                assert name == REPLY_TO_HLS_NAME
                assert self.returned is not None
                return ReadResponse((self.returned,))
        raise AssertionError(request)


SHORT = client(Mechanism.HLS_SHA1, None, context=ApplicationContext.SHORT_NAME)


def associate_with(peer: Peer, memory: MeterMemory | None = None) -> Association:
    association = Association(SHORT, memory=memory)
    drive(associate(association), partial(exchange, association, peer))
    return association


@pytest.mark.parametrize(
    "written", [WriteResponse((DataAccessResult.SUCCESS,)), None], ids=["read", "told"]
)
@pytest.mark.parametrize(
    "first",
    [
        "0c010104",  # data access result: object undefined
        "d80201",  # service unknown
        "d80102",  # service not supported
        "0e050302",  # service: service unsupported
        "0e050401",  # definition: object undefined
        "0e050403",  # definition: object attribute inconsistent
    ],
)
def test_a_meter_that_wants_its_methods_written(
    first: str, written: Apdu | None
) -> None:
    peer, memory = ShortNamePeer(SHORT), MeterMemory()
    peer.first, peer.written = decode_apdu(bytes.fromhex(first)), written
    assert associate_with(peer, memory).state is AssociationState.ASSOCIATED
    assert peer.proofs == 2
    assert memory.writes_methods
    again = ShortNamePeer(SHORT)
    associate_with(again, memory)
    assert again.proofs == 1


@pytest.mark.parametrize(
    "refusal",
    [
        "d80101",  # service not allowed, operation not possible
        "d80103",  # service not allowed, other reason
        "0e050502",  # access: object access violated
        "0e050300",  # service: other
    ],
)
def test_a_proof_that_is_refused_by_an_exception_is_not_given_twice(
    refusal: str,
) -> None:
    """A strict meter counts each proof that fails, and after a few it lets nobody in."""
    peer = ShortNamePeer(SHORT)
    peer.first = decode_apdu(bytes.fromhex(refusal))
    with pytest.raises(AuthenticationFailed):
        associate_with(peer)
    assert peer.proofs == 1


def test_a_meter_that_wants_its_methods_read_after_all() -> None:
    memory = MeterMemory(writes_methods=True)
    peer = ShortNamePeer(SHORT)
    peer.written = WriteResponse((DataAccessResult.OBJECT_UNDEFINED,))
    with pytest.raises(AuthenticationFailed):
        associate_with(peer, memory)
    assert memory.writes_methods is None
    associate_with(Peer(SHORT), memory)
    assert memory.writes_methods is None


@pytest.mark.parametrize(
    ("first", "written", "error"),
    [
        (
            ReadResponse((DataAccessResult.READ_WRITE_DENIED,)),
            None,
            AuthenticationFailed,
        ),
        (
            ReadResponse((DataAccessResult.OBJECT_UNDEFINED,)),
            WriteResponse((DataAccessResult.READ_WRITE_DENIED,)),
            AuthenticationFailed,
        ),
        (ReadResponse(()), None, RemoteProtocolError),
        (ReadResponse((BlockArrived(1),)), None, RemoteProtocolError),
        (WriteResponse((DataAccessResult.SUCCESS,) * 2), None, RemoteProtocolError),
    ],
)
def test_proofs_by_short_name_that_fail(
    first: Apdu, written: Apdu, error: type[DlmsError]
) -> None:
    peer = ShortNamePeer(SHORT)
    peer.first, peer.written = first, written
    with pytest.raises(error):
        associate_with(peer)


def test_ciphered_answers_without_keys() -> None:
    association = Association(AssociationSettings())
    with pytest.raises(SecurityError, match="keys are needed"):
        association.unprotect(bytes.fromhex("cc0530000000ff"))
    assert association.counter_to_save is None
    association.counter_saved(5)


def test_a_release_without_the_request_in_it() -> None:
    association, _ = session(client())
    assert association.encode(Rlrq()) == Rlrq().encode()


def test_capacity() -> None:
    association, peer = session(client())
    assert not association.request_capacity
    drive(associate(association), partial(exchange, association, peer))
    assert association.security is not None
    assert association.request_capacity == 1000 - association.security.overhead
    with pytest.raises(LocalProtocolError, match="takes 1000 at most"):
        association.encode(decode_apdu(b"\x0c\x01\x00\x09\x82\x04\x00" + bytes(1024)))


@pytest.mark.parametrize(
    ("changes", "proposed"),
    [({}, False), ({"enveloping": Enveloping.GENERAL}, True), ({"signs": True}, True)],
)
def test_general_protection_is_proposed(
    changes: dict[str, Any], proposed: bool
) -> None:
    made = client(security=settings(**changes), conformance=None)
    assert (Conformance.GENERAL_PROTECTION in made.proposal) is proposed


def test_nobody_has_challenged_us() -> None:
    association, _ = session(client(Mechanism.HLS_MD5))
    with pytest.raises(LocalProtocolError, match="has not challenged"):
        association.proof()
    with pytest.raises(LocalProtocolError, match="has not challenged"):
        association.accept_proof(b"")


def test_counters_are_saved_first() -> None:
    association = Association(client())
    request = association.request()
    with pytest.raises(LocalProtocolError, match="was not saved before use"):
        association.encode(request)
    end = association.counter_to_save
    assert end is not None
    association.counter_saved(end)
    assert not association.counter_to_save
    association.encode(request)
