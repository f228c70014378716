"""Takes the pictures of the panel that docs/ shows: ``make pictures``. Needs the tools of development and Chromium.

``--every-look`` takes whole pages instead, wide and narrow, light and dark, to look the panel through; ``--to`` names
the folder.
"""

import argparse
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa
from playwright.sync_api import Page, ViewportSize, sync_playwright
from sqlalchemy.orm import Session

import sentinel.migrations.tables  # noqa: F401 - every table has to be known
from sentinel.audit.models import Activity
from sentinel.devmode import sample
from sentinel.identity.models import User
from sentinel.roles.models import ActionUsage
from sentinel.workspaces.models import Workspace

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "pictures" / "panel"
SENTINEL = Path(sys.executable).with_name("sentinel")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 380, "height": 800}
PLACES = {
    "dashboard": "/",
    "activity": "/activity",
    "insights": "/insights",
    "usage": "/usage",
    "users": "/users",
    "import": "/users/import",
    "organizations": "/organizations",
    "organization-new": "/organizations/new",
    "workspaces": "/workspaces",
    "workspace-new": "/workspaces/new",
    "permissions": "/permissions",
    "purge": f"/permissions/purge?service={sample.SERVICE_NAME}",
    "actions": "/actions",
    "login-apps": "/client-apps",
    "login-app-new": "/client-apps/new",
    "services": "/service-apps",
    "service-new": "/service-apps/new",
    "realms": "/realms",
    "realm-new": "/realms/new",
    "system": "/system",
    "settings": "/settings",
    "search": "/search?q=ac",
}
FOLLOWED: dict[str, tuple[str, tuple[str, ...]]] = {
    "user": ("/users?search=edith", ("main a:has-text('Edith Editor')",)),
    "user-workspaces": (
        "/users?search=edith",
        ("main a:has-text('Edith Editor')", "a:has-text('Add to workspaces')"),
    ),
    "organization": ("/organizations", ("main td a:has-text('Globex')",)),
    "workspace": ("/workspaces", ("main a:has-text('Acme')",)),
    "workspace-edit": ("/workspaces", ("main a:has-text('Acme')", "main a:text-is('Edit')")),
    "groups": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Groups')")),
    "group": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Groups')", "#list a.fw-bold")),
    "roles": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Roles')")),
    "role": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Roles')", "#list a.fw-bold")),
    "access": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Access')")),
    "workspace-usage": ("/workspaces", ("main a:has-text('Acme')", ".tabs a:has-text('Usage')")),
    "members-add": ("/workspaces", ("main a:has-text('Acme')", "main a:has-text('Add people')")),
    "permission": (f"/permissions?resource={sample.DOCUMENTS[2].id}", ("#list a.fw-bold",)),
    "share": (
        f"/permissions?resource={sample.DOCUMENTS[2].id}",
        ("#list a.fw-bold", "main a:text-is('Share')"),
    ),
    "why": (
        f"/permissions?resource={sample.DOCUMENTS[2].id}",
        ("#list a.fw-bold", "main a:has-text('Why can she')", "#list a:has-text('Victor')"),
    ),
    "who": (
        f"/permissions?resource={sample.DOCUMENTS[2].id}",
        ("#list a.fw-bold", "main a:has-text('Who can see')"),
    ),
    "login-app": ("/client-apps", ("main td a",)),
    "service": ("/service-apps", ("main td a:has-text('Team notes')",)),
    "rotate": ("/service-apps", ("main td a:has-text('Team notes')", "main a:has-text('Rotate')")),
    "realm": ("/realms", ("main td a",)),
    "rekey": ("/realms", ("main td a", "main a:has-text('Re-key')")),
    "deactivate": (
        "/users?search=edith",
        ("main a:has-text('Edith Editor')", "button:text-is(' Deactivate …')"),
    ),
}
"""Pages with an id in their address, and dialogs: reached by clicks that begin on another page."""

