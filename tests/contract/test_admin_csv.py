"""CSV import and export over the panel's JSON API (``admin.md`` §4)."""

import csv
import io
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentinel.core.errors import Invalid, TooLarge
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, SocialAccount, User
from sentinel.workspaces import csv_export, csv_file, csv_import
from sentinel.workspaces.csv_file import MAX_BYTES
from sentinel.workspaces.models import Membership, Workspace
from tests.races import at_once, read, use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

PREVIEW = "/admin/api/import/csv/preview"
EXECUTE = "/admin/api/import/csv/execute"
HEADER = "email,name,workspace_slug,role\n"


async def send(
    http: httpx.AsyncClient, path: str, content: str | bytes, name: str = "a.csv"
) -> httpx.Response:
    data = content.encode() if isinstance(content, str) else content
    return await http.post(path, files={"file": (name, data, "text/csv")})


async def members_of(stage: Stage, workspace: Workspace) -> dict[str, str]:
    emails = {user.id: user.email for user in await stage.all(User)}
    rows = await stage.all(Membership, Membership.workspace_id == workspace.id)
    return {emails[row.user_id]: row.role for row in rows}


# ── who may ──


@pytest.mark.parametrize("path", [PREVIEW, EXECUTE])
async def test_AD_5_and_AD_6_import_is_for_administrators_of_this_panel(stage: Stage, path: str) -> None:
    before = await stage.snapshot()
    assert (await send(stage.client, path, HEADER)).status_code == 401
    async with stage.panel() as http:
        before = await stage.snapshot()
        del http.headers["X-Requested-With"]
        assert (await send(http, path, HEADER)).status_code == 403
        http.headers["X-Requested-With"] = "XMLHttpRequest"
        http.headers["Origin"] = "https://evil.example"
        assert (await send(http, path, HEADER)).status_code == 403
    assert await stage.snapshot() == before


@pytest.mark.parametrize("what", ["users", "workspaces"])
async def test_AD_5_export_is_for_administrators(stage: Stage, what: str) -> None:
    assert (await stage.client.get(f"/admin/api/export/{what}")).status_code == 401
    assert (await stage.client.get(f"/admin/export/{what}")).status_code == 303
    assert await stage.activities() == []


async def test_import_counts_in_the_sensitive_limit_of_the_administrator(
    anyio_backend: Any, database_url: str, stage_keys: Keys
) -> None:
    async with (
        open_stage(database_url, stage_keys, rate_limit_enabled=True) as stage,
        stage.panel() as http,
    ):
        seen = [(await send(http, PREVIEW if turn % 2 else EXECUTE, HEADER)).status_code for turn in range(6)]
        other = await stage.user("Other", is_admin=True)
        async with stage.panel(other) as his:
            assert (await send(his, PREVIEW, HEADER)).status_code == 200
    assert seen == [200] * 5 + [429]


# ── the file ──


