"""A simulated three-phase household electricity meter: a DLMS/COSEM server for tests and the demo.

`Meter` is the meter: object table, house, clock. `HdlcSession` and `WrapperSession` are one client's connection to it,
bytes in and bytes out; `SimulatorServer` puts them on TCP ports; `python -m tests.simulator` runs that as a process.
Frames and APDUs are coded by the product's own codecs, so tests/foreign checks the meter with readers written by others.
"""

from .hdlc import HdlcSession
from .house import House
from .meter import Meter
from .objects import AssociationFacts
from .settings import (
    PUBLIC_CLIENT,
    READING_CLIENT,
    SUPPORTED,
    ClientRule,
    MeterSettings,
)
from .tcp import MeterSession, SimulatorServer
from .wrapper import WrapperSession

__all__ = [
    "PUBLIC_CLIENT",
    "READING_CLIENT",
    "SUPPORTED",
    "AssociationFacts",
    "ClientRule",
    "HdlcSession",
    "House",
    "Meter",
    "MeterSession",
    "MeterSettings",
    "SimulatorServer",
    "WrapperSession",
]
