"""Seeded mutations of all vectors, through every decoder and through whole sessions: the quick part of fuzzing.

`scripts/fuzz` goes on from here, guided by coverage. What it finds becomes a test where the fault was.
"""

from functools import partial
from random import Random
import tracemalloc

import pytest

from custom_components.dlms_meter.dlms.errors import DlmsError

from .decoders import DECODERS, survives
from .seeds import mutated, octets_of_vectors
from .sessions import SESSIONS, hold, mutated_script, script_of

DAMAGES = 1000
DAMAGED_SESSIONS = 100
MEMORY_PER_OCTET = 2_000
"""Octets of memory for one that came: a null in a list is an object, with its names, in more than one form at a time."""
MEMORY_ANYWAY = 200_000


@pytest.mark.parametrize("name", DECODERS)
def test_vectors_and_damaged_vectors(name: str) -> None:
    """Nothing but a `DlmsError` comes out of a decoder; those that can decode a vector get more damaged copies of it."""
    decode, pool, random = DECODERS[name], octets_of_vectors(), Random(name)
    understood = []
    for octets in pool:
        try:
            decode(octets)
        except DlmsError:
            continue
        understood.append(octets)
    for seeds in (pool, understood or pool):
        for octets in random.choices(seeds, k=DAMAGES):
            survives(decode, mutated(octets, pool, random))


@pytest.mark.parametrize("name", DECODERS)
def test_memory_is_bounded(name: str) -> None:
    decode, pool, random = DECODERS[name], octets_of_vectors(), Random(name)
    longest = sorted(pool, key=len)[-40:]
    tracemalloc.start()
    try:
        for octets in longest:
            copy = mutated(octets, pool, random)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            survives(decode, copy)
            peak = tracemalloc.get_traced_memory()[1] - before
            assert peak < MEMORY_ANYWAY + MEMORY_PER_OCTET * len(copy), copy.hex()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions_with_damaged_messages(name: str) -> None:
    """Whatever a meter says in the place of what the simulated one says, the session ends by itself, and in time."""
    session, script, random = SESSIONS[name], script_of(name), Random(name)
    assert not isinstance(hold(session, script), DlmsError)
    mutate = partial(mutated, others=octets_of_vectors(), random=random)
    for _ in range(DAMAGED_SESSIONS):
        damaged = script
        for _ in range(random.randint(1, 3)):
            damaged = mutated_script(damaged, random, mutate)
        hold(session, damaged)


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions_with_vectors_for_answers(name: str) -> None:
    """The meter says what belongs somewhere else."""
    session, script, random = SESSIONS[name], script_of(name), Random(name)
    pool = octets_of_vectors()
    for _ in range(DAMAGED_SESSIONS):
        hold(session, mutated_script(script, random, lambda _: random.choice(pool)))
