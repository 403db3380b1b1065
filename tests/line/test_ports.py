"""Ports of this machine: a pty that follows the speed, parity, socat, ser2net, and every way they refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
import shutil
import socket

from homeassistant.components.usb.serial_proxy_stub import register_serialx_transport
from homeassistant.exceptions import ConfigEntryNotReady
import pytest
import serialx

from custom_components.dlms_meter.dlms import (
    CharacterFormat,
    DlmsClient,
    LineSettings,
    ReadReport,
    SerialEndpoint,
    SignOnSettings,
    TcpEndpoint,
    TransportError,
    TransportTimeout,
    open_transport,
)
from tests.dlms.transport.test_stream import Recorder
from tests.simulator import HdlcSession, SimulatorServer

from .optical import DirectMeter, Habits, LineMeter, OpticalMeter
from .ports import backend, pty_meter
from .sessions import household, poll, settings

QUICK = SignOnSettings(settling_time=0.05)
SOFTWARE_PARITY = SignOnSettings(settling_time=0.05, software_parity=True)


def optical(confirmation: str = "none", speed: int = 9600) -> OpticalMeter:
    habits = Habits(confirmation=confirmation)
    return OpticalMeter(HdlcSession(household()), habits, hdlc_speed=speed)


def direct(speed: int = 9600) -> DirectMeter:
    return DirectMeter(HdlcSession(household()), LineSettings(speed))


async def read(endpoint: SerialEndpoint, sign_on: SignOnSettings | None) -> ReadReport:
    async with DlmsClient(settings(endpoint, sign_on)) as client:
        return await poll(client)


def assert_all_read(report: ReadReport) -> None:
    assert len(report.values) == 20
    assert not report.failed


@pytest.mark.parametrize("confirmation", ["none", "old", "new"])
async def test_pty_follows_the_speed(confirmation: str) -> None:
    """300 baud for the sign-on, 9600 for HDLC, and 300 again for the next session."""
    meter = optical(confirmation)
    async with asyncio.timeout(20), pty_meter(meter) as port:
        for session in (1, 2):
            assert_all_read(await read(SerialEndpoint(port.path), QUICK))
            assert port.speed == 9600
            assert meter.log == ["/?!", "\x06252"] * session
            meter.expire()


@pytest.mark.parametrize("speed", [300, 2400, 115200])
async def test_pty_without_sign_on(speed: int) -> None:
    async with asyncio.timeout(20), pty_meter(direct(speed)) as port:
        endpoint = SerialEndpoint(port.path, LineSettings(speed))
        assert_all_read(await read(endpoint, None))
        assert port.speed == speed


async def test_pty_at_the_wrong_speed() -> None:
    async with asyncio.timeout(20), pty_meter(direct(4800)) as port:
        at_9600 = settings(SerialEndpoint(port.path))
        impatient = replace(at_9600, response_timeout=0.05, attempts=1)
        with pytest.raises(TransportTimeout, match="did not answer"):
            async with DlmsClient(impatient):
                pass


@pytest.mark.parametrize("confirmation", ["none", "old", "new"])
@pytest.mark.parametrize("sign_on", [QUICK, SOFTWARE_PARITY], ids=["7E1", "software"])
async def test_parity(sign_on: SignOnSettings, confirmation: str) -> None:
    """7E1 made by the port, and made by us on a port that stays at 8N1: the meter hears the same."""
    meter = optical(confirmation)
    with backend(meter) as ports:
        assert_all_read(await read(SerialEndpoint("meter://"), sign_on))
    assert meter.log == ["/?!", "\x06252"]
    assert ports[0].line == LineSettings(9600)


@pytest.mark.parametrize(
    ("character", "bits", "parity"),
    [
        (CharacterFormat.EIGHT_NONE_ONE, 8, "N"),
        (CharacterFormat.EIGHT_EVEN_ONE, 8, "E"),
        (CharacterFormat.SEVEN_EVEN_ONE, 7, "E"),
        (CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE, 8, "N"),
    ],
)
async def test_line_settings_reach_the_port(
    character: CharacterFormat, bits: int, parity: str
) -> None:
    with backend(direct()) as ports:
        endpoint = SerialEndpoint("meter://", LineSettings(19200, character))
        transport = await open_transport(endpoint, Recorder())
        opened = ports[0].baudrate, ports[0].byte_size, ports[0].parity
        assert opened == (19200, bits, serialx.Parity(parity))
        await transport.set_line(LineSettings(1200, character))
        changed = ports[0].baudrate, ports[0].byte_size, ports[0].parity
        assert changed == (1200, bits, serialx.Parity(parity))
        await transport.close()


@pytest.mark.parametrize(
    ("is_local", "lag"), [(True, 0.03), (False, 0.15)], ids=["adapter", "gateway"]
)
async def test_last_octets_leave_before_the_settings_change(
    monkeypatch: pytest.MonkeyPatch, is_local: bool, lag: float
) -> None:
    """The system's buffer first, then what adapter and network may hold."""
    monkeypatch.setattr(SerialEndpoint, "is_local", property(lambda _: is_local))
    slow = LineSettings(300, CharacterFormat.SEVEN_EVEN_ONE)
    acknowledgement = b"\x06252\r\n"
    now = asyncio.get_running_loop().time
    with backend(direct()) as ports:
        endpoint = SerialEndpoint("meter://", slow)
        transport = await open_transport(endpoint, Recorder())
        begun = now()
        await transport.set_line(LineSettings(9600), acknowledgement)
        [flushed, changed] = ports[0].flushed_at, ports[0].changed_at
        assert flushed is not None
        assert changed is not None
        assert begun <= flushed < changed
        assert changed - begun >= len(acknowledgement) * slow.octet_time + lag
        ports[0].flushed_at = None
        await transport.set_line(LineSettings(2400))
        assert ports[0].flushed_at is None, "there is nothing to wait for"
        await transport.close()


