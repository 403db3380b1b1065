"""Every APDU of the vectors that this client knows: alone, in a frame, in a session of a real meter."""

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Rlre
from custom_components.dlms_meter.dlms.application.action import ActionResponseNormal
from custom_components.dlms_meter.dlms.application.apdu import (
    Apdu,
    decode_apdu,
    wants_answer,
)
from custom_components.dlms_meter.dlms.application.enums import (
    AssociationResult,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.get import GetResponseNormal
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_codec, check_damage

from .expected import BUILDERS, described

# Read, but not written: AARQs with invocation identifiers, titles of the called side or a protocol version, or with an
# application context name of someone else; an AARE whose length takes more octets than it needs; a DataNotification
# whose date-time has a tag.
NOT_CANONICAL = {"v0007", "v0025", "v0136", "v0137", "v0138", "v0643"}

# Bits of the invoke-id-and-priority that have no meaning are set, which the description does not tell: see its own test.
RESERVED_BITS = "v0286"

KNOWN = [
    pytest.param(name, octets, BUILDERS[decoded["apdu"]](decoded), id=name)
    for name, octets, decoded in described()
    if decoded is not None
    and decoded.get("apdu") in BUILDERS
    and not name.startswith(RESERVED_BITS)
]


def is_lenient(apdu: Apdu) -> bool:
    refusal = isinstance(apdu, Aare) and apdu.result is not AssociationResult.ACCEPTED
    return refusal or isinstance(apdu, (GetResponseNormal, Rlre))


@pytest.mark.parametrize(("name", "octets", "apdu"), KNOWN)
def test_vector(name: str, octets: bytes, apdu: Apdu) -> None:
    canonical = name.partition(" ")[0] not in NOT_CANONICAL
    if is_lenient(apdu):
        assert decode_apdu(octets) == apdu
        assert apdu.encode() == octets
    else:
        check_codec(
            apdu, octets, decode_apdu, lambda value: value.encode(), canonical=canonical
        )
    check_damage(octets, decode_apdu, count=20)


def test_reserved_bits_of_the_invoke_id() -> None:
    """A gas meter of Elster answers with invoke-id 12 hexadecimal."""
    ((octets, decoded),) = (
        (octets, decoded)
        for name, octets, decoded in described()
        if name.startswith(RESERVED_BITS)
    )
    expected = BUILDERS[decoded["apdu"]](decoded)
    apdu = decode_apdu(octets)
    check_codec(apdu, octets, decode_apdu, lambda value: value.encode())
    assert isinstance(apdu, ActionResponseNormal)
    assert isinstance(expected, ActionResponseNormal)
    assert apdu.invoke == 0x12
    assert apdu.invoke.answers(expected.invoke)
    assert apdu.outcome == expected.outcome


def test_no_apdu_of_the_vectors_is_left_out() -> None:
    """Except those in envelopes, which the tests of ciphering open."""
    kinds = {
        decoded["apdu"]
        for _, _, decoded in described()
        if decoded and "apdu" in decoded
    }
    left_out = {kind for kind in kinds - BUILDERS.keys() if "glo-" not in kind}
    assert left_out == {"general-ciphering", "general-ded-ciphering", "general-signing"}


def lenient(kind: type[Apdu]) -> list[tuple[bytes, Apdu]]:
    rows = [(row.values[1], row.values[2]) for row in KNOWN]
    chosen = [
        (octets, apdu)
        for octets, apdu in rows
        if isinstance(octets, bytes) and isinstance(apdu, kind) and is_lenient(apdu)
    ]
    assert chosen
    return chosen


def test_get_response_normal_is_refused_when_cut_inside_the_value_or_before_the_invoke_id() -> (
    None
):
    for octets, _ in lenient(GetResponseNormal):
        for length in (0, 1, 2, *range(4, len(octets))):
            with pytest.raises(DecodeError):
                decode_apdu(octets[:length])


def test_get_response_normal_without_any_result_is_a_refusal() -> None:
    for octets, apdu in lenient(GetResponseNormal):
        assert isinstance(apdu, GetResponseNormal)
        cut = GetResponseNormal(apdu.invoke, DataAccessResult.OTHER_REASON)
        assert decode_apdu(octets[:3]) == cut


def test_get_response_normal_passes_over_octets_after_the_value() -> None:
    for octets, apdu in lenient(GetResponseNormal):
        assert decode_apdu(octets + octets[4:]) == apdu


def test_rlre_of_any_length_is_a_release() -> None:
    for octets, _ in lenient(Rlre):
        for length in range(1, len(octets)):
            assert isinstance(decode_apdu(octets[:length]), Rlre)
        assert isinstance(decode_apdu(octets + b"\x00"), Rlre)


def test_a_refusing_aare_of_any_length_is_a_refusal_once_its_result_is_there() -> None:
    for octets, apdu in lenient(Aare):
        assert isinstance(apdu, Aare)
        end_of_result = octets.index(b"\xa2\x03\x02\x01") + 5
        for length in range(end_of_result):
            with pytest.raises(DecodeError):
                decode_apdu(octets[:length])
        for length in range(end_of_result, len(octets)):
            cut = decode_apdu(octets[:length])
            assert isinstance(cut, Aare)
            assert cut.result is apdu.result
        longer = decode_apdu(octets + b"\x00")
        assert isinstance(longer, Aare)
        assert (longer.result, longer.diagnostic) == (apdu.result, apdu.diagnostic)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"", "nothing"),
        (b"\xff", "FF"),
        (b"\xc4", "C4"),
        (b"\xc4\x04\xc1", "C4 04"),
        (bytes.fromhex("281f30"), "28 1F"),
    ],
)
def test_unknown(octets: bytes, shown: str) -> None:
    with pytest.raises(DecodeError, match=f"begins with {shown} "):
        decode_apdu(octets)


@pytest.mark.parametrize(
    ("octets", "wanted"),
    [
        ("c101c1 0003 0100010800ff 02 00 1107", True),
        ("c10181 0003 0100010800ff 02 00 1107", False),
        ("d9 c0000001 00 00 00", True),
        ("d9 80000001 00 00 00", False),
        ("06 01 02 1508 01 1107", True),
        ("16 01 02 1508 01 1107", False),
        ("62 00", True),
    ],
)
def test_which_requests_want_an_answer(octets: str, wanted: bool) -> None:
    assert wants_answer(decode_apdu(bytes.fromhex(octets))) is wanted
