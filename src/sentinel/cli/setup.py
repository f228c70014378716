"""``sentinel setup``: everything that production needs, prepared in one folder (``configuration.md`` §5, T1c)."""

import asyncio
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sentinel import checklist
from sentinel.cli.console import remark, say, stop
from sentinel.settings import Settings, SettingsError, meanings
from sentinel.tokens.keyring import generate_pair

TEMPLATES = Path(__file__).parent / "templates"
ENVIRONMENT = "sentinel.env"
EMBEDDED = "sqlite+aiosqlite:////var/lib/sentinel/sentinel.db"
"""In the one folder that the systemd unit lets the service write to."""
SECRET_LENGTH = 48
"""Random bytes of the session key; 32 are asked for."""


class Proxy(StrEnum):
    """Whose configuration is written."""

    caddy = "caddy"
    nginx = "nginx"
    none = "none"


PROVIDERS: dict[str, tuple[str, ...]] = {
    "google": ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    "github": ("GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
    "entra": ("ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET", "ENTRA_TENANT_ID"),
}
CALLBACKS = {"google": "google", "github": "github", "entra": "entra_id"}
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Where the service is",
        ("base_url", "allowed_hosts", "service_host", "service_port", "web_concurrency"),
    ),
    ("The proxy in front, which ends TLS", ("behind_proxy", "trusted_proxy_count", "cookie_secure")),
    ("Storage", ("database_url", "redis_url", "redis_tls_verify")),
    ("Secrets of this installation, made for it", ("session_secret_key",)),
    ("Keys that sign tokens", ("jwt_private_key_path", "jwt_public_key_path")),
    ("Browsers: origins of the front ends that call the service", ("cors_origins",)),
    ("Administrators, by address, at their first sign-in", ("admin_emails",)),
)


@dataclass
class Plan:
    """What is to be written, decided before anything is."""

    folder: Path
    host: str
    values: dict[str, str]
    providers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    proxy: Proxy = Proxy.caddy
    program: str = "sentinel"

    def files(self) -> Iterator[Path]:
        """Every file that will be made."""
        yield self.folder / ENVIRONMENT
        yield self.private_key
        yield self.public_key
        if self.proxy is not Proxy.none:
            yield self.folder / PROXY_FILES[self.proxy]
        yield self.folder / "sentinel.service"

    def marks(self) -> dict[str, str]:
        """What the templates leave open."""
        return {
            "HOST": self.host,
            "PORT": self.values["service_port"],
            "FOLDER": str(self.folder),
            "PROGRAM": self.program,
        }

    @property
    def private_key(self) -> Path:
        return self.folder / "keys" / "private.pem"

    @property
    def public_key(self) -> Path:
        return self.folder / "keys" / "public.pem"


PROXY_FILES = {Proxy.caddy: "Caddyfile", Proxy.nginx: "nginx.conf"}


def register(app: typer.Typer) -> None:
    """Add ``sentinel setup``."""
    app.command("setup")(setup)


