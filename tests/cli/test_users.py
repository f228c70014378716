from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.models import Activity
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, SocialAccount, User
from sentinel.login.sign_in import SignedIn, sign_in
from sentinel.providers import Identity
from sentinel.workspaces.models import Membership, Workspace
from tests.cli.terminal import Terminal

ADA = "ada@example.com"


def user(terminal: Terminal, email: str = ADA) -> Any:
    [found] = terminal.rows(sa.select(User).where(User.email == email))
    return found


def activities(terminal: Terminal) -> list[Any]:
    return terminal.rows(sa.select(Activity).order_by(Activity.created_at))


def test_create_admin_makes_a_person_without_account(terminal: Terminal) -> None:
    """The first administrator, with the address in lower case.

    Rules: ID-6, AD-12.
    """
    text = terminal.ok("users", "create-admin", "  Ada@Example.com ", "--name", "Ada <b>Lovelace</b>")
    assert f"{ADA} is now an administrator" in text
    assert "/admin/login" in text and "no password" in text
    ada = user(terminal)
    assert (ada.name, ada.is_admin, ada.is_active) == ("Ada Lovelace", True, True)
    assert ada.organization_id == PUBLIC_ORGANIZATION_ID
    assert terminal.rows(sa.select(SocialAccount)) == []
    [row] = activities(terminal)
    assert (row.action, row.target_type, row.target_id, row.actor_id) == (
        "user_promoted_admin",
        "user",
        ada.id,
        None,
    )
    assert row.detail == {"created": True, "via": "command line"}


def test_ID_5_identity_is_linked_to_the_created_admin(terminal: Terminal) -> None:
    terminal.ok("users", "create-admin", ADA)
    identity = Identity("corp", "17", "17", ADA, "Ada Lovelace", None, {})

    async def work(session: AsyncSession) -> SignedIn:
        return await sign_in(session, identity, admin_emails=frozenset(), now=datetime.now(UTC))

    signed_in = terminal.session(work)
    assert signed_in.first_time
    assert signed_in.user.is_admin
    assert signed_in.user.id == user(terminal).id
    assert user(terminal).name == "Ada Lovelace"


def test_create_admin_promotes_whoever_exists(terminal: Terminal) -> None:
    terminal.add(User(email=ADA, name="Ada"))
    text = terminal.ok("users", "create-admin", "ADA@example.com", "--name", "Somebody Else")
    assert "is now an administrator" in text and "password" not in text
    assert (user(terminal).name, user(terminal).is_admin) == ("Ada", True)
    [row] = activities(terminal)
    assert (row.action, row.detail) == ("user_promoted_admin", {"created": False, "via": "command line"})


def test_create_admin_twice_changes_nothing(terminal: Terminal) -> None:
    terminal.ok("users", "create-admin", ADA)
    before = user(terminal).updated_at
    assert "is an administrator already" in terminal.ok("users", "create-admin", ADA)
    assert user(terminal).updated_at == before
    assert len(activities(terminal)) == 1


def test_create_admin_refuses_a_deactivated_person(terminal: Terminal) -> None:
    terminal.add(User(email=ADA, name="Ada", is_active=False))
    assert "activate the account first" in terminal.refused("users", "create-admin", ADA)
    assert user(terminal).is_admin is False


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "a@b@c.example", "a b@c.example", "x" * 320 + "@a.b"]
)
def test_create_admin_refuses_what_is_no_address(terminal: Terminal, email: str) -> None:
    assert "e-mail address" in terminal.refused("users", "create-admin", email)
    assert terminal.json("users", "list") == []


@pytest.mark.parametrize("name", ["", "<b></b>", "x" * 256])
def test_create_admin_refuses_an_empty_or_endless_name(terminal: Terminal, name: str) -> None:
    assert "(name)" in terminal.refused("users", "create-admin", ADA, "--name", name)


