"""Every APDU this client knows, by its first octets: one table."""

from collections.abc import Callable

from ..codec.cursor import Reader
from ..errors import DecodeError
from .acse import Aare, Aarq, Rlre, Rlrq
from .failure import ConfirmedServiceError, ExceptionResponse
from .get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from .initiate import InitiateRequest, InitiateResponse

type GetRequest = GetRequestNormal | GetRequestNext | GetRequestWithList
type GetResponse = GetResponseNormal | GetResponseWithDatablock | GetResponseWithList
type Apdu = (
    Aarq | Aare | Rlrq | Rlre
    | InitiateRequest | InitiateResponse
    | GetRequest | GetResponse
    | ExceptionResponse | ConfirmedServiceError
)  # fmt: skip

_DECODERS: dict[bytes, Callable[[Reader], Apdu]] = {
    **{bytes((apdu.TAG,)): apdu.decode for apdu in (Aarq, Aare, Rlrq, Rlre)},
    **{bytes((apdu.TAG,)): apdu.decode for apdu in (InitiateRequest, InitiateResponse)},
    **{
        bytes((apdu.TAG,)): apdu.decode
        for apdu in (ExceptionResponse, ConfirmedServiceError)
    },
    **{
        apdu.PREFIX: apdu.decode
        for apdu in (GetRequestNormal, GetRequestNext, GetRequestWithList)
    },
    **{
        apdu.PREFIX: apdu.decode
        for apdu in (GetResponseNormal, GetResponseWithDatablock, GetResponseWithList)
    },
}


def decode_apdu(data: bytes) -> Apdu:
    """Decode one whole APDU.

    Raises `DecodeError` when its tag is not known, octets are missing, or octets follow it
    (but see `GetResponseNormal` and `Rlre`, which some meters lengthen).
    """
    decode = _DECODERS.get(data[:2]) or _DECODERS.get(data[:1])
    if decode is None:
        raise DecodeError(
            f"no APDU we know begins with {data[:2].hex(' ').upper() or 'nothing'}", 0
        )
    reader = Reader(data)
    apdu = decode(reader)
    reader.finish(type(apdu).__name__)
    return apdu
