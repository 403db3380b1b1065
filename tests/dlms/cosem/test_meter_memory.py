"""What was learned about a meter survives storage as JSON."""

import json
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.cosem.clock import DeviationRule, MeterClock
from custom_components.dlms_meter.dlms.cosem.meter_memory import (
    MeterMemory,
    ShortName,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile_memory import ProfileMemory
from custom_components.dlms_meter.dlms.errors import DecodeError

LEARNED = MeterMemory(
    refuses_lists=True,
    longest_list=12,
    refuses_write_lists=False,
    takes_any_pdu_size_only=True,
    refuses_link_parameters=True,
    writes_methods=True,
    inactivity_timeout=120,
    short_names={
        (3, Obis.parse("1-0:1.8.0")): ShortName(0x1500, 0),
        (64, Obis.parse("0-0:43.0.0")): ShortName(0xFE00, 1),
    },
    clock=MeterClock(deviation=DeviationRule.REVERSED, standard_offset=330),
    profiles={Obis.parse("1-0:99.1.0"): ProfileMemory(capture_period=900)},
)


@pytest.mark.parametrize("memory", [MeterMemory(), LEARNED])
def test_survives_storage(memory: MeterMemory) -> None:
    stored = json.loads(json.dumps(memory.to_storage()))
    assert MeterMemory.from_storage(stored) == memory


def test_what_an_older_release_did_not_store_is_not_learned_yet() -> None:
    assert MeterMemory.from_storage({"writes_methods": True}) == MeterMemory(
        writes_methods=True
    )


def test_what_a_newer_release_stored_besides_is_left_out() -> None:
    assert MeterMemory.from_storage({"writes_methods": True, "more": 2}) == MeterMemory(
        writes_methods=True
    )


@pytest.mark.parametrize(
    "stored",
    [
        {"refuses_lists": "no"},
        {"refuses_link_parameters": 1.5},
        {"short_names": 7},
        {"short_names": [[3, "1-0:1.8.0"]]},
        {"short_names": [[3, 18, 0, 0]]},
        {"short_names": [["three", "1-0:1.8.0", 0, 0]]},
        {"profiles": 7},
    ],
)
def test_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(DecodeError, match="not a stored memory"):
        MeterMemory.from_storage(stored)
