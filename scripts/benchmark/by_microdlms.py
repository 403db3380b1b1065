"""The work done by microdlms (MIT). It reads no blocks, no lists and no frames of more than 128 octets, so it holds no sessions here."""

from functools import partial

from microdlms.apdu import decode_get_response_normal
from microdlms.axdr import decode_axdr
from microdlms.hdlc import parse_hdlc_frame

from .worker import Inputs, Json, Workload, serve

type Untyped = Json  # microdlms' values


def _frame(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(
        lambda: parse_hdlc_frame(octets), lambda found: found.information.hex()
    )


def _register(inputs: Inputs) -> Workload:
    octets = inputs("register")
    return Workload(lambda: decode_get_response_normal(octets), lambda found: found[2])


def _object_list(inputs: Inputs) -> Workload:
    """It decodes the value, and makes no objects of it."""
    octets = inputs("object list")

    def found(objects: Untyped) -> Json:
        return [[class_id, name.hex()] for class_id, _, name, _ in objects]

    return Workload(lambda: decode_axdr(octets), found)


def _profile(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(
        lambda: decode_axdr(octets),
        lambda rows: [len(rows), rows[-1][5]],
    )


if __name__ == "__main__":
    serve(
        {
            "frame 128": partial(_frame, "frame 128"),
            "frame 2030": partial(_frame, "frame 2030"),
            "register": _register,
            "object list": _object_list,
            "profile": partial(_profile, "profile"),
            "irregular profile": partial(_profile, "irregular profile"),
        },
        {},
    )