async def test_preview_says_what_would_happen_and_writes_nothing(stage: Stage) -> None:
    owner = await stage.user(email="olga@example.com")
    await stage.workspace(owner, slug="acme")
    closed = await stage.workspace(owner, slug="closed")
    await stage.restrict(closed, await stage.organization("other.example"))
    await stage.organization("off.example", enabled=False)
    await stage.user("Known", email="known@example.com")
    rows = [
        "New@Example.com , <b>New</b> Person,acme,",
        "known@example.com,,acme,Editor",
        "boss@example.com,Boss,acme,owner",
        "olga@example.com,Olga,acme,viewer",
        "known@example.com,Known,acme,viewer",
        "known@example.com,Known,nowhere,viewer",
        "known@example.com,Known,closed,viewer",
        "her@off.example,Her,acme,viewer",
        "nobody,No,acme,viewer",
        "x@example.com,X,,viewer",
        "x@example.com,X,acme,king",
        f"x@example.com,{'n' * 256},acme,viewer",
        "x@example.com,X,acme,viewer,more",
        ",,,",
        "",
        "x@example.com",
    ]
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await send(http, PREVIEW, HEADER + "\n".join(rows))
    assert answer.status_code == 200, answer.text
    assert await stage.snapshot() == before
    found = answer.json()
    assert [(row["email"], row["name"], row["role"], row["error"]) for row in found["rows"]] == [
        ("new@example.com", "New Person", "viewer", None),
        ("known@example.com", "", "editor", None),
        ("boss@example.com", "Boss", "owner", None),
        ("olga@example.com", "Olga", "viewer", "Already a member of this workspace"),
        ("known@example.com", "Known", "viewer", "Already a member of this workspace"),
        ("known@example.com", "Known", "viewer", "There is no such workspace"),
        (
            "known@example.com",
            "Known",
            "viewer",
            "The user's organization is not permitted in this workspace",
        ),
        ("her@off.example", "Her", "viewer", "The user's organization is not permitted in this workspace"),
        ("nobody", "No", "viewer", "This is not one e-mail address"),
        ("x@example.com", "X", "viewer", "The workspace is missing"),
        ("x@example.com", "X", "king", "The role is none of owner, admin, editor, viewer"),
        ("x@example.com", "n" * 256, "viewer", "The name has more than 255 characters"),
        ("x@example.com", "X", "viewer", "The row has more cells than the header"),
        ("x@example.com", "", "viewer", "The workspace is missing"),
    ]
    assert (found["valid_count"], found["error_count"]) == (3, 11)
    # An owner is allowed, and marked.
    assert [row["warning"] is not None for row in found["rows"]] == [False, False, True] + [False] * 11


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"email,name\n", 400, "Missing columns: workspace_slug, role"),
        (b"", 400, "Missing columns: email, name, workspace_slug, role"),
        (b"email;name;workspace_slug;role\n", 400, "Missing columns: email, name, workspace_slug, role"),
        (b"email,name,workspace_slug,role,email\n", 400, "Columns that are there twice: email"),
        (b"email,name,workspace_slug,role\n\xff\xfe", 400, "The file is not UTF-8"),
        (HEADER.encode("utf-16"), 400, "The file is not UTF-8"),
        (HEADER.encode() + b"x" * 200_000 + b",a,b,c\n", 400, "The file cannot be read as CSV"),
        (HEADER.encode() + b"\n" * MAX_BYTES, 413, "The file is larger than 5 MiB"),
        (b"x" * 11 * 1024 * 1024, 413, "Request body too large"),
    ],
    ids=["missing", "empty", "semicolons", "twice", "bytes", "utf-16", "no csv", "5 MiB", "10 MiB"],
)
@pytest.mark.parametrize("path", [PREVIEW, EXECUTE])
async def test_a_file_that_is_none_is_refused_as_a_whole(
    stage: Stage, path: str, content: bytes, status: int, said: str
) -> None:
    async with stage.panel() as http:
        before = await stage.snapshot()
        answer = await send(http, path, content)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]
    assert await stage.snapshot() == before


async def test_without_a_file_the_request_is_malformed(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await http.post(PREVIEW)).status_code == 422
        assert (await http.post(PREVIEW, data={"file": HEADER})).status_code == 422


async def test_a_byte_order_mark_other_columns_and_any_file_name_are_taken(stage: Stage) -> None:
    workspace = await stage.workspace(slug="acme")
    content = (
        '\ufeffROLE,note, Email ,name,workspace_slug\r\neditor,x,a@example.com,"A, the ""first""",acme\r\n'
    )
    async with stage.panel() as http:
        answer = await send(http, EXECUTE, content, name="../../etc/\x00passwd.exe")
    assert answer.json() == {"users_created": 1, "memberships_added": 1, "errors": []}
    assert await members_of(stage, workspace) == {"a@example.com": "editor"}
    (made,) = await stage.all(User, User.email == "a@example.com")
    assert made.name == 'A, the "first"'


def test_a_file_of_exactly_five_mebibytes_is_read() -> None:
    content = HEADER.encode() + b"\n" * (MAX_BYTES - len(HEADER))
    assert csv_file.parse(content) == []
    with pytest.raises(TooLarge):
        csv_file.parse(content + b"\n")


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["a@example.com", "acme", "owner", "", "=1+1", "a@b@c", "\x00", "\u202e", '"', "\r", "<b>"]
)