ON_A_TELEPHONE = {
    *("login", "dashboard", "activity", "insights", "users", "user", "deactivate", "workspace", "role"),
    *("permissions", "why", "who", "service-key", "rotate", "realm", "system", "search"),
}
"""Pages that docs/ shows narrow and dark, too: those that somebody may open on the way."""

NETWORKS = ("85.214.0.1", "85.214.0.1", "81.2.69.1", "151.1.0.1", "133.11.0.1", "200.160.2.1", "196.25.0.1")
"""Addresses of several countries."""
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 "
    "Mobile/15E148 Safari/604.1",
)


def main() -> None:
    """Start a development server, give it a month of life, sign in, and shoot every page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--to", type=Path, default=TARGET)
    arguments.add_argument("--every-look", action="store_true")
    arguments.add_argument("--only", nargs="*", default=[])
    chosen = arguments.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        log = Path(folder) / "log.txt"
        with log.open("w") as out:
            server = subprocess.Popen(
                [SENTINEL, "dev", "--port", str(port)], cwd=folder, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            while "/dev/idp/panel/" not in log.read_text():
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
            link = log.read_text().strip().splitlines()[-1].strip()
            live(Path(folder) / "data" / "sentinel.db")
            shoot(
                f"http://localhost:{port}/admin", link, chosen.to, chosen.only, every_look=chosen.every_look
            )
        finally:
            server.terminate()
            server.wait(20)


def live(database: Path) -> None:
    """A month in the sample world: sign-ins, a few signals, actions that were allowed and denied."""
    engine = sa.create_engine(f"sqlite:///{database}")
    engine.dialect.supports_native_uuid = False
    chance, now = random.Random(7), datetime.now(UTC)  # noqa: S311 - the same pictures each time, no secret
    with Session(engine) as session:
        people = {row.email: row.id for row in session.execute(sa.select(User.email, User.id))}
        acme = session.execute(sa.select(Workspace.id).where(Workspace.slug == "acme")).scalar_one()
        for email, person in people.items():
            for day in range(30):
                weekend = (now - timedelta(days=day)).weekday() > 4
                for _ in range(chance.randint(0, 1 if weekend else 4)):
                    at = now - timedelta(days=day, hours=chance.uniform(0.5, 9))
                    _note(session, chance, "user_login", person, at)
            if email.startswith("edith"):
                _note(session, chance, "login_new_device", person, now - timedelta(days=2), severity="low")
                _note(
                    session, chance, "login_new_country", person, now - timedelta(days=6), severity="medium"
                )
        for day in range(30):
            at = now - timedelta(days=day, hours=2)
            session.add(
                ActionUsage(
                    day=at.date(),
                    workspace_id=acme,
                    user_id=people["edith@acme.example"],
                    service_name=sample.SERVICE_NAME,
                    action=sample.PUBLISH,
                    count=chance.randint(2, 24),
                )
            )
            if chance.random() < 0.5:
                detail = {
                    "service_name": sample.SERVICE_NAME,
                    "action": sample.PUBLISH,
                    "count": chance.randint(1, 5),
                }
                victor = people["victor@acme.example"]
                session.add(_row("action_denied", victor, at, detail, workspace_id=acme))
        session.commit()
    engine.dispose()


def _note(
    session: Session, chance: random.Random, action: str, person: UUID, at: datetime, **more: str
) -> None:
    detail = {"provider": "dev", "ip": chance.choice(NETWORKS), "user_agent": chance.choice(BROWSERS)} | more
    session.add(_row(action, person, at, detail))


def _row(
    action: str, person: UUID, at: datetime, detail: Mapping[str, object], workspace_id: UUID | None = None
) -> Activity:
    return Activity(
        id=uuid4(),
        action=action,
        actor_id=person,
        target_type="user",
        target_id=person,
        workspace_id=workspace_id,
        detail=dict(detail),
        created_at=at,
    )


def shoot(base: str, link: str, to: Path, only: list[str], *, every_look: bool) -> None:
    """All pictures; ``link`` signs in."""
    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "chromium-headless-shell")
        chromium = next(filter(None, map(shutil.which, names)), None)
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(
            viewport=WIDE, timezone_id="UTC", locale="en-GB", user_agent=BROWSERS[0], reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(f"{base}/login")
        keep(page, to, "login", every_look=every_look)
        page.goto(link)
        page.wait_for_url(re.compile(r"/admin/?$"))
        fill(page, base)
        for name in views(page, base, only):
            keep(page, to, name, every_look=every_look)
        browser.close()


def fill(page: Page, base: str) -> None:
    """A second service with its actions, an organization and a realm, made by clicking."""
    page.goto(f"{base}/organizations/new")
    page.get_by_label("Name").fill("Globex Corporation")
    page.get_by_label("Slug").fill("globex")
    page.get_by_role("button", name="Create the organization").click()
    for country in ("", "br.", "jp."):
        page.get_by_label("Add a mail domain").fill(f"{country}globex.example")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text(f"{country}globex.example belongs here now").wait_for()
    page.goto(f"{base}/realms/new")
    page.get_by_label("Name").fill("Office suite")
    page.get_by_label("Slug").fill("office")
    page.get_by_role("button", name="Create the realm").click()
    page.get_by_role("heading", name="Office suite").wait_for()


def views(page: Page, base: str, only: list[str]) -> Iterator[str]:
    """Go from page to page; each time one is on screen, its name comes."""

    def wanted(name: str) -> bool:
        return not only or name in only

    for name, path in PLACES.items():
        if wanted(name):
            page.goto(base + path)
            yield name
    for name, (path, clicks) in FOLLOWED.items():
        if name in ("realm", "rekey", "service-key") or not wanted(name):
            continue
        _follow(page, base + path, clicks)
        yield name
        if name == "organization" and wanted("organization-domains"):
            page.goto(f"{page.url}/domains")
            yield "organization-domains"
    if wanted("service-key"):
        page.goto(f"{base}/service-apps/new")
        page.get_by_label("Name", exact=True).fill("Billing")
        page.get_by_label("Service name").fill("billing")
        page.get_by_role("button", name="Register and show the key").click()
        page.locator("#service-key").wait_for()
        # The key is worth nothing when the server is gone, but a picture with a key is no good example.
        page.evaluate(
            """() => {
              const key = document.getElementById("service-key").textContent;
              for (const place of document.querySelectorAll("[data-once]"))
                place.textContent = place.textContent.replaceAll(key, key.slice(0, 7) + "•".repeat(key.length - 7));
            }"""
        )
        yield "service-key"
    # Last, for in a realm the sample service loses sight of its documents.
    _follow(page, f"{base}/realms", ("main td a",))
    page.locator("select[name=app_id]").select_option(label=f"Team notes ({sample.SERVICE_NAME})")
    page.get_by_role("button", name="Add to the realm").click()
    page.get_by_text("is out of sight now").wait_for()
    for name in ("realm", "rekey"):
        if wanted(name):
            _follow(page, base + FOLLOWED[name][0], FOLLOWED[name][1])
            yield name


def _follow(page: Page, address: str, clicks: tuple[str, ...]) -> None:
    page.goto(address)
    for selector in clicks:
        page.locator(selector).first.click()
        page.locator("html:not(:has(.htmx-request))").wait_for()
        page.wait_for_load_state("networkidle")


def keep(page: Page, to: Path, name: str, *, every_look: bool) -> None:
    """What the window shows, wide and light, and on a telephone in the dark; or the whole page in every look."""
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    if every_look:
        looks = [(size, theme) for size in (WIDE, NARROW) for theme in ("light", "dark")]
    else:
        looks = [(WIDE, "light")]
        looks += [(NARROW, "dark")] if name in ON_A_TELEPHONE else []
        looks += [(WIDE, "dark")] if name == "dashboard" else []
    for size, theme in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        phone = "-phone" if size is NARROW else ""
        dark = "-dark" if theme == "dark" else ""
        page.screenshot(path=to / f"{name}{phone}{dark}.png", full_page=every_look, caret="initial")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    print(name)


if __name__ == "__main__":
    main()
