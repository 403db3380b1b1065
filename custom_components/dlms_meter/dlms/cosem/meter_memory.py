"""What was learned about one meter that it does not tell: what it refuses, and where its objects are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, NamedTuple, Self

from ..errors import DecodeError
from .clock import MeterClock
from .obis import Obis
from .profile_memory import ProfileMemory


class ShortName(NamedTuple):
    """Where an object starts in short name referencing, and the version of its class, which tells where its methods are."""

    base_name: int
    version: int


@dataclass(slots=True, kw_only=True)
class MeterMemory:
    """What was learned about one meter, so that it is not tried anew in every session.

    The client adds to it; whoever keeps it for the next start stores `to_storage()`. A memory that is empty, or wrong
    after the meter got new firmware, costs turns and no more.
    """

    refuses_lists: bool | None = None
    """The meter agreed to multiple references, and yet refused, or garbled, a list; None until one was tried."""
    longest_list: int | None = None
    """So many attributes may a list have; the answer to a longer one began in blocks, and then they were refused."""
    refuses_write_lists: bool | None = None
    """The same for lists of attributes to be written and methods to be invoked."""
    takes_any_pdu_size_only: bool = False
    """The meter refuses an association with any limit for its APDUs: none must be asked for."""
    refuses_link_parameters: bool = False
    """The meter connects only when it is offered nothing: 128 octets in a frame, a window of 1."""
    writes_methods: bool | None = None
    """Methods of an object with a short name are called by Write, not by Read; None until one was tried."""
    inactivity_timeout: int | None = None
    """Seconds after which the meter ends an idle session; 0 if it does not say, or never does; None until it was asked."""
    short_names: dict[tuple[int, Obis], ShortName] = field(default_factory=dict)
    """Objects by class and logical name, as the object list for short names has them; empty until it was read."""
    clock: MeterClock | None = None
    """How its date-times are to be read; None until its clock was compared with ours."""
    profiles: dict[Obis, ProfileMemory] = field(default_factory=dict)
    """Profiles that were read, by logical name."""

    def to_storage(self) -> dict[str, Any]:
        """Return the same as JSON-able values, for `from_storage`."""
        return {
            "refuses_lists": self.refuses_lists,
            "longest_list": self.longest_list,
            "refuses_write_lists": self.refuses_write_lists,
            "takes_any_pdu_size_only": self.takes_any_pdu_size_only,
            "refuses_link_parameters": self.refuses_link_parameters,
            "writes_methods": self.writes_methods,
            "inactivity_timeout": self.inactivity_timeout,
            "short_names": [
                [class_id, str(logical_name), *short_name]
                for (class_id, logical_name), short_name in self.short_names.items()
            ],
            "clock": self.clock and self.clock.to_storage(),
            "profiles": {
                str(name): profile.to_storage()
                for name, profile in self.profiles.items()
            },
        }

    @classmethod
    def from_storage(cls, stored: Mapping[str, Any]) -> Self:
        """Make the memory `to_storage` was called on; what is missing counts as not learned yet.

        Raises `DecodeError` for what no memory was ever stored as.
        """
        try:
            facts: dict[str, Any] = {
                name: _fact(name, stored[name])
                for name in _FACTS.keys() & stored.keys()
            }
            names = {
                (int(class_id), Obis.parse(logical_name)): ShortName(base_name, version)
                for class_id, logical_name, base_name, version in stored.get(
                    "short_names", ()
                )
            }
            clock = stored.get("clock")
            profiles = {
                Obis.parse(name): ProfileMemory.from_storage(profile)
                for name, profile in stored.get("profiles", {}).items()
            }
        except (AttributeError, TypeError, ValueError) as error:
            raise DecodeError(f"not a stored memory of a meter: {error!r}") from error
        return cls(
            **facts,
            short_names=names,
            clock=None if clock is None else MeterClock.from_storage(clock),
            profiles=profiles,
        )


_FACTS: dict[str, type | UnionType] = {
    "refuses_lists": bool | None,
    "longest_list": int | None,
    "refuses_write_lists": bool | None,
    "takes_any_pdu_size_only": bool,
    "refuses_link_parameters": bool,
    "writes_methods": bool | None,
    "inactivity_timeout": int | None,
}


def _fact(name: str, value: object) -> object:
    if not isinstance(value, _FACTS[name]):
        raise TypeError(f"{name}: {value!r}")
    return value
