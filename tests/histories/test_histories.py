"""Features where they meet: tens of things that happen between a client and a meter, in an order that chance chooses.

Each seed settles another meter, another line and another history. What is read is what the meter holds, what is written
is written once, what the meter says on its own is heard once; on a bad line, or after something was lost, an error may
come instead, and then a new session works. No key ever meets a counter twice. Nothing hangs, and nothing is left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from custom_components.dlms_meter.dlms import (
    DataNotification,
    DlmsError,
    EventNotification,
)
from custom_components.dlms_meter.dlms.application.fields import LongInvokeIdAndPriority
from tests.dlms.cosem.profiled import ENERGY
from tests.simulator import WrapperSession
from tests.simulator.meter import Push
from tests.simulator.objects import octets
from tests.transports import MemoryTransport, run_virtually

from .operations import Operations
from .scenarios import Scenario, World, no_counter_twice

SEEDS = range(40)
LONGEST = 4 * 3600.0
"""Seconds, of virtual time."""
_MOST_ATTEMPTS = 30
"""To begin a session on a bad line."""


class History:
    """Lets things happen."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._operations = Operations(world, random)
        self._pushed: list[DataNotification | EventNotification] = []
        self._may_be_lost = not world.scenario.is_sound
        """Notifications, too, since something was."""
        self._may_be_doubled = world.scenario.network.doubled > 0

    async def run(self) -> None:
        """Begin, go on for a while, and come to a good end."""
        await self._begin()
        for _ in range(self._random.randint(10, 40)):
            await self._random.choices([*self._events], [*self._events.values()])[0]()
        await self._end()
        self._world.become_sound()
        await self._begin()
        await self._operations.get()
        await self._end()
        self._check_heard()

    @property
    def _events(self) -> dict[Callable[[], Awaitable[None]], int]:
        """What may happen, and how often, in percent."""
        return {
            self._ask: 60, self._push: 12, self._speak: 4, self._cancel: 5, self._ask_twice: 5, self._idle: 4,
            self._reconnect: 4, self._restart: 2, self._lose: 2, self._forget: 2, self._rest: 3,
        }  # fmt: skip

    async def _begin(self) -> None:
        """Begin a session, which on a bad line may take some attempts."""
        for _ in range(_MOST_ATTEMPTS):
            try:
                await self._operations.client.begin()
            except DlmsError:
                if self._world.scenario.is_sound:
                    raise
            else:
                self._operations.may_fail = not self._world.scenario.is_sound
                return
        pytest.fail(f"no session in {_MOST_ATTEMPTS} attempts")

    async def _end(self) -> None:
        await self._operations.client.end()

    def _disturb(self) -> None:
        self._operations.may_fail = self._may_be_lost = True

    async def _try(self, asking: Awaitable[None]) -> None:
        """Await what may go wrong if it has a reason, and then begin anew."""
        try:
            await asking
        except DlmsError:
            if not self._operations.may_fail:
                raise
            self._may_be_lost = True
            if not self._operations.client.is_open or self._random.random() < 0.5:
                await self._end()
                await self._begin()

    # What happens

    async def _ask(self) -> None:
        await self._try(self._random.choice(self._operations.all)())

    async def _ask_twice(self) -> None:
        """Two tasks share the session."""

        async def ask() -> None:
            ways = self._random.choices(self._operations.all, k=2)
            ends = await asyncio.gather(*[w() for w in ways], return_exceptions=True)
            errors = [end for end in ends if end is not None]
            for error in sorted(errors, key=lambda each: isinstance(each, DlmsError)):
                raise error

        await self._try(ask())

    async def _cancel(self) -> None:
        task = asyncio.ensure_future(self._random.choice(self._operations.all)())
        for _ in range(self._random.randint(0, 30)):
            await asyncio.sleep(0)
        if self._random.random() < 0.6:
            longest = self._random.choice((0.01, 0.3, 6))
            await asyncio.sleep(self._random.random() * longest)
        self._disturb()
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            await self._try(task)

    async def _push(self) -> None:
        """Have the meter say something on its own, before its next answer."""
        number, size = len(self._pushed), self._random.choice((0, 0, 0, 100, 600))
        value = octets(f"{number:06}".encode() + bytes(size))
        self._pushed.append(
            DataNotification(LongInvokeIdAndPriority(number), b"", value)
            if self._random.random() < 0.5
            else EventNotification(None, ENERGY, value)
        )
        in_ui_frame = self._random.random() < 0.5
        self._may_be_doubled |= in_ui_frame and self._world.scenario.doubles
        push = Push(self._pushed[-1].encode(), in_ui_frame)
        self._world.meter.pushes.append(push)

    async def _speak(self) -> None:
        """Have it said while nobody asks, or just as somebody does."""
        session = self._world.sessions[-1]
        if isinstance(session, WrapperSession):
            await self._push()
            self._world.lines[-1].say(session.speak())
            await asyncio.sleep(self._random.choice((0, 1)))

    async def _idle(self) -> None:
        """Do nothing, perhaps for so long that the meter gives the session up."""
        self._disturb()
        await asyncio.sleep(self._random.choice((1, 20, 110, 130, 300)))

    async def _reconnect(self) -> None:
        await self._end()
        await asyncio.sleep(self._random.choice((0, 10)))
        await self._begin()

    async def _restart(self) -> None:
        """End the program, and begin with what it saved."""
        await self._end()
        self._operations.client = self._world.client()
        await self._begin()

    async def _lose(self) -> None:
        """Lose the connection."""
        self._disturb()
        line = self._world.lines[-1]
        if isinstance(line, MemoryTransport) and line.open:
            line.lose("somebody pulled the plug")

    async def _forget(self) -> None:
        """Have the meter end the session without a word."""
        self._disturb()
        self._world.sessions[-1].close()

    async def _rest(self) -> None:
        """Leave the session open, and come back."""
        self._disturb()  # the first refusal of any kind may then mean the end
        self._operations.client.rest()
        await asyncio.sleep(self._random.choice((5, 50)))
        self._operations.client.resume()
        if self._random.random() < 0.5:
            await self._try(self._operations.client.keep_alive())

    def _check_heard(self) -> None:
        heard = self._world.heard
        assert all(each in self._pushed for each in heard)
        if not self._may_be_doubled:
            assert len(heard) == len({str(each) for each in heard})
        if not self._may_be_lost:
            waiting = {push.apdu for push in self._world.meter.pushes}
            said = [each for each in self._pushed if each.encode() not in waiting]
            assert all(each in heard for each in said)


def tell(seed: int) -> None:
    """Let one history happen."""
    random = Random(seed)
    world = World(Scenario.of(random), seed)

    async def main() -> None:
        went_wrong: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: went_wrong.append(context.get("exception"))
        )
        await asyncio.wait_for(History(world, random).run(), LONGEST)
        assert not went_wrong

    with no_counter_twice(world):
        run_virtually(main())


@pytest.mark.parametrize("seed", SEEDS)
def test_history(seed: int) -> None:
    tell(seed)
