"""A world of any size, made from a seed: the same seed and sizes give the same rows on every machine.

Resources and shares are never held in memory. Everything about number ``n`` of a kind is drawn from a hash of the
seed, the kind and ``n``, so any of them can be drawn again later: that is how answers are compared with the law.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sentinel.apps.keys import PREFIX, hash_key
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID
from sentinel.permissions.decide import Asker, Level, Record, Visibility

PROVIDER = "corp"
"""The identity provider that everybody's account is linked with."""
SHOWROOM_TYPE = "report"
"""The kind of resource of which one person sees exactly :attr:`World.showroom`."""
SERVICES = (("notes", None), ("drive", None), ("pages", "suite"), ("boards", "suite"))
"""Service apps and their realms; the effective scope is the realm where there is one."""
SCOPES = ("notes", "drive", "suite")
TYPES = {"notes": "document", "drive": "file", "suite": "page"}
VERBS = ("create", "read", "update", "publish", "export", "archive", "restore", "approve", "invite", "audit")
NOUNS = ("documents", "templates", "reports", "comments")
FIRST_NAMES = (
    "Ada Amara Anouk Bao Björn Carmen Chidi Clara Dmitri Elif Emeka Farah Félix Greta Hana Ines Ivo Jamal Jonas "
    "Kaito Leila Lena Mateo Mina Nadia Noah Oksana Omar Paula Priya Quentin Rosa Sami Selma Tariq Thea Uma Vera Wanda "
    "Yusuf Zoë"
).split()
LAST_NAMES = (
    "Abebe Almeida Andersson Baker Bauer Cohen Costa Demir Dubois Eriksen Farkas Fischer García Haddad Hansen Ibrahim "
    "Ivanova Jansen Kaya Kim Kowalski Larsen Lee Lopez Mancini Mensah Meyer Moreau Nakamura Novak O'Brien Okafor Park "
    "Patel Popescu Quispe Rossi Sato Schmidt Silva Singh Tanaka Tran Usman Varga Weber Yilmaz Zhang"
).split()
TRADES = (
    "Analytics Bakery Clinic Design Energy Films Garden Harbour Insurance Labs Logistics Museum Press School"
).split()


