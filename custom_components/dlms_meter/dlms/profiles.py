"""Carrying out the reading of a profile: its questions go to the meter, its pauses to whoever else waits for a turn."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from .codec.data import Data
from .cosem.descriptors import AttributeDescriptor, SelectiveAccess
from .cosem.profile_buffer import Answer, Pause, Reading, ReadMany, Step
from .errors import DlmsError

type GetMany = Callable[
    [tuple[AttributeDescriptor, ...]],
    Awaitable[dict[AttributeDescriptor, Data | DlmsError]],
]
type GetPart = Callable[
    [AttributeDescriptor, SelectiveAccess | None], Awaitable[Data | bytes]
]


async def carry_out[T](
    reading: Reading[T], *, get_many: GetMany, get_part: GetPart
) -> T:
    """Answer the questions of a reading and return its result.

    Errors of the meter go to the reading, which may know another way; what it cannot deal with, it raises.
    """
    try:
        step = next(reading)
        while True:
            try:
                answer = await _answer(step, get_many, get_part)
            except DlmsError as error:
                step = reading.throw(error)
            else:
                step = reading.send(answer)
    except StopIteration as done:
        return cast(T, done.value)
    finally:
        reading.close()


async def _answer(step: Step, get_many: GetMany, get_part: GetPart) -> Answer:
    if isinstance(step, Pause):
        await asyncio.sleep(0)
        return None
    if isinstance(step, ReadMany):
        return await get_many(step.attributes)
    return await get_part(step.attribute, step.access)