async def test_port_that_cannot_do_the_settings() -> None:
    recorder = Recorder()
    with backend(direct()) as ports:
        transport = await open_transport(SerialEndpoint("meter://"), recorder)
        ports[0].refusal = serialx.UnsupportedSetting("no parity here")
        with pytest.raises(TransportError, match="cannot do these settings") as caught:
            await transport.set_line(LineSettings(300, CharacterFormat.SEVEN_EVEN_ONE))
        assert "Cannot set meter:// to 300 baud 7E1" in str(caught.value)
        await transport.close()
    assert recorder.losses == [None]


async def test_unplugged_and_plugged_in_again() -> None:
    """What comes between is said; by its id the port is found again wherever it turns up."""
    meter = direct()
    with backend(meter) as ports:
        client = DlmsClient(settings(SerialEndpoint("meter://")))
        async with client:
            ports[0].unplug()
            with pytest.raises(TransportError, match="plug it in again"):
                await poll(client)
        async with client:
            assert_all_read(await poll(client))
    assert len(ports) == 2


async def test_writing_to_a_broken_port_waits_for_the_reason() -> None:
    recorder = Recorder()
    with backend(direct()) as ports:
        transport = await open_transport(SerialEndpoint("meter://"), recorder)
        ports[0].unplug()
        transport.write(b"nobody there")
        transport.write(b"")
        await recorder.lost.wait()
        await transport.close()
    [error] = recorder.losses
    assert "gone or does not react" in str(error)


@pytest.mark.parametrize("last", [b"", b"\x06252\r\n"], ids=["at once", "after octets"])
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "lost"])
async def test_line_settings_of_a_port_that_is_gone(last: bytes, closed: bool) -> None:
    """Whether octets were on their way makes no difference, nor who ended it."""
    recorder = Recorder()
    with backend(direct(300)) as ports:
        endpoint = SerialEndpoint("meter://", LineSettings(300))
        transport = await open_transport(endpoint, recorder)
        transport.write(last)
        if closed:
            await transport.close()
        else:
            ports[0].unplug()
            await recorder.lost.wait()
        with pytest.raises(TransportError, match="gone or does not react") as caught:
            await transport.set_line(
                LineSettings(300, CharacterFormat.SEVEN_EVEN_ONE), last
            )
        assert "Cannot set meter:// to 300 baud 7E1" in str(caught.value)
        await transport.close()