@given(st.lists(st.lists(CELLS, max_size=6), max_size=8), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=150, deadline=None)
def test_L29_whatever_a_file_holds_every_row_is_judged_or_the_file_refused(
    table: list[list[str]], end: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(
        [["email", "name", "workspace_slug", "role"], *table]
    )
    rows = csv_file.parse(out.getvalue().encode())
    assert len(rows) == sum(any(cell.strip() for cell in row) for row in table)
    for row in rows:
        if row.error is None:
            assert row.email == row.email.strip().lower() and row.email.count("@") == 1
            assert row.role in {"owner", "admin", "editor", "viewer"} and row.workspace_slug
            assert len(row.name) <= 255 and "<b>" not in row.name


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: (HEADER + text).encode("utf-8", "replace"))
)
@settings(max_examples=200, deadline=None)
def test_L29_bytes_of_any_kind_are_rows_or_a_refusal(content: bytes) -> None:
    with suppress(Invalid):
        assert all(row.number > 1 for row in csv_file.parse(content))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_L29_no_row_brings_the_database_down(stage: Stage, table: list[tuple[str, ...]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("email", "name", "workspace_slug", "role"), *table])
    rows = csv_file.parse(out.getvalue().encode())
    seen = await read(stage, csv_import.preview, rows)
    done = await use(stage, csv_import.execute, rows)
    assert len(done.errors) == seen.error_count
    assert done.memberships_added == seen.valid_count


async def test_L29_a_workspace_with_nul_in_its_name_is_none_in_preview_and_import_alike(stage: Stage) -> None:
    """PostgreSQL takes no NUL at all; the rows beside it come in."""
    await stage.workspace(slug="acme")
    content = HEADER + "ada@example.com,Ada,ac\x00me,viewer\nbob@example.com,Bob,acme,viewer\n"
    async with stage.panel() as http:
        seen = await send(http, PREVIEW, content)
        done = await send(http, EXECUTE, content)
    assert (seen.status_code, done.status_code) == (200, 200)
    assert [row["error"] for row in seen.json()["rows"]] == ["There is no such workspace", None]
    assert done.json()["memberships_added"] == 1
    assert done.json()["errors"] == ["Row 2 (ada@example.com): There is no such workspace"]


# ── doing it ──


async def test_import_makes_people_and_memberships_and_tells_of_every_other_row(stage: Stage) -> None:
    owner = await stage.user(email="olga@example.com")
    acme = await stage.workspace(owner, slug="acme")
    other = await stage.workspace(owner, slug="other")
    company = await stage.organization("company.example")
    await stage.restrict(other, company)
    content = HEADER + "\n".join(
        [
            "ada@company.example,Ada,acme,admin",
            "ada@company.example,Somebody else,other,",
            "grace@example.com,Grace,other,viewer",
            "OLGA@example.com,Olga,acme,viewer",
            "bob@example.com,,acme,owner",
        ]
    )
    async with stage.panel() as http:
        admin = (await http.get("/auth/admin/me")).json()["id"]
        answer = await send(http, EXECUTE, content)
    assert answer.status_code == 200
    assert answer.json() == {
        "users_created": 2,
        "memberships_added": 3,
        "errors": [
            "Row 4 (grace@example.com): The user's organization is not permitted in this workspace",
            "Row 5 (olga@example.com): Already a member of this workspace",
        ],
    }
    assert await members_of(stage, acme) == {
        "olga@example.com": "owner",
        "ada@company.example": "admin",
        "bob@example.com": "owner",
    }
    assert await members_of(stage, other) == {"olga@example.com": "owner", "ada@company.example": "viewer"}
    # A rejected row never leaves a new user.
    assert await stage.count(User, User.email == "grace@example.com") == 0
    people = {user.email: user for user in await stage.all(User)}
    ada, bob = people["ada@company.example"], people["bob@example.com"]
    assert (ada.name, ada.organization_id, ada.is_active, ada.is_admin) == ("Ada", company.id, True, False)
    assert (bob.name, bob.organization_id) == ("bob", PUBLIC_ORGANIZATION_ID)
    assert await stage.count(SocialAccount) == 0
    told = await stage.activities()
    assert [(row.action, row.target_id) for row in told] == [
        ("member_invited", ada.id),
        ("member_invited", ada.id),
        ("member_invited", bob.id),
        ("batch_import", UUID(int=0)),
    ]
    assert all(row.actor_id == UUID(admin) for row in told)
    assert told[-1].detail == {"users_created": 2, "memberships_added": 3, "errors": 2}


