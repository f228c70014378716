import asyncio
import hashlib
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import authentication, service_apps
from sentinel.apps.authentication import Credentials, ServiceCaller
from sentinel.apps.keys import hash_key
from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.audit.models import Activity
from sentinel.core.database import Database
from sentinel.core.errors import DomainError
from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import ServiceAction
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.workspaces.models import Workspace
from tests.cli.terminal import Terminal, keys_in

NOTES = ("apps", "create", "--name", "Team notes", "--service-name", "notes")


def service(terminal: Terminal, name: str = "notes") -> Any:
    [found] = terminal.rows(sa.select(ServiceApp).where(ServiceApp.service_name == name))
    return found


def accepted(terminal: Terminal, key: str, *, after: timedelta = timedelta()) -> ServiceCaller | None:
    """Whom the service would see behind ``key``, some time from now."""

    async def work(session: AsyncSession) -> ServiceCaller | None:
        now = datetime.now(UTC) + after
        return authentication.service_of(await authentication.read(session, Credentials(hash_key(key)), now))

    return terminal.session(work)


def activities(terminal: Terminal) -> list[Any]:
    return [row.action for row in terminal.rows(sa.select(Activity).order_by(Activity.created_at))]


# ── service apps ──


def test_SK_1_key_is_random_and_stored_as_hash_and_prefix(terminal: Terminal) -> None:
    key = terminal.ok(*NOTES, "--quiet").removesuffix("\n")
    assert re.fullmatch(r"sk_[A-Za-z0-9_-]{43}", key)
    app = service(terminal)
    assert app.key_hash == hashlib.sha256(key.encode()).hexdigest()
    assert app.key_prefix == f"{key[:7]}****"
    assert app.previous_key_hash is None
    assert app.is_active and app.created_by is None
    other = terminal.ok("apps", "create", "--name", "x", "--service-name", "other", "-q").strip()
    assert other != key


