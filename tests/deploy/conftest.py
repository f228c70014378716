"""The real service behind the real proxies of Debian, with the shipped configurations and a certificate of our own."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
HOST = "auth.example.com"
SENTINEL = Path(sys.executable).with_name("sentinel")
NAMES = {"nginx": "nginx.conf", "caddy": "Caddyfile"}


def free_port() -> int:
    """A port that nobody listens on just now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Certificate:
    """A certificate for ``auth.example.com`` that is its own authority."""

    certificate: Path
    key: Path

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def installed(name: str) -> str:
    """The path of a program; without it the tests behind it are skipped, in CI they fail."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        assert os.environ.get("CI") != "true", f"in CI the tests behind {name} have to run"
        pytest.skip(f"no {name} here: install it (Debian: apt-get install {name})")
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Made for this run, valid for a day."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = Certificate(folder / "cert.pem", folder / "key.pem")
    paths.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@contextmanager
def running(
    command: list[str], log: Path, *, cwd: Path, env: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that lives as long as the block; its output stands in ``log``."""
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a process listens on a port."""
    deadline = time.monotonic() + 60
    while True:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``sentinel setup`` prepares for this machine."""
    folder = tmp_path_factory.mktemp("deployment")
    subprocess.run(
        [
            *(
                SENTINEL,
                "setup",
                "--no-input",
                "--host",
                HOST,
                "--folder",
                "prepared",
                "--port",
                str(free_port()),
            ),
            *(
                "--database-url",
                f"sqlite+aiosqlite:///{folder}/sentinel.db",
                "--admin-email",
                "ada@example.com",
            ),
        ],
        cwd=folder,
        env=os.environ | {"GITHUB_CLIENT_ID": "an-id", "GITHUB_CLIENT_SECRET": "a-secret"},
        check=True,
        capture_output=True,
    )
    return folder / "prepared"


@pytest.fixture(scope="session")
def service(prepared: Path) -> Iterator[int]:
    """``sentinel serve`` with the prepared environment and nothing else; the port it listens on."""
    environment = dict(
        re.findall(r"^([A-Z_]+)='?(.*?)'?$", (prepared / "sentinel.env").read_text(), re.MULTILINE)
    )
    # One address makes all the requests here. Only the limit that a test is about may get in the way.
    environment |= {"RATE_LIMIT_DEFAULT": "", "RATE_LIMIT_AGGREGATE": "", "PATH": os.environ["PATH"]}
    log = prepared.parent / "service.log"
    with running([str(SENTINEL), "serve"], log, cwd=prepared.parent, env=environment) as process:
        wait_for(port := int(environment["SERVICE_PORT"]), process, log)
        yield port


@dataclass(frozen=True)
class Proxy:
    """A proxy that is up: which one, its ports, and a client that trusts it."""

    name: str
    port: int
    plain_port: int
    client: httpx.Client
    log: Path
    """Its access log."""

    def raw(self, request: bytes, *, trust: ssl.SSLContext, seconds: float = 10) -> bytes:
        """Send bytes as they are over TLS, and read until the proxy closes or has no more to say."""
        answer = b""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as plain,
            trust.wrap_socket(plain, server_hostname=HOST) as secure,
            suppress(TimeoutError, ConnectionError),
        ):
            secure.sendall(request)
            while part := secure.recv(65536):
                answer += part
        return answer


@pytest.fixture(scope="session", params=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    service: int,
    certificate: Certificate,
) -> Iterator[Proxy]:
    """The shipped configuration with this run's ports and certificate in it, served by the real program."""
    program = installed(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    port, plain_port = free_port(), free_port()
    shipped = (ROOT / "deploy" / NAMES[request.param]).read_text()
    shipped = shipped.replace("127.0.0.1:9003", f"127.0.0.1:{service}")
    write = _nginx if request.param == "nginx" else _caddy
    command = write(shipped, folder, program, port, plain_port, certificate)
    log = folder / "log.txt"
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with running(command, log, cwd=folder, env=environment) as process:
        wait_for(port, process, log)
        transport = httpx.HTTPTransport(verify=certificate.trust)
        with httpx.Client(
            transport=_ToLoopback(transport, port),
            base_url=f"https://{HOST}",
            headers={"Host": HOST},
            timeout=20,
        ) as client:
            access = folder / "access.log" if request.param == "nginx" else log
            yield Proxy(request.param, port, plain_port, client, access)


class _ToLoopback(httpx.BaseTransport):
    """Sends requests for the public name to this machine, as a name server would."""

    def __init__(self, inner: httpx.HTTPTransport, port: int) -> None:
        self.inner, self.port = inner, port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self.port)
        request.extensions["sni_hostname"] = HOST
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


def _nginx(
    shipped: str, folder: Path, program: str, port: int, plain_port: int, certificate: Certificate
) -> list[str]:
    text = re.sub(r"^\s*listen \[::\].*\n", "", shipped, flags=re.MULTILINE)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain_port};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    text = text.replace(f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(certificate.certificate))
    text = text.replace(f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(certificate.key))
    text = text.replace("/var/log/nginx/sentinel.log", str(folder / "access.log"))
    assert "/etc/letsencrypt" not in text and "listen 443" not in text
    temporary = "\n".join(
        f"{kind}_temp_path {folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        # Started by root, nginx gives its workers another name, which may not enter this run's folders.
        f"{'user root;' if os.getuid() == 0 else ''}\ndaemon off;\npid {folder / 'pid'};\n"
        f"error_log {folder / 'error.log'};\nevents {{}}\n"
        f"http {{\n{temporary}\n{text}\n}}\n"
    )
    return [program, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def _caddy(
    shipped: str, folder: Path, program: str, port: int, plain_port: int, certificate: Certificate
) -> list[str]:
    opening = f"{HOST} {{"
    assert opening in shipped
    text = shipped.replace(
        opening,
        f"https://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate.certificate} {certificate.key}",
        1,
    )
    options = f"{{\n\tadmin off\n\thttp_port {plain_port}\n\tdefault_bind 127.0.0.1\n\thttps_port {port}\n"
    assert text.count("\n{\n") == 1, "the options of the shipped file are what this run's are added to"
    (folder / "Caddyfile").write_text(text.replace("\n{\n", f"\n{options}", 1))
    return [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
