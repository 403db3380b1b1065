"""Every APDU this client knows, by its first octets: one table.

The APDUs of the services are NamedTuples, since there are fifty of them: a class of that kind takes 0.06 ms to make at
import, a frozen dataclass 0.38 ms. They are told apart by their type alone; equal fields make two of them equal.
"""

from collections.abc import Callable

from ..codec.cursor import Reader
from ..errors import DecodeError
from .access import ACCESS_DECODERS, AccessApdu
from .acse import Aare, Aarq, Rlre, Rlrq
from .action import ACTION_DECODERS, ActionRequest, ActionResponse
from .block_transfer import GENERAL_BLOCK_TRANSFER, GeneralBlockTransfer
from .failure import ConfirmedServiceError, ExceptionResponse
from .fields import InvokeIdAndPriority, LongInvokeIdAndPriority
from .get import GET_DECODERS, GetRequest, GetResponse, decode_number
from .initiate import InitiateRequest, InitiateResponse
from .notification import NOTIFICATION_DECODERS, Notification
from .set import SET_DECODERS, SetRequest, SetResponse
from .short_name import (
    SHORT_NAME_DECODERS,
    ShortNameRequest,
    ShortNameResponse,
    UnconfirmedWriteRequest,
)

type Apdu = (
    Aarq | Aare | Rlrq | Rlre
    | InitiateRequest | InitiateResponse
    | GetRequest | GetResponse
    | SetRequest | SetResponse
    | ActionRequest | ActionResponse
    | AccessApdu
    | ShortNameRequest | ShortNameResponse
    | Notification
    | GeneralBlockTransfer
    | ExceptionResponse | ConfirmedServiceError
)  # fmt: skip

_DECODERS: dict[bytes, Callable[[Reader], Apdu]] = {
    **{bytes((apdu.TAG,)): apdu.decode for apdu in (Aarq, Aare, Rlrq, Rlre)},
    **{bytes((apdu.TAG,)): apdu.decode for apdu in (InitiateRequest, InitiateResponse)},
    **{
        bytes((apdu.TAG,)): apdu.decode
        for apdu in (ExceptionResponse, ConfirmedServiceError)
    },
    **GET_DECODERS,
    **SET_DECODERS,
    **ACTION_DECODERS,
    **ACCESS_DECODERS,
    **SHORT_NAME_DECODERS,
    **NOTIFICATION_DECODERS,
    bytes((GENERAL_BLOCK_TRANSFER,)): GeneralBlockTransfer.decode,
}


def decode_apdu(data: bytes) -> Apdu:
    """Decode one whole APDU.

    Raises `DecodeError` when its tag is not known, octets are missing, or octets follow it
    (but see `GetResponseNormal` and `Rlre`, which some meters lengthen).
    """
    if (answer := decode_number(data)) is not None:
        return answer
    decode = _DECODERS.get(data[:2]) or _DECODERS.get(data[:1])
    if decode is None:
        raise DecodeError(
            f"no APDU we know begins with {data[:2].hex(' ').upper() or 'nothing'}", 0
        )
    reader = Reader(data)
    apdu = decode(reader)
    reader.finish(type(apdu).__name__)
    return apdu


def wants_answer(request: Apdu) -> bool:
    """Tell whether a request is to be answered."""
    if isinstance(request, UnconfirmedWriteRequest):
        return False
    invoke: InvokeIdAndPriority | LongInvokeIdAndPriority | None = getattr(
        request, "invoke", None
    )
    return invoke is None or invoke.confirmed
