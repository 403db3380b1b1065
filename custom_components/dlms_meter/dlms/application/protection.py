"""How the APDUs of one association are protected: what is put into envelopes, and what may come without."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import (
    DecodeError,
    InvocationCounterRefused,
    NotDeciphered,
    SecurityError,
)
from .acse import Aare, Aarq, Rlre, Rlrq
from .apdu import Apdu, decode_apdu
from .enums import AssociationResult, ExceptionServiceError
from .envelope_tags import is_envelope
from .failure import ConfirmedServiceError, ExceptionResponse

if TYPE_CHECKING:
    from .security import SecurityContext

# First octets of what may come in clear: ACSE has its own protection inside, and some meters refuse in clear, by
# ExceptionResponse or ConfirmedServiceError, even the release.
_IN_CLEAR = {
    bytes((apdu.TAG,))
    for apdu in (Aare, Rlre, ExceptionResponse, ConfirmedServiceError)
}


class Protection:
    """Encodes and decodes the APDUs of an association; without `cipher`, in clear."""

    def __init__(self, cipher: SecurityContext | None) -> None:
        """Begin with nothing received."""
        self._cipher = cipher
        self.authenticated = True
        """Whether every protected message so far was sure to come from the meter, unchanged."""

    @property
    def overhead(self) -> int:
        """Octets that protection adds to an APDU at most."""
        return 0 if self._cipher is None else self._cipher.overhead

    def encode(self, apdu: Apdu) -> bytes:
        """Encode an APDU to be sent, and protect it; of ACSE, what it carries of xDLMS.

        Raises `LocalProtocolError` for values that do not fit, when a key is missing or no invocation counter was saved,
        `SecurityError` when the counter is used up.
        """
        cipher = self._cipher
        if cipher is None:
            return apdu.encode()
        if not isinstance(apdu, Aarq | Rlrq):
            return cipher.protect(apdu.encode())
        if apdu.user_information is not None:
            information = cipher.protect_initiate(apdu.user_information)
            return replace(apdu, user_information=information).encode()
        return apdu.encode()

    def unprotect(self, octets: bytes) -> bytes:
        """Take an APDU received out of its envelopes; what comes without them must be allowed to.

        Raises `SecurityError` when it cannot be opened or trusted, `DecodeError` when an envelope is malformed.
        """
        if not is_envelope(octets):
            if self._cipher is not None and octets[:1] not in _IN_CLEAR:
                raise SecurityError("The meter says in clear what should be ciphered")
            return octets
        if self._cipher is None:
            raise SecurityError("The meter ciphers what it says: keys are needed")
        apdu, _, authenticated = self._cipher.unprotect(octets)
        self.authenticated = self.authenticated and authenticated
        return apdu

    def decode(self, octets: bytes) -> Apdu:
        """Decode an APDU received, out of its envelopes.

        Raises `DecodeError`, and `SecurityError` when the APDU tells that the meter cannot read what we send.
        """
        apdu = decode_apdu(octets)
        if self._cipher is not None:
            if isinstance(apdu, Aare):
                return self._open(apdu, self._cipher)
            if isinstance(apdu, ExceptionResponse):
                _raise_security_error(apdu, self._cipher)
        return apdu

    def _open(self, aare: Aare, cipher: SecurityContext) -> Aare:
        """Learn the meter's system title, and take what it agrees to out of its envelope.

        The application context it names is not looked at: some meters name the one in clear, or the other way round.
        """
        information = aare.user_information
        try:
            cipher.meet(aare.responding_ap_title)
            if information is not None:
                information = self.unprotect(information)
        except DecodeError, SecurityError:
            # A refusal stands, even where its reasons cannot be read.
            if aare.result is AssociationResult.ACCEPTED:
                raise
            information = None
        return replace(aare, user_information=information)


def _raise_security_error(answer: ExceptionResponse, cipher: SecurityContext) -> None:
    """Raise the error for an exception that ciphering is the reason of."""
    expected = answer.invocation_counter
    if expected is not None:
        # One more is accepted both by those that tell the next one and by those that tell the last one.
        cipher.counter.advance(expected + 1)
        raise InvocationCounterRefused(
            f"The meter refuses our invocation counter, which should be {expected} or more",
            expected,
        )
    if answer.service_error is ExceptionServiceError.DECIPHERING_ERROR:
        raise NotDeciphered(
            "The meter cannot decipher what we send: check the keys, and the client address they belong to"
        )
