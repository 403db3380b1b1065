"""No value twice: not in one run, not after a crash."""

import pytest

from custom_components.dlms_meter.dlms.application.invocation_counter import (
    BLOCK,
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.errors import (
    LocalProtocolError,
    SecurityError,
)


def test_nothing_is_used_before_it_is_saved() -> None:
    counter = InvocationCounter(7)
    with pytest.raises(LocalProtocolError, match="counter 7 was not saved"):
        counter.take()
    end = counter.to_reserve
    assert end == 7 + BLOCK
    counter.reserve(end)
    assert not counter.to_reserve
    assert [counter.take() for _ in range(3)] == [7, 8, 9]


def test_a_crash_at_any_moment_repeats_nothing() -> None:
    used: list[int] = []
    saved = 1
    for life in range(30):
        counter = InvocationCounter(saved)
        for _ in range(life * 97):
            if (end := counter.to_reserve) is not None:
                saved = end
                counter.reserve(end)
            used.append(counter.take())
            used.append(counter.take())  # an exchange of HLS takes two
    assert len(set(used)) == len(used)
    assert used == sorted(used)


def test_some_are_kept_in_hand() -> None:
    counter = InvocationCounter(1)
    counter.reserve(5)
    assert not counter.to_reserve
    counter.take()
    assert counter.to_reserve == 2 + BLOCK


def test_advance_goes_forward_only() -> None:
    counter = InvocationCounter(10, reserved=20)
    counter.advance(5)
    assert counter.following == 10
    counter.advance(30)
    assert counter.to_reserve == 30 + BLOCK
    with pytest.raises(LocalProtocolError):
        counter.take()
    counter.reserve(31)
    assert counter.take() == 30


def test_the_end() -> None:
    counter = InvocationCounter(0xFFFFFFFE)
    assert counter.to_reserve == 1 << 32
    counter.reserve(1 << 32)
    assert [counter.take(), counter.take()] == [0xFFFFFFFE, 0xFFFFFFFF]
    with pytest.raises(SecurityError, match="used up"):
        counter.take()


def test_nobody_can_use_up_the_counter_by_a_message_in_clear() -> None:
    counter = InvocationCounter(10, reserved=20)
    for value in (0xFF000000, 0xFFFFFFFF, 0x100000000):
        counter.advance(value)
        assert counter.following == 10
    counter.advance(0xFEFFFFFF)
    assert counter.following == 0xFEFFFFFF