def setup(
    host: Annotated[
        str | None, typer.Option("--host", help="Host name that people will see, such as auth.example.com.")
    ] = None,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where everything is written.", file_okay=False)
    ] = Path("/etc/sentinel"),
    database_url: Annotated[
        str | None,
        typer.Option("--database-url", help="postgresql+asyncpg://…; empty: embedded SQLite, one worker."),
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option("--redis-url", help="rediss://…; needed by more than one worker.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes.")] = 1,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            "--provider", help="google, github or entra; repeatable. Its id and secret are asked for."
        ),
    ] = None,
    admin_email: Annotated[
        str | None, typer.Option("--admin-email", help="Who becomes administrator at the first sign-in.")
    ] = None,
    frontend: Annotated[
        list[str] | None, typer.Option("--frontend", help="Origin of an application's front end; repeatable.")
    ] = None,
    proxy: Annotated[Proxy, typer.Option("--proxy", help="The reverse proxy that ends TLS.")] = Proxy.caddy,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port on the loopback address.")
    ] = 9003,
    ask: Annotated[
        bool, typer.Option("--ask/--no-input", help="Ask for what is missing; else leave it to be filled in.")
    ] = True,
) -> None:
    """Prepare a production installation: environment file, secrets, signing keys, proxy and systemd unit.

    Nothing that exists is overwritten. Client ids and secrets of providers are read from the environment
    (GOOGLE_CLIENT_ID, …) where they stand there, so that no secret has to be written on a command line.
    """
    interactive = ask and sys.stdin.isatty()
    host = _host(host or _asked("Host name that people will see", interactive))
    if database_url is None:
        database_url = _asked("Database URL (empty: embedded SQLite)", interactive, hidden=True)
    if admin_email is None:
        admin_email = _asked("Your e-mail address, to become administrator", interactive)
    chosen = provider or _chosen_providers(interactive)
    unknown = sorted(set(chosen) - set(PROVIDERS))
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)} is none of {', '.join(PROVIDERS)}", param_hint="--provider"
        )
    folder = folder.absolute()
    plan = Plan(folder, host, {}, proxy=proxy, program=_program())
    plan.values = {
        "base_url": f"https://{host}",
        "allowed_hosts": host,
        "service_host": "127.0.0.1",
        "service_port": str(port),
        "web_concurrency": str(workers),
        "behind_proxy": "true",
        "trusted_proxy_count": "1",
        "cookie_secure": "true",
        "database_url": database_url or EMBEDDED,
        "redis_url": redis_url or "",
        "redis_tls_verify": "required" if (redis_url or "").startswith("rediss://") else "",
        "session_secret_key": secrets.token_urlsafe(SECRET_LENGTH),
        "jwt_private_key_path": str(plan.private_key),
        "jwt_public_key_path": str(plan.public_key),
        "cors_origins": ",".join(frontend or [f"https://{host}"]),
        "admin_emails": admin_email,
    }
    for name in chosen:
        plan.providers[name] = tuple(_provider_value(variable, interactive) for variable in PROVIDERS[name])
    _refuse_existing(plan)
    _write(plan)
    _tell(plan)
    raise typer.Exit(_check(plan))


def _asked(question: str, interactive: bool, *, hidden: bool = False) -> str:
    if not interactive:
        return ""
    answer: str = typer.prompt(question, default="", show_default=False, hide_input=hidden)
    return answer.strip()


def _host(text: str) -> str:
    host = text.strip().lower()
    if not host:
        stop("Say which host name people will see: --host auth.example.com")
    try:
        Settings(base_url=f"https://{host}", allowed_hosts=host)
    except Exception:
        host = ""
    if not host or "/" in host or ":" in host:
        stop("--host takes a bare host name, without https:// and without a path: --host auth.example.com")
    return host


def _chosen_providers(interactive: bool) -> list[str]:
    """Those whose client id stands in the environment; else whatever is answered."""
    found = [name for name, (first, *_) in PROVIDERS.items() if os.environ.get(first)]
    if found or not interactive:
        return found
    answer = _asked(f"Sign-in providers, separated by commas ({', '.join(PROVIDERS)})", interactive)
    return [word.strip().lower() for word in answer.split(",") if word.strip()]


def _provider_value(variable: str, interactive: bool) -> str:
    return os.environ.get(variable, "") or _asked(variable, interactive, hidden=variable.endswith("SECRET"))


def _program() -> str:
    """The path of this command, as systemd wants it."""
    beside = Path(sys.executable).with_name("sentinel")
    return str(beside) if beside.exists() else shutil.which("sentinel") or "/usr/local/bin/sentinel"


def _refuse_existing(plan: Plan) -> None:
    existing = [path for path in plan.files() if path.exists()]
    if existing:
        listed = "\n".join(f"  {path}" for path in existing)
        stop(
            f"These files exist already and are never overwritten:\n{listed}\nMove them away, or use another --folder."
        )