async def test_an_import_of_nothing_is_an_activity_too(stage: Stage) -> None:
    async with stage.panel() as http:
        with stage.events() as events:
            answer = await send(http, EXECUTE, HEADER + "nobody,x,y,z\n")
    assert answer.json()["errors"] == ["Row 2 (nobody): This is not one e-mail address"]
    (row,) = await stage.activities()
    assert row.action == "batch_import"
    assert row.detail == {"users_created": 0, "memberships_added": 0, "errors": 1}
    assert [event["action"] for event in events if event["event"] == "audit.activity"] == ["batch_import"]


async def test_a_row_that_fails_in_the_database_spoils_no_other_and_leaves_nothing(stage: Stage) -> None:
    workspace = await stage.workspace(slug="acme")
    if stage.state.database.is_sqlite:
        await stage.execute(
            sa.text(
                "CREATE TRIGGER picky BEFORE INSERT ON workspace_memberships WHEN NEW.role = 'admin' "
                "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
        )
    else:
        await stage.execute(
            sa.text(
                "CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
                "IF NEW.role = 'admin' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END$$"
            )
        )
        await stage.execute(
            sa.text(
                "CREATE TRIGGER picky BEFORE INSERT ON workspace_memberships "
                "FOR EACH ROW EXECUTE FUNCTION picky()"
            )
        )
    content = HEADER + "a@x.example,A,acme,viewer\nb@x.example,B,acme,admin\nb@x.example,B,acme,editor\n"
    async with stage.panel() as http:
        with stage.events() as events:
            answer = await send(http, EXECUTE, content)
    assert answer.json()["users_created"] == 2
    assert answer.json()["memberships_added"] == 2
    assert len(answer.json()["errors"]) == 1 and "Row 3 (b@x.example)" in answer.json()["errors"][0]
    assert await members_of(stage, workspace) == {"a@x.example": "viewer", "b@x.example": "editor"}
    # Neither the row of the log nor its line is left of what was undone.
    lines = [event["action"] for event in events if event["event"] == "audit.activity"]
    assert lines == ["member_invited", "member_invited", "batch_import"]
    assert len(await stage.activities("member_invited")) == 2


async def test_when_the_activity_cannot_be_written_nothing_is_imported(stage: Stage) -> None:
    await stage.workspace(slug="acme")
    async with stage.panel() as http:
        before = await stage.snapshot()
        await stage.forbid_inserts("activity_logs")
        answer = await send(http, EXECUTE, HEADER + "a@x.example,A,acme,viewer\n")
    assert answer.status_code in (409, 500)
    assert await stage.snapshot() == before


async def test_the_same_file_at_once_makes_everybody_once(stage: Stage) -> None:
    workspace = await stage.workspace(slug="acme")
    content = HEADER + "".join(f"p{n}@x.example,P,acme,viewer\n" for n in range(3))
    rows = csv_file.parse(content.encode())
    outcomes = await at_once([use(stage, csv_import.execute, rows) for _ in range(20)])
    assert outcomes == {"done": 20}
    results = [row.detail for row in await stage.activities("batch_import")]
    assert sum(detail["users_created"] for detail in results if detail) == 3
    assert sum(detail["memberships_added"] for detail in results if detail) == 3
    assert len(await members_of(stage, workspace)) == 3


async def test_ten_thousand_rows_are_imported(stage: Stage) -> None:
    workspace = await stage.workspace(slug="acme")
    content = HEADER + "".join(f"person{n}@x.example,Person {n},acme,viewer\n" for n in range(10_000))
    async with stage.panel() as http:
        preview = await send(http, PREVIEW, content)
        assert preview.json()["valid_count"] == 10_000
        answer = await send(http, EXECUTE, content)
    assert answer.json() == {"users_created": 10_000, "memberships_added": 10_000, "errors": []}
    assert await stage.count(Membership, Membership.workspace_id == workspace.id) == 10_000


async def test_an_outage_in_the_middle_imports_nothing(stage: Stage) -> None:
    rows = csv_file.parse((HEADER + "a@x.example,A,acme,viewer\n").encode())
    await stage.workspace(slug="acme")
    async with stage.without_database():
        refused = await at_once([use(stage, csv_import.execute, rows)])
    assert refused == {"database_unavailable": 1}
    assert await stage.count(User) == 0


# ── export ──


def table(answer: httpx.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text, newline="")))


