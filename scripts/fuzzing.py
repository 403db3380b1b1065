"""Look for octets that the client does not survive: every decoder and whole sessions, guided by coverage (atheris).

What the targets are, and what counts as a fault, stands in tests/fuzz; the octets of all vectors are what it begins with.
Each target runs in a process of its own and shares the time evenly with the others. What was found to reach new code is
kept in the folder and gone on with next time; a fault is written there as a file, and `--replay` shows it again. From an
empty folder, the same seed does the same.
"""

from scripts.benchmark import without_home_assistant  # noqa: F401  isort: skip

import argparse
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from random import Random
import re
import subprocess
import sys
from typing import NamedTuple

import atheris

with (
    redirect_stderr(StringIO()),  # it tells the name of every module
    atheris.instrument_imports(include=["custom_components.dlms_meter.dlms"]),
):
    from tests.fuzz.decoders import DECODERS, survives
    from tests.fuzz.seeds import octets_of_vectors
    from tests.fuzz.sessions import SESSIONS, hold, mutated_script, script_of

TARGETS = [*DECODERS, *(f"session: {name}" for name in SESSIONS)]
LONGEST_INPUT = 8192
LIMITS = ("-timeout=10", "-rss_limit_mb=1024")  # seconds, and memory, of one input
FAULTS = ("crash-*", "timeout-*", "oom-*")


def main() -> int:
    """Do what the command line says; 1 if there are faults."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="*", metavar="target", help="default: all")
    parser.add_argument("--list", action="store_true", help="print the targets")
    parser.add_argument(
        "--minutes", type=float, default=10, help="for all together; default 10"
    )
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument(
        "--folder", type=Path, default=Path(".fuzz"), help="default .fuzz"
    )
    parser.add_argument("--replay", type=Path, help="a file: run the target on it")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    targets = arguments.targets or TARGETS
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(unknown)}; see --list")
    if arguments.list:
        print("\n".join(TARGETS))
        return 0
    if arguments.replay:
        runner(targets[0])(arguments.replay.read_bytes())
        print("survived")
        return 0
    seconds = round(60 * arguments.minutes / len(targets))
    if arguments.alone:
        fuzz(targets[0], arguments.folder, arguments.seed, seconds)
    return fuzz_each(targets, arguments.folder, arguments.seed, seconds)


class Result(NamedTuple):
    """What came of one target."""

    inputs: int
    edges: int
    faults: list[Path]


def fuzz_each(targets: list[str], folder: Path, seed: int, seconds: int) -> int:
    """Fuzz one target after the other, and print what came of it."""
    inputs = faults = 0
    for target in targets:
        result = fuzz_in_process(target, folder, seed, seconds)
        print(
            f"{target:<40}{result.inputs:>12,} inputs{result.edges:>8} edges"
            f"{len(result.faults):>4} faults",
            flush=True,
        )
        for fault in result.faults:
            print(f'    scripts/fuzz "{target}" --replay {fault}', flush=True)
        inputs += result.inputs
        faults += len(result.faults)
    print(f"{inputs:,} inputs, {faults} faults")
    return int(faults > 0)


def fuzz_in_process(target: str, folder: Path, seed: int, seconds: int) -> Result:
    """Fuzz one target in a process of its own: the fuzzer does not return."""
    own = folder / re.sub(r"\W+", "_", target)
    own.mkdir(parents=True, exist_ok=True)
    known = faults_in(own)
    command = [
        sys.executable, "-m", "scripts.fuzzing", target, "--alone",
        "--folder", str(own), "--seed", str(seed), "--minutes", str(seconds / 60),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    (own / "log").write_text(done.stdout + done.stderr)
    counted = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    edges = re.findall(r"cov: (\d+)", done.stderr)
    if counted is None:
        raise RuntimeError(f"the fuzzer did not run; see {own / 'log'}")
    return Result(
        int(counted[1]), int(edges[-1]) if edges else 0, sorted(faults_in(own) - known)
    )


def faults_in(folder: Path) -> set[Path]:
    """Return the faults written down in a folder."""
    return {path for pattern in FAULTS for path in folder.glob(pattern)}


def fuzz(target: str, folder: Path, seed: int, seconds: int) -> None:
    """Fuzz one target until the time is over; ends the process."""
    corpus = folder / "corpus"
    if not corpus.exists():
        corpus.mkdir()
        for number, octets in enumerate(seeds(target)):
            (corpus / f"seed-{number}").write_bytes(octets)
    command = [
        "fuzz", str(corpus), f"-artifact_prefix={folder}/", f"-seed={seed}",
        f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", "-print_final_stats=1", *LIMITS,
    ]  # fmt: skip
    if target in DECODERS:
        atheris.Setup(command, runner(target))
    else:
        atheris.Setup(command, runner(target), custom_mutator=mutate_script)
    atheris.Fuzz()


def runner(target: str) -> Callable[[bytes], object]:
    """Return what takes the octets."""
    if target in DECODERS:
        return partial(survives, DECODERS[target])
    return partial(hold, SESSIONS[target.removeprefix("session: ")])


def seeds(target: str) -> tuple[bytes, ...]:
    """Return what to begin with."""
    if target in DECODERS:
        return octets_of_vectors()
    return (script_of(target.removeprefix("session: ")),)


def mutate_script(script: bytes, longest: int, seed: int) -> bytes:
    """Change one message, sometimes to one of the vectors."""
    random = Random(seed)

    def mutate(octets: bytes) -> bytes:
        if random.randrange(10):
            return bytes(atheris.Mutate(octets, len(octets) + 64))
        return random.choice(octets_of_vectors())

    with suppress(ValueError):  # nothing to mutate
        return mutated_script(script, random, mutate)[:longest]
    return script


if __name__ == "__main__":
    sys.exit(main())
