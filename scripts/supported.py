"""Write README's table of supported meters from the recordings in `tests/meters/<maker>_<model>/`.

Each folder holds a `diagnostics.json` as Home Assistant gives it, of a real meter, and a test serves it. There is no
other way into the table.
"""

import argparse
import json
from pathlib import Path
import sys

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
METERS = ROOT / "tests" / "meters"
BEGIN, END = "<!-- supported meters -->", "<!-- end of supported meters -->"
NONE = "None yet: no recording of a real meter is in `tests/meters/`. Any meter that keeps to the standard should work; send the diagnostics of yours."


def table() -> str:
    """Return the table, or the sentence that stands for an empty one."""
    rows = []
    for path in sorted(METERS.glob("*/diagnostics.json")):
        facts = json.loads(path.read_text())["data"]
        identity, data = facts["identity"], facts["entry"]["data"]
        cells = (
            identity["manufacturer"],
            identity["device_type"],
            identity["firmware"],
            data["framing"],
            data["mechanism"],
        )
        rows.append(f"| {' | '.join(str(cell or '') for cell in cells)} |")
    if not rows:
        return NONE
    head = (
        "| Maker | Model | Firmware | Framing | Authentication |\n|---|---|---|---|---|"
    )
    return "\n".join([head, *rows])


def written(text: str) -> str:
    """Return README with the table as it should be."""
    begin, rest = text.split(BEGIN)
    _, end = rest.split(END)
    return f"{begin}{BEGIN}\n{table()}\n{END}{end}"


def main() -> None:
    """Write the table, or with --check tell whether it is as it should be."""
    parser = argparse.ArgumentParser(prog="scripts/supported", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check")
    arguments = parser.parse_args()
    text = README.read_text()
    if arguments.check:
        sys.exit(None if text == written(text) else "Run scripts/supported.")
    README.write_text(written(text))


if __name__ == "__main__":
    main()
