"""Write README's table of supported meters from the recordings in `tests/meters/<maker>_<model>/`.

Each folder holds a `diagnostics.json` as Home Assistant gives it, of a real meter, or a capture in the same form; a
`README.md` that says where it comes from; and `expected.json`, what must be read of it. A test serves it. There is no other
way into the table.
"""

import argparse
import json
from pathlib import Path
import sys

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
METERS = ROOT / "tests" / "meters"
BEGIN, END = "<!-- supported meters -->", "<!-- end of supported meters -->"
FRAMINGS = {"hdlc": "HDLC", "wrapper": "wrapper (TCP)", "udp": "wrapper (UDP)"}
MECHANISMS = {
    "none": "none",
    "lls": "password (LLS)",
    "hls": "HLS",
    "hls_md5": "HLS with MD5",
    "hls_sha1": "HLS with SHA-1",
    "hls_gmac": "keys (HLS with GMAC)",
    "hls_sha256": "HLS with SHA-256",
}
NONE = "None yet: no recording of a real meter is in `tests/meters/`."
OTHERS = "Any other meter that keeps to the standard should work: these are those of which there is a recording, read again with every change. Send the diagnostics of yours."


def table() -> str:
    """Return the table, or the sentence that stands for an empty one."""
    rows = []
    for path in sorted(METERS.glob("*/diagnostics.json")):
        facts = json.loads(path.read_text())["data"]
        identity, data = facts["identity"], facts["entry"]["data"]
        readings = json.loads(path.with_name("expected.json").read_text())
        cells = (
            identity["manufacturer"],
            identity["device_type"],
            identity["firmware"],
            FRAMINGS[data["framing"]],
            MECHANISMS[data["mechanism"]],
            f"[{len(readings)}](tests/meters/{path.parent.name})",
        )
        rows.append(f"| {' | '.join(cell or 'not told' for cell in cells)} |")
    if not rows:
        return f"{NONE} {OTHERS}"
    head = (
        "| Maker | Model | Firmware | Framing | Authentication | Readings in the recording |\n"
        "|---|---|---|---|---|---|"
    )
    return "\n".join([head, *rows, "", OTHERS])


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
