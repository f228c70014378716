"""Takes the pictures of the panel that docs/ shows: ``make pictures``. Needs the tools of development and Chromium."""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "pictures" / "panel"
SENTINEL = Path(sys.executable).with_name("sentinel")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PLACES = {
    "dashboard": "/",
    "activity": "/activity",
    "insights": "/insights",
    "usage": "/usage",
    "users": "/users",
    "import": "/users/import",
    "organizations": "/organizations",
    "workspaces": "/workspaces",
    "permissions": "/permissions",
    "actions": "/actions",
    "login-apps": "/client-apps",
    "services": "/service-apps",
    "realms": "/realms",
    "system": "/system",
    "settings": "/settings",
    "search": "/search?q=ac",
}
FOLLOWED = {
    "user": ("/users?search=edith", "main a:has-text('Edith Editor')"),
    "organization": ("/organizations", "main td a"),
    "workspace": ("/workspaces", "main a:has-text('Acme')"),
    "permission": ("/permissions?workspace=acme", "#list a.fw-bold"),
    "service": ("/service-apps", "main td a"),
}
"""Pages with an id in their address, reached by a link on another page."""


def main() -> None:
    """Start a development server, sign in, and shoot every page."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        with log.open("w") as out:
            server = subprocess.Popen(
                [SENTINEL, "dev", "--port", str(port)], cwd=folder, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            while "/dev/idp/panel/" not in log.read_text():
                time.sleep(0.1)
            link = log.read_text().strip().splitlines()[-1].strip()
            shoot(f"http://localhost:{port}/admin", link)
        finally:
            server.terminate()
            server.wait(20)


def shoot(base: str, link: str) -> None:
    """All pictures; ``link`` signs in."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="UTC")
        page = context.new_page()
        page.goto(f"{base}/login")
        keep(page, "login")
        page.goto(link)
        page.wait_for_url(re.compile(r"/admin/?$"))
        for name, path in PLACES.items():
            page.goto(base + path)
            keep(page, name)
        for name, (path, selector) in FOLLOWED.items():
            page.goto(base + path)
            page.locator(selector).first.click()
            page.wait_for_load_state("networkidle")
            keep(page, name)
        page.get_by_role("link", name=re.compile("Rotate the key")).click()
        page.wait_for_load_state("networkidle")
        keep(page, "rotate")
        page.goto(f"{base}/permissions?workspace=acme")
        page.locator("#list a.fw-bold").first.click()
        page.get_by_role("link", name="Who can see this?").click()
        page.wait_for_load_state("networkidle")
        keep(page, "who")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{base}/")
        keep(page, "dashboard-dark")
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(f"{base}/users")
        keep(page, "users-phone-dark")
        browser.close()


def keep(page: Page, name: str) -> None:
    """One picture of what the window shows."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=TARGET / f"{name}.png")
    print(name)


if __name__ == "__main__":
    main()