def test_list_is_plain_and_sorted(terminal: Terminal) -> None:
    terminal.add(User(email="zoe@example.com", name="Zoe", is_active=False), User(email=ADA, name="Ada"))
    lines = terminal.ok("users", "list").splitlines()
    assert lines[0] == "email\tname\tis_active\tis_admin\tcreated_at"
    assert [line.split("\t")[:4] for line in lines[1:]] == [
        [ADA, "Ada", "yes", "no"],
        ["zoe@example.com", "Zoe", "no", "no"],
    ]
    [first, _] = terminal.json("users", "list")
    assert first["id"] == str(user(terminal).id)
    assert first["created_at"].endswith("Z")


def test_DL_5_and_DL_6_deactivate_and_activate(terminal: Terminal) -> None:
    terminal.add(User(email=ADA, name="Ada"))
    assert "is deactivated. Refresh tokens revoked: 0." in terminal.ok(
        "users", "deactivate", "Ada@example.com"
    )
    assert (user(terminal).is_active, user(terminal).token_epoch) == (False, 1)
    assert "already" in terminal.ok("users", "deactivate", ADA)
    terminal.ok("users", "activate", ADA)
    assert (user(terminal).is_active, user(terminal).token_epoch) == (True, 1)
    assert [row.action for row in activities(terminal)] == ["user_deactivated", "user_activated"]


def test_DL_4_revoke_raises_the_epoch(terminal: Terminal) -> None:
    terminal.add(User(email=ADA, name="Ada"))
    assert "signed out everywhere. Refresh tokens revoked: 0." in terminal.ok("users", "revoke", ADA)
    assert (user(terminal).is_active, user(terminal).token_epoch) == (True, 1)
    assert [row.action for row in activities(terminal)] == ["tokens_revoked"]


def test_the_last_active_administrator_stays(terminal: Terminal) -> None:
    """Rules: AD-8."""
    terminal.ok("users", "create-admin", ADA)
    terminal.add(User(email="bob@example.com", name="Bob", is_admin=True, is_active=False))
    assert "last active administrator" in terminal.refused("users", "deactivate", ADA)
    assert user(terminal).is_active
    terminal.ok("users", "activate", "bob@example.com")
    terminal.ok("users", "deactivate", ADA)
    assert "last active" in terminal.refused("users", "deactivate", "bob@example.com")


@pytest.mark.parametrize("command", ["deactivate", "activate", "revoke", "delete"])
def test_unknown_people_are_named(terminal: Terminal, command: str) -> None:
    assert "There is no user 'nobody@example.com'" in terminal.refused("users", command, "nobody@example.com")


def test_delete_asks_first_and_takes_everything(terminal: Terminal) -> None:
    """``authorization.md`` §8, and AD-8 of ``admin.md``."""
    terminal.ok("users", "create-admin", ADA)
    terminal.add(User(email="bob@example.com", name="Bob"))
    assert "--yes" in terminal.refused("users", "delete", "bob@example.com")
    assert user(terminal, "bob@example.com").name == "Bob"
    text = terminal.ok("users", "delete", "Bob@example.com", "--yes")
    assert "is deleted. Refresh tokens revoked: 0." in text
    assert [row.email for row in terminal.rows(sa.select(User))] == [ADA]
    assert activities(terminal)[-1].action == "user_deleted"
    assert "'sentinel users create-admin'" in terminal.refused("users", "delete", ADA, "--yes")
    assert user(terminal).is_admin


def test_delete_keeps_the_last_owner(terminal: Terminal) -> None:
    terminal.add(User(email=ADA, name="Ada"))
    workspace = Workspace(id=uuid4(), slug="acme", name="Acme")
    terminal.add(workspace)
    terminal.add(Membership(workspace_id=workspace.id, user_id=user(terminal).id, role="owner"))
    assert "last owner of a workspace cannot be deleted: Acme" in terminal.refused(
        "users", "delete", ADA, "--yes"
    )
    assert user(terminal).email == ADA