def _write(plan: Plan) -> None:
    plan.folder.mkdir(parents=True, exist_ok=True)
    generate_pair(plan.private_key, plan.public_key, bits=3072, development=False)
    _create(plan.folder / ENVIRONMENT, environment_text(plan), 0o600)
    if plan.proxy is not Proxy.none:
        name = PROXY_FILES[plan.proxy]
        _create(plan.folder / name, fill(name, plan.marks()), 0o644)
    _create(plan.folder / "sentinel.service", fill("sentinel.service", plan.marks()), 0o644)


def _create(path: Path, text: str, mode: int) -> None:
    """Write a file that must not exist yet, readable as ``mode`` says from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(text)


def fill(template: str, marks: Mapping[str, str]) -> str:
    """A template of this folder with its ``@@MARKS@@`` filled in."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    for mark, value in marks.items():
        text = text.replace(f"@@{mark}@@", value)
    return text


def environment_text(plan: Plan) -> str:
    """The environment file: every value with what it means, and what is still to be filled in."""
    lines = [
        "# Configuration of Sentinel Auth, read by systemd and by `sentinel`. Keep it secret: mode 0600.",
        "# All variables: docs/configuration.md. What is left to do: sentinel check --deploy",
    ]
    meaning = meanings()
    for title, names in SECTIONS:
        lines += ["", f"# ── {title} ──"]
        for name in names:
            lines += [_comment(meaning[name]), _line(name.upper(), plan.values.get(name, ""))]
    lines += ["", "# ── Sign-in providers ──"]
    for name, variables in PROVIDERS.items():
        values = plan.providers.get(name, ("",) * len(variables))
        lines.append(
            f"# Callback address to register there: {plan.values['base_url']}/auth/callback/{CALLBACKS[name]}"
        )
        lines.append(
            f"# and for the panel:                  {plan.values['base_url']}/auth/admin/callback/{CALLBACKS[name]}"
        )
        lines += [_line(variable, value) for variable, value in zip(variables, values, strict=True)]
    return "\n".join(lines) + "\n"


def _comment(meaning: str) -> str:
    return "# " + meaning.replace("`", "")


def _line(variable: str, value: str) -> str:
    if not value:
        return f"#{variable}="
    if value.replace("_", "").isalnum():
        return f"{variable}={value}"
    # Both systemd and our own reader take what stands in single quotes literally.
    if "'" not in value:
        return f"{variable}='{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{variable}="{escaped}"'


def _tell(plan: Plan) -> None:
    say(f"Prepared {plan.folder} for https://{plan.host}:")
    for path in plan.files():
        say(f"  {stat.filemode(path.stat().st_mode)}  {path}")
    say("")


def _check(plan: Plan) -> int:
    """Run the checklist on what was written; the exit status of ``sentinel check``, 0 when only warnings are left."""
    try:
        settings = Settings.load(env={}, env_file=plan.folder / ENVIRONMENT)
        findings = asyncio.run(checklist.run(settings, as_production=True))
    except SettingsError as error:
        findings = checklist.from_settings_error(error)
    refused = checklist.refusals(findings)
    for finding in findings:
        remark("\n".join(checklist.block(finding)) + "\n")
    steps = [
        f"Fill in what is still commented out in {plan.folder / ENVIRONMENT}.",
        "useradd --system --home-dir /var/lib/sentinel --shell /usr/sbin/nologin sentinel",
        f"chown -R sentinel: {plan.folder}",
        f"cp {plan.folder / 'sentinel.service'} /etc/systemd/system/ && systemctl enable --now sentinel",
    ]
    if plan.proxy is not Proxy.none:
        where = "/etc/caddy/Caddyfile" if plan.proxy is Proxy.caddy else "/etc/nginx/conf.d/sentinel.conf"
        steps.append(f"cp {plan.folder / PROXY_FILES[plan.proxy]} {where} && systemctl reload {plan.proxy}")
    steps.append("Sign in at the panel and register the first service app there.")
    say("Left to do:")
    for number, step in enumerate(steps, 1):
        say(f"  {number}. {step}")
    return 2 if refused else 0