@dataclass(frozen=True)
class Size:
    """How much of everything. What is left at 0 follows from the number of people or resources."""

    people: int = 10_000
    resources: int = 1_000_000
    workspaces: int = 0
    groups: int = 0
    roles: int = 0
    shares: float = 1.5
    """Shares of a resource, on average."""
    activity: int = 0
    seed: int = 1

    def filled(self) -> "Size":
        """The same with every number decided."""
        workspaces = min(self.workspaces or max(2, self.people // 50), self.people)
        return replace(
            self,
            workspaces=workspaces,
            groups=self.groups or max(workspaces, self.people // 8),
            roles=self.roles or workspaces * 3,
            activity=self.activity or self.people * 3,
        )


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """Resource number ``n`` as it is registered."""

    number: int
    workspace: int
    scope: str
    kind: str
    owner: int | None
    visibility: Visibility
    shares: tuple[tuple[str, int, Level], ...]
    """``user`` or ``group``, its number, the level."""


@dataclass
class World:
    """Everything about the world of a :class:`Size`. ``until`` is the moment at which its history ends."""

    size: Size
    until: datetime = field(
        default_factory=lambda: datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    )

    def __post_init__(self) -> None:
        self.size = self.size.filled()
        size = self.size
        self.showroom = min(5_000, size.resources // 2)
        """The first resources: all of workspace 0, all visible to :meth:`visitor`, and the only ones of their kind."""
        self.crowd = min(10_000, (size.resources - self.showroom) // 2)
        """The resources behind them: of workspace 0 too, each shared with :meth:`collector`."""
        self._keys: dict[str, bytes] = {}
        self._kept: dict[str, list[bytes]] = {}
        for kind, count in (("user", size.people), ("workspace", size.workspaces), ("group", size.groups)):
            self._kept[kind] = [self.ident(f"{kind} id", number) for number in range(count)]
        self._build_members()
        self._build_groups()
        self._build_roles()

    # ── chance ──

    def draw(self, kind: str, number: int) -> bytes:
        """32 bytes that belong to number ``number`` of a kind."""
        key = self._keys.get(kind)
        if key is None:
            key = self._keys[kind] = hashlib.sha256(f"{self.size.seed} {kind}".encode()).digest()
        return hashlib.blake2b(number.to_bytes(8, "big"), digest_size=32, key=key).digest()

    def ident(self, kind: str, number: int) -> bytes:
        """The 16 bytes of an id. Those of people and places are kept, as they stand in so many rows."""
        kept = self._kept.get(kind)
        if kept is not None:
            return kept[number]
        return self.draw(kind, number)[:16]

    def uuid(self, kind: str, number: int) -> UUID:
        """The same as a UUID."""
        return UUID(bytes=self.ident(kind, number))

    def moment(self, kind: str, number: int, of: int) -> datetime:
        """When number ``number`` of ``of`` came into being: they come one after the other, over two years."""
        share = (number + 1) / (of + 1)
        return self.until - timedelta(days=730) * (1 - share)

    # ── people ──

    def skewed(self, dice: int, of: int) -> int:
        # Some workspaces are large and most are small: the square of an even number between 0 and 1.
        even = dice / 2**32
        return int(even * even * of)

    def home(self, person: int) -> int:
        """The workspace that a person came for. The first people own one workspace each."""
        if person < self.size.workspaces:
            return person
        return self.skewed(_number(self.draw("home", person), 0), self.size.workspaces)

    def _build_members(self) -> None:
        size = self.size
        self.members: list[list[int]] = [[] for _ in range(size.workspaces)]
        self.roles_of_members: list[dict[int, str]] = [{} for _ in range(size.workspaces)]
        self.workspaces_of: list[list[int]] = []
        for person in range(size.people):
            dice = self.draw("member", person)
            home = self.home(person)
            places = [home]
            # One in five is a guest elsewhere, too.
            if dice[0] < 51 and (guest := self.skewed(_number(dice, 4), size.workspaces)) != home:
                places.append(guest)
            for place, luck in zip(places, dice[1:3], strict=False):
                role = "admin" if luck < 8 else "editor" if luck < 103 else "viewer"
                if place == person and place == home:
                    role = "owner"
                self.members[place].append(person)
                self.roles_of_members[place][person] = role
            self.workspaces_of.append(places)

    def visitor(self) -> int:
        """A viewer of workspace 0, who sees the whole showroom because it is open to the workspace."""
        return self._viewers[0]

    def collector(self) -> int:
        """A viewer of workspace 0, to whom every resource of the crowd is shared."""
        return self._viewers[1 % len(self._viewers)]

    def bystander(self) -> int:
        """A viewer of workspace 0 with no more shares than anybody."""
        return self._viewers[2 % len(self._viewers)]

    @cached_property
    def _viewers(self) -> list[int]:
        return [person for person in self.members[0] if self.roles_of_members[0][person] == "viewer"]

    def name(self, person: int) -> str:
        dice = self.draw("name", person)
        first = FIRST_NAMES[_number(dice, 0) % len(FIRST_NAMES)]
        return f"{first} {LAST_NAMES[_number(dice, 4) % len(LAST_NAMES)]}"

    def email(self, person: int) -> str:
        """Everybody's address is his own, with the domain of his organization."""
        plain = (
            self.name(person).lower().translate(str.maketrans("áéíóöëèü '", "aeiooeeu..")).replace("..", ".")
        )
        organization = self.organization(person)
        domain = f"org{organization}.example" if organization is not None else "mail.example"
        return f"{plain}.{person}@{domain}"

    @property
    def organizations(self) -> int:
        return max(3, self.size.people // 500)

    def is_enabled(self, organization: int) -> bool:
        """Whether people of an organization may sign in; one in forty is switched off."""
        return organization % 40 != 39

    def organization(self, person: int) -> int | None:
        """Seven in ten belong to an organization of their own; the others to the public one."""
        dice = self.draw("organization of", person)
        return _number(dice, 4) % self.organizations if dice[0] < 180 else None

    def is_active(self, person: int) -> bool:
        """One in a hundred has been deactivated, but nobody who owns a workspace."""
        return person < self.size.workspaces or self.draw("active", person)[0] >= 3

    def may_sign_in(self, person: int) -> bool:
        """Whether a session of this person can be renewed."""
        organization = self.organization(person)
        return self.is_active(person) and (organization is None or self.is_enabled(organization))

    def asker(self, person: int, workspace: int) -> Asker:
        """Somebody as the law sees him."""
        return Asker(
            self.uuid("user", person),
            self.uuid("workspace", workspace),
            self.roles_of_members[workspace].get(person),
            self.is_active(person),
        )

    # ── groups and roles ──

    def _some(self, dice: int, members: Sequence[int], count: int) -> list[int]:
        """``count`` members, or as many as there are, neighbours in the list."""
        count = min(count, len(members))
        start = dice % len(members)
        return [members[(start + step) % len(members)] for step in range(count)]

    def _build_groups(self) -> None:
        self.group_workspace: list[int] = []
        self.group_people: list[list[int]] = []
        self.groups_of_person: dict[int, list[int]] = {}
        self.groups_of_workspace: list[list[int]] = [[] for _ in range(self.size.workspaces)]
        for group in range(self.size.groups):
            dice = self.draw("group", group)
            workspace = self.home(_number(dice, 0) % self.size.people)
            people = self._some(_number(dice, 4), self.members[workspace], 2 + dice[8] % 20)
            self.group_workspace.append(workspace)
            self.group_people.append(people)
            self.groups_of_workspace[workspace].append(group)
            for person in people:
                self.groups_of_person.setdefault(person, []).append(group)

    def _build_roles(self) -> None:
        self.actions = [f"{noun}.{verb}" for noun in NOUNS for verb in VERBS]
        self.role_workspace: list[int] = []
        self.role_actions: list[tuple[str, list[int]]] = []
        """The scope and the numbers of its actions."""
        self.role_people: list[list[int]] = []
        self.role_groups: list[list[int]] = []
        self.roles_of_workspace: list[list[int]] = [[] for _ in range(self.size.workspaces)]
        for role in range(self.size.roles):
            dice = self.draw("role", role)
            workspaces = self.size.workspaces
            workspace = role if role < workspaces else self.home(_number(dice, 0) % self.size.people)
            scope = SCOPES[dice[4] % len(SCOPES)]
            first = dice[5] % len(self.actions)
            actions = sorted({(first + step * 3) % len(self.actions) for step in range(3 + dice[6] % 8)})
            groups = self.groups_of_workspace[workspace]
            self.role_workspace.append(workspace)
            self.role_actions.append((scope, actions))
            self.role_people.append(self._some(_number(dice, 8), self.members[workspace], 1 + dice[12] % 12))
            self.role_groups.append(
                self._some(_number(dice, 16), groups, dice[13] % 3) if groups and dice[13] % 3 else []
            )
            self.roles_of_workspace[workspace].append(role)

    def granted(self, person: int, workspace: int, scope: str) -> dict[str, list[str]]:
        """Action -> sorted names of the roles that grant it, under one scope (``authorization.md`` §3)."""
        mine = set(self.groups_of_person.get(person, ()))
        found: dict[str, set[str]] = {}
        for role in self.roles_of_workspace[workspace]:
            of_scope, actions = self.role_actions[role]
            if of_scope == scope and (person in self.role_people[role] or mine & set(self.role_groups[role])):
                for action in actions:
                    found.setdefault(self.actions[action], set()).add(self.role_name(role))
        return {action: sorted(names) for action, names in found.items()}

    def role_name(self, role: int) -> str:
        return f"{VERBS[role % len(VERBS)].capitalize()}r {role}"

    # ── resources ──

    def resource(self, number: int) -> ResourceFacts:
        """Resource ``number``, drawn again."""
        return self._resource(number, self.draw("resource", number))

    def _resource(self, number: int, dice: bytes) -> ResourceFacts:
        if number < self.showroom + self.crowd:
            workspace, scope = 0, "notes"
        else:
            workspace = self.skewed(_number(dice, 0), self.size.workspaces)
            scope = "notes" if dice[4] < 150 else "drive" if dice[4] < 230 else "suite"
        members = self.members[workspace]
        owner = members[_number(dice, 5) % len(members)] if dice[9] >= 3 else None
        visibility = Visibility.WORKSPACE if dice[10] < 90 else Visibility.PRIVATE
        if number < self.showroom:
            return ResourceFacts(number, 0, scope, SHOWROOM_TYPE, owner, Visibility.WORKSPACE, ())
        shares = self._shares(number, workspace, dice[11:])
        if number < self.showroom + self.crowd:
            shares = (("user", self.collector(), Level.VIEW),)
            # The collector himself is no owner here: what he reaches he reaches by his shares.
            owner, visibility = members[0], Visibility.PRIVATE
        return ResourceFacts(number, workspace, scope, TYPES[scope], owner, visibility, shares)

    def _shares(self, number: int, workspace: int, dice: bytes) -> tuple[tuple[str, int, Level], ...]:
        mean = self.size.shares
        # Even between 0 and twice the mean.
        count = int((dice[0] / 256) * (2 * mean + 1)) if mean else 0
        found: dict[tuple[str, int], Level] = {}
        groups, members = self.groups_of_workspace[workspace], self.members[workspace]
        for position in range(count):
            if position % 5 == 4:
                dice = self.draw("more shares", number * 4096 + position) + dice[:4]
            at = 1 + position % 5 * 4
            level = Level.EDIT if dice[at] < 77 else Level.VIEW
            which = _number(dice, at)
            if dice[at + 1] < 77 and groups:
                found.setdefault(("group", groups[which % len(groups)]), level)
            else:
                found.setdefault(("user", members[which % len(members)]), level)
        return tuple((kind, grantee, level) for (kind, grantee), level in found.items())

    def record(self, person: int, number: int) -> Record:
        """What the law asks about a resource, for one person. Unknown resources have no record."""
        facts = self.resource(number)
        mine = set(self.groups_of_person.get(person, ()))
        direct = [level for kind, who, level in facts.shares if kind == "user" and who == person]
        grouped = [level for kind, who, level in facts.shares if kind == "group" and who in mine]
        return Record(
            workspace_id=self.uuid("workspace", facts.workspace),
            owner_id=None if facts.owner is None else self.uuid("user", facts.owner),
            visibility=facts.visibility,
            direct_share=_best(direct),
            group_share=_best(grouped),
        )

    def places(self) -> dict[int, list[int]]:
        """The resources of every workspace outside the showroom, in the order of their creation."""
        found: dict[int, list[int]] = {0: list(range(self.showroom, self.showroom + self.crowd))}
        for number in range(self.showroom + self.crowd, self.size.resources):
            workspace = self.skewed(_number(self.draw("resource", number), 0), self.size.workspaces)
            found.setdefault(workspace, []).append(number)
        return found

    # ── credentials ──

    def service_key(self, service_name: str) -> str:
        """The key of a service app."""
        secret = hashlib.sha256(f"{self.size.seed} service key {service_name}".encode()).digest()
        return PREFIX + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()

    def login_subject(self, person: int) -> str:
        """How the identity provider calls a person."""
        return f"corp|{person:08d}"

    # ── rows ──

    def tables(self) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]]:
        """Name, columns and rows of every table, in an order in which nothing refers to what comes later. An id is
        16 bytes.
        """
        for name, (columns, rows) in TABLES.items():
            yield name, tuple(columns.split()), rows(self)


def _number(dice: bytes, at: int) -> int:
    return int.from_bytes(dice[at : at + 4], "big")


def _best(levels: Sequence[Level]) -> Level | None:
    return None if not levels else Level.EDIT if Level.EDIT in levels else Level.VIEW


# ── the rows of each table ────────────────────────────────────────────────────────────────────────────────────────

Rows = Iterator[tuple[Any, ...]]


def _organizations(world: World) -> Rows:
    for number in range(world.organizations):
        trade = TRADES[number % len(TRADES)]
        name = f"{LAST_NAMES[world.draw('trade', number)[0] % len(LAST_NAMES)]} {trade}"
        created = world.moment("organization", number, world.organizations)
        yield (
            world.ident("organization", number),
            f"org-{number}",
            name,
            False,
            world.is_enabled(number),
            created,
        )


def _domains(world: World) -> Rows:
    for number in range(world.organizations):
        yield (
            world.ident("domain", number),
            world.ident("organization", number),
            f"org{number}.example",
            number % 3 == 0,
        )


def _users(world: World) -> Rows:
    people = world.size.people
    for person in range(people):
        organization = world.organization(person)
        created = world.moment("user", person, people)
        yield (
            world.ident("user", person),
            world.email(person),
            world.name(person),
            world.is_active(person),
            person == 0,
            PUBLIC_ORGANIZATION_ID.bytes
            if organization is None
            else world.ident("organization", organization),
            0,
            created,
            created,
        )


def _accounts(world: World) -> Rows:
    for person in range(world.size.people):
        yield (
            world.ident("account", person),
            world.ident("user", person),
            PROVIDER,
            world.login_subject(person),
            None,
        )


def _workspaces(world: World) -> Rows:
    for number in range(world.size.workspaces):
        created = world.moment("workspace", number, world.size.workspaces)
        family = LAST_NAMES[world.draw("family", number)[0] % len(LAST_NAMES)]
        name = f"{family} {TRADES[number % len(TRADES)]}"
        yield (
            world.ident("workspace", number),
            f"workspace-{number}",
            name,
            f"What {name} works on together",
            world.ident("user", number),
            created,
        )


def _memberships(world: World) -> Rows:
    seat = 0
    for workspace, roles in enumerate(world.roles_of_members):
        for person, role in roles.items():
            joined = world.moment("user", person, world.size.people)
            yield (
                world.ident("membership", seat),
                world.ident("workspace", workspace),
                world.ident("user", person),
                role,
                joined,
            )
            seat += 1


def _groups(world: World) -> Rows:
    for group, workspace in enumerate(world.group_workspace):
        yield (
            world.ident("group", group),
            world.ident("workspace", workspace),
            f"{TRADES[group % len(TRADES)]} team {group}",
            None,
            world.ident("user", workspace),
            world.moment("group", group, world.size.groups),
        )


def _group_memberships(world: World) -> Rows:
    seat = 0
    for group, people in enumerate(world.group_people):
        added = world.moment("group", group, world.size.groups)
        for person in people:
            yield world.ident("seat", seat), world.ident("group", group), world.ident("user", person), added
            seat += 1


def _actions(world: World) -> Rows:
    for place, scope in enumerate(SCOPES):
        for number, action in enumerate(world.actions):
            at = place * len(world.actions) + number
            yield world.ident("action", at), scope, action, f"May {action.replace('.', ' ')}"


def _roles(world: World) -> Rows:
    for role, workspace in enumerate(world.role_workspace):
        yield (
            world.ident("role", role),
            world.ident("workspace", workspace),
            world.role_name(role),
            None,
            world.ident("user", workspace),
            world.moment("role", role, world.size.roles),
        )


def _role_actions(world: World) -> Rows:
    number = 0
    for role, (scope, actions) in enumerate(world.role_actions):
        for action in actions:
            at = SCOPES.index(scope) * len(world.actions) + action
            yield world.ident("role action", number), world.ident("role", role), world.ident("action", at)
            number += 1


def _user_roles(world: World) -> Rows:
    number = 0
    for role, people in enumerate(world.role_people):
        assigned = world.moment("role", role, world.size.roles)
        for person in people:
            yield (
                world.ident("user role", number),
                world.ident("user", person),
                world.ident("role", role),
                world.ident("user", world.role_workspace[role]),
                assigned,
            )
            number += 1


def _group_roles(world: World) -> Rows:
    number = 0
    for role, groups in enumerate(world.role_groups):
        assigned = world.moment("role", role, world.size.roles)
        for group in groups:
            yield (
                world.ident("group role", number),
                world.ident("group", group),
                world.ident("role", role),
                world.ident("user", world.role_workspace[role]),
                assigned,
            )
            number += 1


def _realms(world: World) -> Rows:
    created = world.until - timedelta(days=700)
    yield world.ident("realm", 0), "suite", "The suite", 300, True, created, created


def _service_apps(world: World) -> Rows:
    created = world.until - timedelta(days=700)
    for number, (name, realm) in enumerate(SERVICES):
        key = world.service_key(name)
        yield (
            world.ident("service app", number),
            name.capitalize(),
            name,
            hash_key(key),
            f"{key[: len(PREFIX) + 4]}****",
            True,
            [f"https://{name}.example"],
            [],
            None if realm is None else world.ident("realm", 0),
            created,
            created,
        )


def _login_apps(world: World) -> Rows:
    created = world.until - timedelta(days=700)
    for number, name in enumerate(("Notes", "Drive", "Suite")):
        callback = f"https://{name.lower()}.example/callback"
        yield world.ident("login app", number), name, [callback], True, created, created


SPREAD = 140
"""Hours over which sessions have begun: on the day after its history, no token of the world has expired."""


def sessions(world: World) -> int:
    """How many people are signed in."""
    return world.size.people // 3


def _families(world: World) -> Rows:
    for number in range(sessions(world)):
        yield (
            world.ident("family", number),
            world.ident("user", number),
            world.ident("workspace", world.home(number)),
            world.ident("login app", number % 3),
            world.until - timedelta(hours=number % SPREAD),
            f"192.0.2.{number % 250}",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
        )


def _refresh_tokens(world: World) -> Rows:
    for number in range(sessions(world)):
        issued = world.until - timedelta(hours=number % SPREAD)
        yield (
            world.ident("refresh", number),
            world.ident("family", number),
            world.ident("access", number),
            issued + timedelta(minutes=15),
            issued,
            issued + timedelta(days=7),
        )


def _revoked(world: World) -> Rows:
    for number in range(sessions(world) // 10):
        yield world.ident("revoked", number), world.until + timedelta(minutes=15 + number % 700)


def _activity(world: World) -> Rows:
    size = world.size
    for number in range(size.activity):
        dice = world.draw("activity", number)
        workspace = world.skewed(_number(dice, 0), size.workspaces)
        members = world.members[workspace]
        actor, other = members[_number(dice, 4) % len(members)], members[_number(dice, 8) % len(members)]
        action, target, detail = _happening(world, dice, workspace, actor, other)
        in_workspace = (
            None if target[0] == "user" and action == "user_updated" else world.ident("workspace", workspace)
        )
        yield (
            world.ident("event", number),
            action,
            world.ident("user", actor),
            *target,
            in_workspace,
            detail,
            world.moment("activity", number, size.activity),
        )


def _happening(
    world: World, dice: bytes, workspace: int, actor: int, other: int
) -> tuple[str, tuple[str, bytes], dict[str, Any]]:
    luck = dice[12]
    if luck < 140:
        return "user_login", ("user", world.ident("user", actor)), {"provider": PROVIDER}
    if luck < 180:
        return "user_logout", ("user", world.ident("user", actor)), {}
    if luck < 200:
        role = ("viewer", "editor", "admin")[dice[13] % 3]
        return "member_role_changed", ("user", world.ident("user", other)), {"role": role}
    if luck < 220:
        return "member_invited", ("user", world.ident("user", other)), {"role": "viewer"}
    if luck < 240:
        groups = world.groups_of_workspace[workspace]
        if groups:
            group = groups[_number(dice, 14) % len(groups)]
            return (
                "group_member_added",
                ("group", world.ident("group", group)),
                {"user_id": str(world.uuid("user", other))},
            )
    return "user_updated", ("user", world.ident("user", actor)), {"fields": ["name"]}


def _usage(world: World) -> Rows:
    today = world.until.date()
    for number in range(world.size.people // 5):
        dice = world.draw("usage", number)
        person = _number(dice, 0) % world.size.people
        scope = SCOPES[dice[4] % 3]
        day: date = today - timedelta(days=number % 30)
        # The day and the number make it unique: one person is drawn more than once.
        action = world.actions[number // 30 % len(world.actions)]
        yield (
            day,
            world.ident("workspace", world.home(person)),
            world.ident("user", person),
            scope,
            action,
            1 + dice[5],
        )


def _resources(world: World) -> Rows:
    total = world.size.resources
    for number in range(total):
        facts = world.resource(number)
        yield (
            world.ident("record", number),
            facts.scope,
            facts.kind,
            world.ident("thing", number),
            world.ident("workspace", facts.workspace),
            None if facts.owner is None else world.ident("user", facts.owner),
            facts.visibility.value,
            world.moment("resource", number, total),
        )


def _shares(world: World) -> Rows:
    total, number = world.size.resources, 0
    for resource in range(world.showroom, total):
        facts = world.resource(resource)
        if not facts.shares:
            continue
        record, granted = world.ident("record", resource), world.moment("resource", resource, total)
        by = None if facts.owner is None else world.ident("user", facts.owner)
        for kind, grantee, level in facts.shares:
            yield (
                world.ident("share", number),
                record,
                kind,
                world.ident(kind, grantee),
                level.value,
                by,
                granted,
            )
            number += 1


TABLES = {
    "organizations": ("id slug name is_public enabled created_at", _organizations),
    "organization_domains": ("id organization_id domain include_subdomains", _domains),
    "users": (
        "id email name is_active is_admin organization_id token_epoch created_at updated_at",
        _users,
    ),
    "social_accounts": ("id user_id provider provider_user_id provider_data", _accounts),
    "workspaces": ("id slug name description created_by created_at", _workspaces),
    "workspace_memberships": ("id workspace_id user_id role joined_at", _memberships),
    "groups": ("id workspace_id name description created_by created_at", _groups),
    "group_memberships": ("id group_id user_id added_at", _group_memberships),
    "service_actions": ("id service_name action description", _actions),
    "roles": ("id workspace_id name description created_by created_at", _roles),
    "role_actions": ("id role_id service_action_id", _role_actions),
    "user_roles": ("id user_id role_id assigned_by assigned_at", _user_roles),
    "group_roles": ("id group_id role_id assigned_by assigned_at", _group_roles),
    "realms": ("id slug name m2m_ttl_s is_active created_at updated_at", _realms),
    "service_apps": (
        "id name service_name key_hash key_prefix is_active allowed_origins allowed_idp_audiences realm_id created_at "
        "updated_at",
        _service_apps,
    ),
    "client_apps": ("id name redirect_uris is_active created_at updated_at", _login_apps),
    "refresh_families": (
        "id user_id workspace_id client_app_id created_at last_ip last_user_agent",
        _families,
    ),
    "refresh_tokens": ("jti family_id access_jti access_expires_at issued_at expires_at", _refresh_tokens),
    "revoked_tokens": ("jti expires_at", _revoked),
    "activity_logs": ("id action actor_id target_type target_id workspace_id detail created_at", _activity),
    "action_usage": ("day workspace_id user_id service_name action count", _usage),
    "resource_permissions": (
        "id service_name resource_type resource_id workspace_id owner_id visibility created_at",
        _resources,
    ),
    "resource_shares": (
        "id resource_permission_id grantee_type grantee_id permission granted_by granted_at",
        _shares,
    ),
}