def test_SK_2_key_is_shown_once_and_never_again(terminal: Terminal, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        result = terminal.run(*NOTES)
    assert result.exit_code == 0
    [key] = keys_in(result.output)
    assert f"  SERVICE_KEY={key}\n" in result.stdout
    assert 'curl http://localhost:9003/realm/whoami -H "X-Service-Key: $SERVICE_KEY"' in result.stdout
    assert "the only time" in result.stderr
    for words in (("apps", "list"), ("apps", "list", "--json"), ("apps", "deactivate", "notes")):
        assert keys_in(terminal.ok(*words)) == []
    assert key not in terminal.dump()
    assert hash_key(key) in terminal.dump()
    assert key not in caplog.text


def test_SK_2_quiet_prints_the_key_alone(terminal: Terminal) -> None:
    result = terminal.run(*NOTES, "--quiet")
    assert keys_in(result.stdout) == [result.stdout.strip()]
    assert result.stderr == ""


def test_SK_3_rotation_replaces_the_key_at_once(terminal: Terminal) -> None:
    old = terminal.ok(*NOTES, "-q").strip()
    result = terminal.run("apps", "rotate-key", "notes")
    [new] = keys_in(result.output)
    assert new != old and "refused from now on" in result.stdout
    app = service(terminal)
    assert app.key_hash == hash_key(new)
    assert (app.previous_key_hash, app.previous_key_expires_at) == (None, None)
    assert accepted(terminal, old) is None
    assert accepted(terminal, new) is not None
    assert new not in terminal.dump()
    assert activities(terminal) == ["service_app_created", "service_app_key_rotated"]


def test_SK_3_overlap_keeps_the_old_key_for_some_minutes(terminal: Terminal) -> None:
    old = terminal.ok(*NOTES, "-q").strip()
    started = datetime.now(UTC)
    result = terminal.run("apps", "rotate-key", "notes", "--overlap-minutes", "90")
    [new] = keys_in(result.output)
    assert "for 90 minutes" in result.stdout
    app = service(terminal)
    assert (app.key_hash, app.previous_key_hash) == (hash_key(new), hash_key(old))
    ends = app.previous_key_expires_at - timedelta(minutes=90)
    assert started <= ends <= datetime.now(UTC)
    for key in (old, new):
        assert accepted(terminal, key, after=timedelta(minutes=89)) is not None
    assert accepted(terminal, old, after=timedelta(minutes=91)) is None
    assert accepted(terminal, new, after=timedelta(minutes=91)) is not None
    newest = terminal.ok("apps", "rotate-key", "notes", "-q").strip()
    assert [accepted(terminal, key) is not None for key in (old, new, newest)] == [False, False, True]


@pytest.mark.parametrize("minutes", ["-1", "1441", "soon"])
def test_SK_3_overlap_is_at_most_a_day(terminal: Terminal, minutes: str) -> None:
    key = terminal.ok(*NOTES, "-q").strip()
    text = terminal.refused("apps", "rotate-key", "notes", "--overlap-minutes", minutes, status=2)
    assert "--overlap-minutes" in text
    assert accepted(terminal, key) is not None


def test_SK_4_inactive_app_is_refused_at_once(terminal: Terminal) -> None:
    key = terminal.ok(*NOTES, "-q").strip()
    assert "its key is refused" in terminal.ok("apps", "deactivate", "notes")
    assert accepted(terminal, key) is None
    assert "is active" in terminal.ok("apps", "activate", "notes")
    assert accepted(terminal, key) is not None
    assert activities(terminal) == ["service_app_created", "service_app_updated", "service_app_updated"]


def test_RO_10_an_origin_belongs_to_one_active_service(terminal: Terminal) -> None:
    terminal.ok(*NOTES, "--origin", "https://app.example.com", "--origin", "https://two.example.com")
    second = ("apps", "create", "--name", "b", "--service-name", "second", "--origin")
    text = terminal.refused(*second, "HTTPS://App.Example.com:443")
    assert "https://app.example.com is registered on the active service 'notes'" in text
    assert len(terminal.json("apps", "list")["service_apps"]) == 1
    terminal.ok("apps", "deactivate", "notes")
    terminal.ok(*second, "https://app.example.com")
    assert "'second'" in terminal.refused("apps", "activate", "notes")
    assert service(terminal).is_active is False


def test_RO_6_bad_origin_is_named(terminal: Terminal) -> None:
    text = terminal.refused(*NOTES, "--origin", "https://a.example", "--origin", "https://b.example/")
    assert text.startswith("Origin 2 must not have") and "(allowed_origins)" in text
    assert terminal.json("apps", "list")["service_apps"] == []


def test_SB_2_name_of_a_realm_is_refused(terminal: Terminal) -> None:
    terminal.add(Realm(slug="notes", name="Notes realm"))
    assert "slug of a realm" in terminal.refused(*NOTES)
    assert terminal.rows(sa.select(ServiceApp)) == []


def test_SB_2_name_of_a_service_is_refused(terminal: Terminal) -> None:
    terminal.ok(*NOTES)
    assert "named 'notes' exists already" in terminal.refused(*NOTES)
    terminal.ok("apps", "deactivate", "notes")
    assert "exists already" in terminal.refused(*NOTES)


def test_SB_2_of_many_creations_of_one_name_one_wins(terminal: Terminal) -> None:
    async def create(database: Database, number: int) -> str:
        try:
            async with database.transaction() as session:
                await service_apps.create(
                    session,
                    name=f"Try {number}",
                    service_name="contested",
                    actor_id=None,
                    now=datetime.now(UTC),
                )
        except DomainError as refusal:
            return refusal.reason
        return "won"

    async def race() -> list[str]:
        database = Database(terminal.url)
        try:
            return await asyncio.gather(*(create(database, number) for number in range(20)))
        finally:
            await database.close()

    assert sorted(asyncio.run(race())) == ["name_taken"] * 19 + ["won"]
    assert service(terminal, "contested")


@pytest.mark.parametrize("kind", ["resource", "action"])
def test_SB_3_name_with_rows_of_an_earlier_owner_is_reserved(terminal: Terminal, kind: str) -> None:
    workspace = Workspace(id=uuid4(), slug="w", name="W")
    terminal.add(workspace)
    if kind == "resource":
        row: Any = Resource(
            service_name="notes", resource_type="document", resource_id=uuid4(), workspace_id=workspace.id
        )
    else:
        row = ServiceAction(service_name="notes", action="document:read")
    terminal.add(row)
    assert "earlier owner of 'notes' still exist" in terminal.refused(*NOTES)
    assert terminal.rows(sa.select(ServiceApp)) == []


def test_SB_3_what_an_earlier_owner_left_behind_is_purged_by_typing_its_name(terminal: Terminal) -> None:
    workspace = Workspace(id=uuid4(), slug="w", name="W")
    terminal.add(workspace)
    resource = Resource(
        id=uuid4(), service_name="notes", resource_type="d", resource_id=uuid4(), workspace_id=workspace.id
    )
    other = ServiceAction(service_name="wiki", action="read")
    terminal.add(resource, ServiceAction(service_name="notes", action="read"), other)
    terminal.add(
        Share(resource_permission_id=resource.id, grantee_type="user", grantee_id=uuid4(), permission="view")
    )
    before = terminal.dump()
    for words in ((), ("--confirm", "note"), ("--confirm", "wiki")):
        text = terminal.refused("apps", "purge-scope", "notes", *words)
        assert "1 resource and 1 action of 'notes'" in text and "--confirm notes" in text
    assert "Nothing stands under" in terminal.refused("apps", "purge-scope", "ghost")
    assert "Nothing stands under" in terminal.refused("apps", "purge-scope", "ghost", "--confirm", "ghost")
    assert terminal.dump() == before
    printed = terminal.ok("apps", "purge-scope", "notes", "--confirm", "notes")
    assert printed == "Deleted under notes: 1 resource and 1 action.\n"
    assert terminal.rows(sa.select(Resource)) == terminal.rows(sa.select(Share)) == []
    assert [row.service_name for row in terminal.rows(sa.select(ServiceAction))] == ["wiki"]
    assert activities(terminal) == ["permissions_purged"]
    terminal.ok(*NOTES)


@pytest.mark.parametrize("owner", ["service app", "realm"])
def test_SB_3_a_scope_in_use_is_not_purged(terminal: Terminal, owner: str) -> None:
    if owner == "realm":
        terminal.add(Realm(id=uuid4(), slug="notes", name="Notes", is_active=False))
    else:
        terminal.ok(*NOTES)
        terminal.ok("apps", "deactivate", "notes")
    terminal.add(ServiceAction(service_name="notes", action="read"))
    for words in ((), ("--confirm", "notes")):
        assert f"belongs to a {owner}" in terminal.refused("apps", "purge-scope", "notes", *words)
    assert len(terminal.rows(sa.select(ServiceAction))) == 1


@pytest.mark.parametrize(
    "name", ["", "a", "Notes", "1notes", "notes-", "no_tes", "no.tes", "no tes", "nötes", "n" * 256]
)
def test_service_names_are_plain(terminal: Terminal, name: str) -> None:
    text = terminal.refused("apps", "create", "--name", "x", "--service-name", name)
    assert "lower-case letters" in text and "(service_name)" in text


@pytest.mark.parametrize("name", ["", "<i></i>", "x" * 256])
def test_an_app_has_a_name(terminal: Terminal, name: str) -> None:
    assert "(name)" in terminal.refused("apps", "create", "--name", name, "--service-name", "notes")
    assert "(name)" in terminal.refused(
        "apps", "create-login", "--name", name, "--redirect-uri", "https://a.example/cb"
    )


def test_list_of_services(terminal: Terminal) -> None:
    realm = Realm(id=uuid4(), slug="suite", name="Suite")
    terminal.add(realm)
    key = terminal.ok(*NOTES, "-q", "--origin", "https://a.example", "--idp-audience", "aud-1").strip()

    async def join(session: AsyncSession) -> None:
        await session.execute(sa.update(ServiceApp).values(realm_id=realm.id))

    terminal.session(join)
    [row] = terminal.json("apps", "list")["service_apps"]
    assert row["id"] == str(service(terminal).id)
    assert {name: row[name] for name in ("service_name", "name", "realm", "key_prefix", "is_active")} == {
        "service_name": "notes",
        "name": "Team notes",
        "realm": "suite",
        "key_prefix": f"{key[:7]}****",
        "is_active": True,
    }
    assert (row["allowed_origins"], row["allowed_idp_audiences"]) == (["https://a.example"], ["aud-1"])
    assert not [name for name in row if "hash" in name]
    lines = terminal.ok("apps", "list").splitlines()
    assert lines[0].startswith("service_name\tname\trealm\tkey_prefix\t")
    assert lines[1] == f"notes\tTeam notes\tsuite\t{key[:7]}****\tyes\thttps://a.example\t-"
    assert lines[3].startswith("client_id\t")


def test_delete_wants_a_yes_and_purges(terminal: Terminal) -> None:
    workspace = Workspace(id=uuid4(), slug="w", name="W")
    terminal.add(workspace)
    key = terminal.ok(*NOTES, "-q").strip()
    resource = Resource(
        id=uuid4(), service_name="notes", resource_type="d", resource_id=uuid4(), workspace_id=workspace.id
    )
    terminal.add(resource, ServiceAction(service_name="notes", action="read"))
    terminal.add(
        Share(resource_permission_id=resource.id, grantee_type="user", grantee_id=uuid4(), permission="view")
    )
    text = terminal.refused("apps", "delete", "notes")
    assert "every resource, share and action" in text and "--yes" in text
    assert accepted(terminal, key) is not None
    terminal.ok("apps", "delete", "notes", "--yes")
    assert accepted(terminal, key) is None
    for table in (ServiceApp, Resource, Share, ServiceAction):
        assert terminal.rows(sa.select(table)) == []
    terminal.ok(*NOTES)  # the name is free again


def test_delete_of_a_realm_member_leaves_the_rows(terminal: Terminal) -> None:
    realm = Realm(id=uuid4(), slug="suite", name="Suite")
    terminal.add(realm, ServiceAction(service_name="notes", action="read"))
    terminal.add(
        ServiceApp(name="N", service_name="notes", key_hash="0" * 64, key_prefix="sk_", realm_id=realm.id)
    )
    text = terminal.refused("apps", "delete", "notes")
    assert "its key" in text and "resource" not in text
    terminal.ok("apps", "delete", "notes", "--yes")
    assert terminal.rows(sa.select(ServiceApp)) == []
    assert len(terminal.rows(sa.select(ServiceAction))) == 1


@pytest.mark.parametrize(
    "words", [("rotate-key",), ("activate",), ("deactivate",), ("delete",), ("delete", "--yes")]
)
def test_unknown_services_are_named(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "There is no service named 'ghost'" in terminal.refused("apps", words[0], "ghost", *words[1:])


# ── login apps ──


def login_app(terminal: Terminal, *options: str) -> UUID:
    words = ("apps", "create-login", "--name", "Notes", "--redirect-uri", "https://notes.example.com/cb")
    return UUID(terminal.ok(*words, "--quiet", *options).strip())


def session_of(terminal: Terminal, client_id: UUID) -> None:
    """A signed-in person with one usable refresh token."""
    now = datetime.now(UTC)
    user = User(id=uuid4(), email="ada@example.com", name="Ada")
    workspace = Workspace(id=uuid4(), slug="w", name="W")
    terminal.add(user, workspace)
    family = RefreshFamily(id=uuid4(), user_id=user.id, workspace_id=workspace.id, client_app_id=client_id)
    terminal.add(family)
    terminal.add(
        RefreshToken(
            jti=uuid4(),
            family_id=family.id,
            access_jti=uuid4(),
            access_expires_at=now + timedelta(minutes=15),
            issued_at=now,
            expires_at=now + timedelta(days=7),
        )
    )


def test_create_login_prints_the_client_id(terminal: Terminal) -> None:
    client_id = login_app(terminal, "--redirect-uri", "http://localhost:3000/cb")
    [row] = terminal.json("apps", "list")["login_apps"]
    assert row["client_id"] == str(client_id)
    assert row["redirect_uris"] == ["https://notes.example.com/cb", "http://localhost:3000/cb"]
    assert row["is_active"] is True
    text = terminal.ok("apps", "create-login", "--name", "Other", "--redirect-uri", "https://o.example/cb")
    [other] = terminal.rows(sa.select(LoginApp.id).where(LoginApp.name == "Other"))
    assert f"\n  {other}\n" in text


def test_RO_5_plain_http_is_for_localhost_unless_debug(terminal: Terminal) -> None:
    words = ("apps", "create-login", "--name", "N", "--redirect-uri", "http://notes.example.com/cb")
    text = terminal.refused(*words)
    assert text.startswith("Redirect URI 1 must use https") and "(redirect_uris)" in text
    terminal.ok(*words, DEBUG="true")


def test_RO_5_at_least_one_redirect_uri(terminal: Terminal) -> None:
    assert "--redirect-uri" in terminal.refused("apps", "create-login", "--name", "N", status=2)


def test_DL_9_deactivating_ends_sessions_only_when_asked(terminal: Terminal) -> None:
    client_id = str(login_app(terminal))
    session_of(terminal, UUID(client_id))
    assert "is inactive" in terminal.ok("apps", "deactivate-login", client_id)
    assert len(terminal.rows(sa.select(RefreshToken))) == 1
    assert "is active" in terminal.ok("apps", "activate-login", client_id)
    text = terminal.ok("apps", "deactivate-login", client_id, "--revoke-sessions")
    assert "Refresh tokens revoked: 1." in text
    assert terminal.rows(sa.select(RefreshToken)) == []


def test_DL_9_deleting_ends_sessions(terminal: Terminal) -> None:
    client_id = str(login_app(terminal))
    session_of(terminal, UUID(client_id))
    assert "--yes" in terminal.refused("apps", "delete-login", client_id)
    assert len(terminal.rows(sa.select(RefreshToken))) == 1
    assert "Refresh tokens revoked: 1." in terminal.ok("apps", "delete-login", client_id, "--yes")
    assert terminal.rows(sa.select(RefreshToken)) == []
    assert terminal.rows(sa.select(LoginApp)) == []
    assert activities(terminal) == ["client_app_created", "client_app_deleted"]


@pytest.mark.parametrize("command", ["activate-login", "deactivate-login", "delete-login"])
def test_unknown_login_apps_are_refused(terminal: Terminal, command: str) -> None:
    assert "Login app not found" in terminal.refused("apps", command, str(uuid4()))


def test_nothing_of_the_command_line_names_an_actor(terminal: Terminal) -> None:
    terminal.ok(*NOTES)
    login_app(terminal)
    rows = terminal.rows(sa.select(Activity))
    assert [row.actor_id for row in rows] == [None, None]
    assert "sk_" not in json.dumps([row.detail for row in rows])
