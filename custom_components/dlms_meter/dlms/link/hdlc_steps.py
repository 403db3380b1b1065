"""What is tried to connect or to disconnect, one frame after another, and why the meter does not want to."""

from collections.abc import Iterator
from typing import Self

from ..errors import FrameRejected, LinkBusy, LinkError
from .hdlc_frame import Frame, FrameType
from .hdlc_parameters import HdlcParameters
from .hdlc_stations import Stations


class Steps:
    """The frames still to be tried: first those that connect, after `disconnect` those that end the link."""

    def __init__(self, parameters: HdlcParameters, stations: Stations) -> None:
        self.fell_back = False
        """SNRM with parameters brought no connection, so one without was tried."""
        self.ending = False
        """DISC was asked for, not sent to clear a stale link."""
        self.refusal: LinkError | None = None
        """Why the meter does not want to connect."""
        self._parameters = parameters
        self._stations = stations
        self._steps = self._connecting()

    def __iter__(self) -> Self:
        """Return these steps, which are tried once only."""
        return self

    def __next__(self) -> Frame:
        """Return the next frame to try."""
        return next(self._steps)

    def disconnect(self) -> None:
        """Try no more to connect: from now on the link is to end."""
        self.ending = True
        self._steps = iter(
            [self._stations.frame(FrameType.DISC)] * self._parameters.attempts
        )

    def refused(self, frame: Frame) -> None:
        """Keep what DM or FRMR in answer to SNRM means."""
        self.refusal = (
            LinkBusy(
                f"The meter at address {self._stations.server} refuses the link (DM). The address may be wrong, or another client"
                " is reading it: close other programs, or wait two minutes until the meter ends the old session."
            )
            if frame.type is FrameType.DM
            else FrameRejected(
                f"The meter rejects SNRM (FRMR {frame.information.hex()})."
            )
        )

    def _connecting(self) -> Iterator[Frame]:
        """Yield what is tried to connect, one after another.

        DISC comes second: a meter that still holds the last session answers SNRM with DM, or not at all (Mercury 234).
        SNRM without parameters comes last, for link layers that SNRM with parameters kills.
        """
        stations, parameters = self._stations, self._parameters
        bare = stations.frame(FrameType.SNRM)
        offer = (
            stations.frame(FrameType.SNRM, parameters.limits.encode())
            if parameters.send_parameters
            else bare
        )
        yield offer
        if parameters.attempts > 1:
            yield stations.frame(FrameType.DISC)
            yield from [offer] * (parameters.attempts - 2)
            self.fell_back = bare is not offer
            yield bare
