"""Serve the example meter of pydlms-client (GPL-3) until standard input ends, as it does when the tests end.

Runs in a process of its own: `python pydlms_server.py --port 0 [--hdlc] …` with the options of `pydlms simulate`.
Prints `READY <port>`.
"""

import sys

from pydlms.simulator import _parser, meter_from_args, serve

if __name__ == "__main__":
    options = _parser().parse_args()
    server = serve(
        meter_from_args(options),
        options.host,
        options.port,
        options.hdlc,
        options.hdlc_window,
    )
    sys.stdout.write(f"READY {server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
