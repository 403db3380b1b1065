"""A DLMS/COSEM client that has never heard of Home Assistant. This is its front door, and a map of the house.

Six floors; imports go downstairs only. Start at the top:

    kept_session    a session that stays open from one reading to the next
    client          what can be asked of one meter: `DlmsClient`
    profiles        carrying out the reading of a profile, a few rows at a time
    session         connection, link and association, which begin together and always end politely
    client_settings how a meter is reached and spoken to
    connection      where procedures meet the network: one request at a time, and the farewell
    pump            bytes between transport and link, APDUs between link and connection: one timer
    inbox           what becomes of what the meter sends: an answer, a notification, or nothing
    sign_on         the few lines of text (IEC 62056-21) that some meters want before HDLC
    timing          how long to wait for what
    transport/      bytes to and from the meter: serial ports, TCP, UDP. asyncio lives here and above; all below is pure
    link/           HDLC and the wrapper: frames in, APDUs out
    application/    associations and services: APDUs, and the procedures that exchange them
    cosem/          what a meter is made of: names, objects, values with units, what OBIS codes mean
    codec/          octets to values and back: A-XDR, BER, dates, check sequences
    errors          the one tree of errors

How a reading comes about: `client` asks `connection` to run a procedure of `application`, whose requests `codec`
turns into octets, which `link` frames and `transport` sends. The answer climbs the same stairs. What it means is
known in `cosem`. `tests/dlms/test_walkthrough.py` follows one reading octet by octet.

Whoever uses the client imports from here, and never from a room behind. Rooms are opened when a name of theirs is
first asked for: `import dlms` costs nothing, all rooms together 55 ms (for type checkers, see `__init__.pyi`).
"""

from importlib import import_module

_ROOMS = {
    "application.access_procedure": "AccessItem AccessOutcome",
    "application.action": "ActionOutcome",
    "application.enums": "ActionResult Conformance DataAccessResult Mechanism",
    "application.notification": "DataNotification EventNotification InformationReport Notification",
    "application.secrecy": "without_values",
    "application.security_settings": "Enveloping SecurityPolicy SecuritySettings SecuritySuite",
    "application.transcript": "Exchange ShortTarget exchanges",
    "client": "DlmsClient ReadReport",
    "client_settings": "ClientSettings Framing",
    "codec.axdr": "decode_data encode_data",
    "codec.data": "BitString CompactArray Data DataType",
    "codec.datetimes": "ClockStatus DlmsDate DlmsDateTime DlmsTime",
    "cosem.capture_objects": "CaptureObject",
    "cosem.catalogue": "describe",
    "cosem.class_values": "to_data to_value",
    "cosem.clock": "DeviationRule MeterClock",
    "cosem.compact_data": "decode_compact_buffer",
    "cosem.descriptors": "AttributeDescriptor MethodDescriptor SelectedAttribute SelectiveAccess",
    "cosem.flag_ids": "MANUFACTURERS",
    "cosem.identity": "Identity",
    "cosem.interface_classes": "INTERFACE_CLASSES",
    "cosem.meaning": "Direction Kind Meaning Phase",
    "cosem.meter_memory": "MeterMemory:ClientMemory",
    "cosem.meters": "METERS Access Approach KnownMeter ServerAddress",
    "cosem.obis": "Obis",
    "cosem.object_list": "AccessMode CosemObject",
    "cosem.profile": "ProfileColumn ProfileRow ProfileRows",
    "cosem.profile_selection": "EntryRange LastEntries Selection TimeRange WholeBuffer",
    "cosem.units": "Unit unit_symbol",
    "cosem.values": "Quantity ScalerUnit Value decode_scaler_unit interpret scaler_unit_of",
    "discovery": "Found Line Probe ScanReport find_meter",
    "errors": """
        AssociationRejected AuthenticationFailed DecodeError DlmsError FrameRejected InvocationCounterRefused LinkBusy
        LinkError LocalProtocolError RemoteProtocolError SecurityError ServiceError TransportError
        TransportTimeout
    """,
    "kept_session": "KeptSession",
    "link": "LinkStatistics",
    "link.mode_e": "Acknowledgement SignOnSettings",
    "refusals": "Refusal refusal_and_code refusal_of",
    "session": "Negotiated",
    "symptom": "Symptom symptom_of",
    "transport": "Receiver Transport TransportOpener open_transport",
    "transport.endpoint": "SPEEDS CharacterFormat Endpoint LineSettings SerialEndpoint TcpEndpoint UdpEndpoint",
}  # fmt: skip
"""What each room has to offer; `X:Y` is X under another name."""

_ROOM_OF = {
    name.rpartition(":")[2]: (room, name.partition(":")[0])
    for room, names in _ROOMS.items()
    for name in names.split()
}

__all__ = [*_ROOM_OF]  # noqa: PLE0604  names they are


def __getattr__(name: str) -> object:
    """Open the room that has the name."""
    if name not in _ROOM_OF:
        raise AttributeError(f"{__name__} has no {name}")
    room, there = _ROOM_OF[name]
    value: object = getattr(import_module(f".{room}", __name__), there)
    globals()[name] = value
    return value
