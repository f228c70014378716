"""The development mode put together: the service, the development provider, the start page, the sample world."""

from sentinel import __version__
from sentinel.app import Application, create_app
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.logging import configure_logging
from sentinel.devmode import idp, sample, start
from sentinel.devmode.installation import PROVIDER, Installation
from sentinel.devmode.provider import Client, DevIdp
from sentinel.devmode.start import DevContext
from sentinel.migrations import upgrade
from sentinel.settings import Settings


async def build(here: Installation) -> tuple[Application, str]:
    """The application of a development installation, its database migrated and its sample world in place; and the
    link that opens the panel, once.
    """
    settings = here.settings
    start_logging(settings, quiet=True)
    clock = Clock()
    url = settings.database_url.get_secret_value()
    await upgrade(url)
    database = Database(url)
    try:
        async with database.transaction() as session:
            await sample.ensure(session, here, now=clock.now())
    finally:
        await database.close()
    here.save()
    provider = DevIdp(
        issuer=here.idp_issuer,
        key=here.idp_key,
        clients=[
            Client(
                here.notes.idp_client_id,
                here.notes.idp_client_secret,
                frozenset(f"{here.base_url}/auth/{face}callback/{PROVIDER}" for face in ("", "admin/")),
            ),
            Client(
                here.notes.app_client_id,
                here.notes.app_client_secret,
                frozenset({here.redirect_uri}),
                loopback=True,  # the sample application may be one that its reader writes
            ),
        ],
        people=sample.PEOPLE,
        clock=clock,
    )
    page = DevContext(
        base_url=here.base_url,
        provider=PROVIDER,
        client_id=here.notes.login_app_id,
        redirect_uri=here.redirect_uri,
        service_name=sample.SERVICE_NAME,
        service_key=here.notes.service_key,
        people=sample.PEOPLE,
        documents=sample.start_page_documents(),
        resource_type=sample.RESOURCE_TYPE,
    )
    sign_in_url = f"{here.base_url}/auth/admin/login/{PROVIDER}"
    app = create_app(
        settings,
        clock=clock,
        extensions=(("/dev/idp", idp.router(provider, sign_in_url)), ("", start.router(page))),
        migrate=False,
    )
    return app, f"{here.idp_issuer}/panel/{provider.issue_ticket(sample.ADMINISTRATOR)}"


def start_logging(settings: Settings, *, quiet: bool) -> None:
    """Set the log up; ``quiet`` keeps it to warnings, so that the first thing to read is the announcement."""
    configure_logging(
        level="WARNING" if quiet else settings.log_level,
        format=settings.log_format,
        redact=settings.log_pii_redaction,
        version=__version__,
        debug=True,
    )


def announcement(here: Installation, panel_link: str) -> str:
    """What the terminal says when the server answers: where to go, who can sign in, commands that work.

    ``panel_link`` opens the panel, once.
    """
    base, key = here.base_url, here.notes.service_key
    document = sample.DOCUMENTS[0]
    width = max(len(person.email) for person in sample.PEOPLE)
    people = "\n".join(f"    {person.email:<{width}}  {person.note}" for person in sample.PEOPLE)
    folder = "" if str(here.folder) == "data" else f" --data {here.folder}"
    return f"""
  [bold]Sentinel Auth {__version__}[/bold], development mode. Data and keys are in {here.folder}/; stop with Ctrl-C.

  [bold]Open {base}[/bold] to sign in and try a permission check by clicking.
  The admin panel is at {here.settings.admin_url}; the link at the end opens it signed in.

  Who can sign in (no passwords; the development provider lets you choose):
{people}

  The same from a terminal. The sample service "{sample.SERVICE_NAME}" has this key:

    export SERVICE_KEY={key}
    export TOKEN=$(.venv/bin/sentinel dev token edith@acme.example{folder})

  Who may reach the document "{document.title}"?

    curl -s {base}/permissions/resource/{sample.SERVICE_NAME}/{sample.RESOURCE_TYPE}/{document.id} \\
      -H "X-Service-Key: $SERVICE_KEY"

  May Edith edit it?

    curl -s {base}/permissions/check \\
      -H "X-Service-Key: $SERVICE_KEY" -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
      -d '{{"checks":[{{"service_name":"{sample.SERVICE_NAME}","resource_type":"{sample.RESOURCE_TYPE}",\
"resource_id":"{document.id}","action":"edit"}}]}}'

  HTTP API: {base}/docs   Keys: {base}/.well-known/jwks.json   Start anew: sentinel dev --reset

  [bold]Open the admin panel as Adam (works once, for an hour):[/bold]
  {panel_link}
"""