async def test_port_that_is_gone_while_the_last_octets_leave() -> None:
    recorder = Recorder()
    with backend(direct(300)) as ports:
        endpoint = SerialEndpoint("meter://", LineSettings(300))
        transport = await open_transport(endpoint, recorder)
        change = asyncio.create_task(
            transport.set_line(LineSettings(9600), b"\x06252\r\n")
        )
        await asyncio.sleep(0)
        ports[0].unplug()
        with pytest.raises(TransportError, match="gone or does not react"):
            await change
        await transport.close()


async def test_found_again_by_its_id(tmp_path: Path) -> None:
    """Unplugged and plugged in again, a port has another name, but the same id."""
    by_id = tmp_path / "usb-Probe_0001-if00"
    endpoint = SerialEndpoint(str(by_id))
    async with (
        asyncio.timeout(20),
        pty_meter(direct()) as one,
        pty_meter(direct()) as two,
    ):
        for port in (one, two):
            with pytest.raises(TransportError, match="choose the port by its id"):
                await read(endpoint, None)
            by_id.symlink_to(port.path)
            assert_all_read(await read(endpoint, None))
            by_id.unlink()


async def test_nothing_stays_open() -> None:
    """Sessions that succeed, and sessions with nobody there, leave no descriptor behind."""

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async with asyncio.timeout(30), pty_meter(direct(4800)) as port:
        right = SerialEndpoint(port.path, LineSettings(4800))
        wrong = replace(
            settings(SerialEndpoint(port.path)), response_timeout=0.01, attempts=1
        )
        before = None
        for _ in range(10):
            assert_all_read(await read(right, None))
            with pytest.raises(TransportTimeout):
                async with DlmsClient(wrong):
                    pass
            before = before or descriptors()
            assert descriptors() == before


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("/dev/serial/by-id/usb-nothing", "choose the port by its id"),
        ("/dev", "no serial port"),
        ("/dev/null", "no serial port"),
        ("socket://nohost", "not the address of a port"),
        ("carrier-pigeon://192.0.2.7", "no such kind of port"),
        ("socket://no.such.host.invalid:1", "host name is not known"),
    ],
)
@pytest.mark.usefixtures("socket_enabled")
async def test_cannot_open(
    url: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", unknown)
    with pytest.raises(TransportError, match=advice) as caught:
        await open_transport(SerialEndpoint(url), Recorder())
    assert str(caught.value).startswith(f"Cannot open {url}: ")


@pytest.mark.parametrize(
    "url",
    [
        "esphome://me:hush@probe:6053/?port_name=ir&key=c2VjcmV0",
        "socket://probe.example:8899",
        "/dev/ttyUSB0",
    ],
)
@pytest.mark.parametrize(
    ("error", "advice", "kind"),
    [
        (PermissionError(13, "hush"), "group that owns the port", "EACCES"),
        (OSError(16, "hush"), "port is in use", "OSError EBUSY"),
        (OSError(5, "hush"), "plugged in", "OSError EIO"),
        (OSError(22, "hush"), "no serial port, or one that cannot", "EINVAL"),
        (TimeoutError("192.0.2.7"), "nothing answers", "TimeoutError"),
        (
            ConnectionRefusedError(111, "Connect call failed ('192.0.2.7', 6053)"),
            "connection was refused",
            "ConnectionRefusedError ECONNREFUSED",
        ),
        (serialx.SerialException("c2VjcmV0"), "gateway refused", "SerialException"),
    ],
)
async def test_cannot_open_and_tells_no_secret(
    url: str,
    error: Exception,
    advice: str,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the system says may hold a key or an address: its kind has to do."""

    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(serialx, "create_serial_connection", fail)
    endpoint = SerialEndpoint(url)
    with pytest.raises(TransportError, match=advice) as caught:
        await open_transport(endpoint, Recorder())
    said = str(caught.value)
    assert said.startswith(f"Cannot open {endpoint}: ")
    assert said.endswith(f"{kind})")
    for secret in ("hush", "c2VjcmV0", "192.0.2.7"):
        assert secret not in said + repr(endpoint)
    assert caught.value.__suppress_context__


async def test_port_in_use() -> None:
    async with pty_meter(direct()) as port:
        endpoint = SerialEndpoint(port.path)
        first = await open_transport(endpoint, Recorder())
        with pytest.raises(TransportError, match="the serial port is in use"):
            await open_transport(endpoint, Recorder())
        await first.close()


async def test_home_assistant_may_not_be_ready() -> None:
    """A port of ESPHome's before ESPHome has loaded: Home Assistant is to try again, so its word passes through."""
    unregister = register_serialx_transport()
    try:
        with pytest.raises(ConfigEntryNotReady):
            await open_transport(
                SerialEndpoint("esphome-hass://entry/?port_name=ir"), Recorder()
            )
    finally:
        unregister(None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("socket_enabled")
async def test_raw_gateway_with_hdlc() -> None:
    async with SimulatorServer(household(), wrapper_port=None) as server:
        url = f"socket://127.0.0.1:{server.hdlc_port}"
        assert_all_read(await read(SerialEndpoint(url), None))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("software_parity", [False, True])
async def test_raw_gateway_cannot_change_its_speed(software_parity: bool) -> None:
    """It is said before anything is sent, with what to do about it."""
    sign_on = SignOnSettings(software_parity=software_parity)
    async with SimulatorServer(household(), wrapper_port=None) as server:
        assert server.hdlc_port is not None
        for endpoint in (
            SerialEndpoint(f"socket://127.0.0.1:{server.hdlc_port}"),
            TcpEndpoint("127.0.0.1", server.hdlc_port),
        ):
            with pytest.raises(TransportError, match=r"rfc2217://.*ESPHome.*RS-485"):
                async with DlmsClient(settings(endpoint, sign_on)):
                    pass


@asynccontextmanager
async def far_end(port: str, meter: LineMeter) -> AsyncIterator[None]:
    """Put a meter at the other end of a port, opened by serialx like any."""

    class AtPort:
        def data_received(self, data: bytes) -> None:
            for saying in meter.hear(data, meter.line):
                transport.write(saying.octets)

        def connection_lost(self, error: TransportError | None) -> None:
            pass

    transport = await open_transport(SerialEndpoint(port), AtPort())
    try:
        yield
    finally:
        await transport.close()


@asynccontextmanager
async def program(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *words, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
async def test_socat_pair(tmp_path: Path) -> None:
    near, far = str(tmp_path / "near"), str(tmp_path / "far")
    ends = (f"pty,rawer,link={near}", f"pty,rawer,link={far}")
    async with asyncio.timeout(20), program("socat", "-d", "-d", *ends) as socat:
        assert socat.stderr is not None
        await socat.stderr.readuntil(b"starting data transfer loop")
        async with far_end(far, direct()):
            assert_all_read(await read(SerialEndpoint(near), None))
    with pytest.raises(TransportError):
        await read(SerialEndpoint(near), None)


SER2NET = shutil.which("ser2net") or "/usr/sbin/ser2net"


@pytest.mark.skipif(not Path(SER2NET).exists(), reason="ser2net is not installed")
@pytest.mark.usefixtures("socket_enabled")
async def test_rfc2217_with_ser2net(tmp_path: Path) -> None:
    """A gateway by others: the sign-on changes the speed of its port, and back."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        tcp_port = unused.getsockname()[1]
    meter = optical("new")
    configuration = tmp_path / "ser2net.yaml"
    async with asyncio.timeout(30), pty_meter(meter) as port:
        configuration.write_text(
            "%YAML 1.1\n---\nconnection: &meter\n"
            f"  accepter: telnet(rfc2217),tcp,127.0.0.1,{tcp_port}\n"
            f"  connector: serialdev,{port.path},9600n81,local\n"
        )
        pid_file = str(tmp_path / "pid")
        words = (SER2NET, "-n", "-d", "-c", str(configuration), "-P", pid_file)
        async with program(*words):
            endpoint = SerialEndpoint(f"rfc2217://127.0.0.1:{tcp_port}")
            await _until_listening(tcp_port)
            for session in (1, 2):
                # Only at the right speeds; which ser2net undoes as soon as nobody is there any more.
                assert_all_read(await read(endpoint, QUICK))
                assert meter.log == ["/?!", "\x06252"] * session
                meter.expire()


async def _until_listening(tcp_port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", tcp_port)
        except ConnectionRefusedError:
            await asyncio.sleep(0)
        else:
            writer.close()
            await writer.wait_closed()
            return
