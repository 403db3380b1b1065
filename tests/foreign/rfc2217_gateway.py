"""Lend a serial port by RFC 2217 as pyserial (BSD) does, to one client after another: `python rfc2217_gateway.py PATH`.

Runs in a process of its own, until standard input ends; prints `READY <port>`.
"""

import socket
import sys
from threading import Event, Thread

import serial  # type: ignore[import-untyped]
from serial.rfc2217 import PortManager  # type: ignore[import-untyped]


class PtyPort(serial.Serial):  # type: ignore[misc]
    """A port without modem pins, as a pty is, for which pyserial would ask the system in vain."""

    cts = dsr = ri = cd = False


class Client:
    """What pyserial writes its negotiation to."""

    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall


def serve(connection: socket.socket, path: str) -> None:
    """Lend the port to one client, until it hangs up."""
    client = Client(connection)
    over = Event()
    with connection, PtyPort(path, timeout=0.02) as port:
        manager = PortManager(port, client)

        def pass_on() -> None:
            while not over.is_set():
                octets = port.read(port.in_waiting or 1)
                client.write(b"".join(manager.escape(octets)))

        reader = Thread(target=pass_on)
        reader.start()
        while octets := connection.recv(1024):
            port.write(b"".join(manager.filter(octets)))
        over.set()
        reader.join()


def listen(path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sys.stdout.write(f"READY {server.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = server.accept()
            serve(connection, path)


if __name__ == "__main__":
    Thread(target=listen, args=sys.argv[1:], daemon=True).start()
    sys.stdin.read()
