"""The law of all three tiers in plain Python, over a world that is kept beside the database.

Written from ``authorization.md`` §2 to §8 alone: nothing here is imported from the service, so that what the service
answers can be held against it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

ACTIONS = ("view", "edit")
RANK = {"viewer": 0, "editor": 1, "admin": 2, "owner": 3}
PUBLIC = UUID("00000000-0000-0000-0000-000000000001")


@dataclass(eq=False)
class Organization:
    """An organization with its domain rules: domain -> whether subdomains count."""

    id: UUID
    enabled: bool = True
    domains: dict[str, bool] = field(default_factory=dict)


@dataclass(eq=False)
class Workspace:
    id: UUID
    slug: str
    roles: dict["Person", str] = field(default_factory=dict)
    """Who is a member, and as what."""
    allow_list: set[UUID] = field(default_factory=set)


@dataclass(eq=False)
class Person:
    """``organization`` is the stored one; ``epoch`` counts how often he has been revoked."""

    id: UUID
    email: str
    organization: UUID | None = None
    is_active: bool = True
    epoch: int = 0

    @property
    def domain(self) -> str:
        return self.email.partition("@")[2]


@dataclass(eq=False)
class Group:
    id: UUID
    name: str
    workspace: Workspace
    members: set[Person] = field(default_factory=set)


@dataclass(eq=False)
class Role:
    """``actions`` are pairs of scope and name."""

    id: UUID
    name: str
    workspace: Workspace
    actions: set[tuple[str, str]] = field(default_factory=set)
    people: set[Person] = field(default_factory=set)
    groups: set[Group] = field(default_factory=set)


@dataclass(eq=False)
class Thing:
    """A registered resource; ``place`` is where it stands among all: time of registration, then id."""

    id: UUID
    scope: str
    kind: str
    resource_id: UUID
    workspace: Workspace
    owner: Person
    visibility: str
    place: tuple[datetime, UUID]
    people: dict[Person, str] = field(default_factory=dict)
    groups: dict[Group, str] = field(default_factory=dict)

    @property
    def name(self) -> dict[str, str]:
        return {
            "service_name": self.scope,
            "resource_type": self.kind,
            "resource_id": str(self.resource_id),
        }


@dataclass(eq=False)
class App:
    """A service with its key; in the realm it speaks for the realm's scope."""

    id: UUID
    service_name: str
    key: str = field(repr=False)
    in_realm: bool = False


@dataclass(eq=False)
class Family:
    """A session of proxy mode with the refresh token that is good for one more use."""

    person: Person
    workspace: Workspace
    refresh_token: str = field(repr=False)
    spent: list[str] = field(default_factory=list, repr=False)
    alive: bool = True