async def test_export_of_users(stage: Stage) -> None:
    ada = await stage.user("=HYPERLINK(1)", email="ada@example.com", is_active=False)
    await stage.workspace(ada)
    async with stage.panel() as http:
        answer = await http.get("/admin/api/export/users")
        me = (await http.get("/auth/admin/me")).json()
        same = await http.get("/admin/export/users")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="users.csv"'
    header, *rows = table(answer)
    assert header == ["id", "email", "name", "is_active", "is_admin", "created_at", "workspace_count"]
    found = {row[1]: row for row in rows}
    stamp = ada.created_at.isoformat().replace("+00:00", "Z")
    assert found["ada@example.com"] == [
        str(ada.id),
        "ada@example.com",
        "'=HYPERLINK(1)",
        "false",
        "false",
        stamp,
        "1",
    ]
    assert found[me["email"]][2:5] == ["Ingrid Admin", "true", "true"]
    assert sorted(table(same)) == sorted([header, *rows])
    told = await stage.activities("export_users")
    assert [(row.target_type, row.actor_id) for row in told] == [("export", UUID(me["id"]))] * 2


async def test_export_of_workspaces(stage: Stage) -> None:
    owner = await stage.user()
    workspace = await stage.workspace(owner, slug="acme", name="+Acme")
    await stage.workspace(slug="empty", name="Empty, with\ncomma")
    async with stage.panel() as http:
        answer = await http.get("/admin/api/export/workspaces")
        page = await http.get("/admin/export/workspaces")
    assert answer.headers["content-disposition"] == 'attachment; filename="workspaces.csv"'
    header, *rows = table(answer)
    assert header == ["id", "slug", "name", "description", "created_by", "created_at", "member_count"]
    found = {row[1]: row for row in rows}
    stamp = workspace.created_at.isoformat().replace("+00:00", "Z")
    assert found["acme"] == [str(workspace.id), "acme", "'+Acme", "", str(owner.id), stamp, "1"]
    assert found["empty"][2] == "Empty, with\ncomma" and found["empty"][6] == "0"
    assert table(page) == [header, *rows]
    assert len(await stage.activities("export_workspaces")) == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
async def test_a_cell_that_a_spreadsheet_would_run_is_quoted(stage: Stage, start: str) -> None:
    await stage.user(f"{start}1+1", email=f"{start.strip() or 'x'}a@example.com")
    async with stage.panel() as http:
        rows = table(await http.get("/admin/api/export/users"))
    assert f"'{start}1+1" in {row[2] for row in rows}
    assert not any(cell.startswith(csv_export.RISKY) for row in rows for cell in row)


async def test_export_has_everybody_once_however_many_pages(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "PAGE", 3)
    people = {str((await stage.user()).id) for _ in range(6)}
    async with stage.panel() as http:
        with stage.statements() as seen:
            _, *rows = table(await http.get("/admin/api/export/users"))
    ids = [row[0] for row in rows]
    assert len(ids) == 7 == len(set(ids)) and people < set(ids)
    # The administrator, the activity, and three pages.
    assert len(seen) == 5


async def test_an_export_that_cannot_be_noted_is_not_sent(stage: Stage) -> None:
    async with stage.panel() as http:
        await stage.forbid_inserts("activity_logs")
        answer = await http.get("/admin/api/export/users")
    assert answer.status_code in (409, 500) and "Ingrid" not in answer.text