@dataclass(eq=False)
class Kept:
    """A token that somebody has kept. ``scope`` is what an authz token is bound to, None for an access token."""

    text: str = field(repr=False)
    person: Person
    workspace: Workspace
    epoch: int
    scope: str | None = None
    family: Family | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed, which step of §4 said so, and through which share if one did."""

    allowed: bool
    step: int
    via: tuple[Literal["user", "group"], UUID] | None = None


@dataclass
class World:
    """Everything that the answers depend on."""

    realm: str
    workspaces: list[Workspace] = field(default_factory=list)
    organizations: list[Organization] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    actions: dict[tuple[str, str], UUID] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    public_enabled: bool = True

    # ── tokens ──

    def scope(self, app: App) -> str:
        """§6: a member of the realm speaks for its slug, and for that alone."""
        return self.realm if app.in_realm else app.service_name

    def refusal(self, token: Kept, app: App) -> int | None:
        """The status that a call with this token and this key is refused with, None when both are good."""
        person = token.person
        if not person.is_active or token.epoch < person.epoch:
            return 401
        if token.family is not None and not token.family.alive:
            return 401
        if token.scope not in (None, self.scope(app)) or person not in token.workspace.roles:
            return 403
        return None

    def revoke(self, people: Iterable[Person]) -> None:
        """ "Revoke user": every token and every session, in every workspace."""
        people = set(people)
        for person in people:
            person.epoch += 1
        for family in self.families:
            if family.person in people:
                family.alive = False

    # ── tier 1 ──

    @staticmethod
    def has(person: Person, workspace: Workspace, role: str) -> bool:
        return person in workspace.roles and RANK[workspace.roles[person]] >= RANK[role]

    def owners(self, workspace: Workspace) -> list[Person]:
        return [person for person, role in workspace.roles.items() if role == "owner"]

    # ── tier 2 ──

    def granting(self, person: Person, workspace: Workspace, scope: str) -> Iterator[tuple[str, str]]:
        """Pairs of action and role: everything that he is granted there under the scope."""
        if not person.is_active or person not in workspace.roles:
            return
        for role in self.roles:
            held = person in role.people or any(person in group.members for group in role.groups)
            if role.workspace is workspace and held:
                yield from ((action, role.name) for owner, action in role.actions if owner == scope)

    def granted(self, person: Person, workspace: Workspace, scope: str) -> list[str]:
        return sorted({action for action, _ in self.granting(person, workspace, scope)})

    def granting_roles(self, person: Person, workspace: Workspace, scope: str, wanted: str) -> list[str]:
        return sorted({role for action, role in self.granting(person, workspace, scope) if action == wanted})

    # ── tier 3 ──

    def verdict(self, person: Person, workspace: Workspace, thing: Thing | None, action: str) -> Verdict:
        """The seven steps of §4; the first that matches decides."""
        role = workspace.roles.get(person)
        if role is None or not person.is_active or thing is None or thing.workspace is not workspace:
            return Verdict(False, 1)
        if thing.owner is person:
            return Verdict(True, 2)
        if role in ("admin", "owner"):
            return Verdict(True, 3)
        if thing.visibility == "workspace" and (action == "view" or role == "editor"):
            return Verdict(True, 4)
        if thing.people.get(person) in _enough(action):
            return Verdict(True, 5, ("user", person.id))
        reaching = [
            (level, group.name, group.id)
            for group, level in thing.groups.items()
            if person in group.members and level in _enough(action)
        ]
        if reaching:
            return Verdict(True, 6, ("group", min(reaching)[2]))  # "edit" sorts before "view"
        return Verdict(False, 7)

    def reached(
        self, person: Person, workspace: Workspace, scope: str, kind: str, action: str
    ) -> list[Thing]:
        """What the list of accessible resources holds, the oldest first."""
        found = [
            thing
            for thing in self.things
            if (thing.scope, thing.kind) == (scope, kind)
            and self.verdict(person, workspace, thing, action).allowed
        ]
        return sorted(found, key=lambda thing: thing.place)

    def subjects(self, thing: Thing, action: str) -> list[tuple[UUID, int]]:
        """Who may do it, and by which step, in the order of their ids."""
        verdicts = {person.id: self.verdict(person, thing.workspace, thing, action) for person in self.people}
        return sorted((who, verdict.step) for who, verdict in verdicts.items() if verdict.allowed)

    # ── organizations ──

    def organization_for(self, domain: str) -> UUID | None:
        """§7 rules 3 to 5: whose people have such addresses; None when nobody with one may sign in."""
        if found := self._claiming(domain, enabled=True):
            return found
        if self._claiming(domain, enabled=False) or not self.public_enabled:
            return None
        return PUBLIC

    def effective(self, person: Person) -> UUID | None:
        """Rule 10: the stored organization, else that of the address, disabled or not."""
        if person.organization is not None:
            return person.organization
        return self.organization_for(person.domain) or self._claiming(person.domain, enabled=False)

    def admitted(self, person: Person, workspace: Workspace) -> bool:
        """Rules 7 and 8: the gate before every token and every membership."""
        own = self.effective(person)
        if any(each.id == own and not each.enabled for each in self.organizations):
            return False
        return not workspace.allow_list or own in workspace.allow_list

    def _claiming(self, domain: str, *, enabled: bool) -> UUID | None:
        matching = [
            (len(rule), each.id)
            for each in self.organizations
            if each.enabled is enabled
            for rule, below in each.domains.items()
            if domain == rule or (below and domain.endswith(f".{rule}"))
        ]
        return max(matching)[1] if matching else None

    # ── what goes with what (§8) ──

    def remove_member(self, workspace: Workspace, person: Person) -> None:
        """Everything that was given to him there goes; what he owns stays his."""
        del workspace.roles[person]
        for group in self.groups:
            if group.workspace is workspace:
                group.members.discard(person)
        for role in self.roles:
            if role.workspace is workspace:
                role.people.discard(person)
        for thing in self.things:
            if thing.workspace is workspace:
                thing.people.pop(person, None)
        self.revoke([person])

    def delete_group(self, group: Group) -> None:
        self.revoke(group.members)
        self.groups.remove(group)
        for role in self.roles:
            role.groups.discard(group)
        for thing in self.things:
            thing.groups.pop(group, None)

    def delete_action(self, action: tuple[str, str]) -> None:
        del self.actions[action]
        for role in self.roles:
            role.actions.discard(action)

    def describe(self) -> dict[str, Any]:
        """A short picture for the report of a failure."""
        number = {person: f"p{index}" for index, person in enumerate(self.people)}
        return {
            "members": [{number[p]: role for p, role in w.roles.items()} for w in self.workspaces],
            "inactive": [number[person] for person in self.people if not person.is_active],
            "groups": {group.name: sorted(number[p] for p in group.members) for group in self.groups},
            "roles": {
                role.name: (role.actions, [number[p] for p in role.people], [g.name for g in role.groups])
                for role in self.roles
            },
            "things": [
                (
                    *(thing.scope, self.workspaces.index(thing.workspace), number.get(thing.owner)),
                    thing.visibility,
                    {number[p]: level for p, level in thing.people.items()},
                    {group.name: level for group, level in thing.groups.items()},
                )
                for thing in self.things
            ],
        }


def _enough(action: str) -> tuple[str, ...]:
    """The levels of a share that are enough for an action: ``edit`` implies ``view``."""
    return ("edit",) if action == "edit" else ("view", "edit")
