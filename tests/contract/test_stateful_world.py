"""A world that changes in any order, step by step, and the law beside it: after every step each way of asking gives
the answer that ``world_law.py`` gives, refusals included, and what was taken from somebody stays taken.

``STATEFUL_EXAMPLES=200 pytest tests/contract/test_stateful_world.py`` walks longer, and makes what fails smaller.
"""

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from sentinel.identity import organization_admin, users
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from sentinel.permissions import oversight
from sentinel.roles import actions, bindings
from sentinel.roles import roles as role_cases
from sentinel.workspaces import allow_list
from tests.contract.world_law import Family, Group, Kept, Person, Role, Thing, Workspace
from tests.contract.world_machine import (
    MOST,
    WorldMachine,
    claims_of,
    levels,
    numbers,
    one,
    open_ground,
    roles,
    step,
)
from tests.contract.world_watch import KINDS, NAMES, moment
from tests.stage import Keys, Pkce, bearer

LONG = os.environ.get("STATEFUL_EXAMPLES")


class WholeWorld(WorldMachine):
    """Every rule sends a request, or does what an administrator does, and changes the law's world likewise; where the
    law forbids it, the refusal is what has to come.
    """

    # ── people ──

    @step(when=lambda self: len(self.world.people) < MOST["people"], number=numbers, by_sign_in=st.booleans())
    async def person_comes(self, number: int, by_sign_in: bool) -> None:
        world = self.world
        person = Person(uuid4(), f"n{len(world.people)}-{self.tag}-{number}@{one(self.domains, number)}")
        if any(each.email == person.email for each in world.people):
            return
        if not by_sign_in:
            await self.stage.add(User(id=person.id, email=person.email, name="Ada Example"))
            world.people.append(person)
            return
        admitted = self.signs_in(person)
        app = one(world.apps, number)
        answer = await self.call(
            *("POST", "/authz/resolve", 200 if admitted else 403),
            self.resolve_body(person),
            key={"X-Service-Key": app.key},
        )
        if admitted:
            assert answer["workspaces"] == []
            person.id = UUID(answer["user"]["id"])
            world.people.append(person)

    @step(number=numbers, back=st.booleans())
    async def switch_person(self, number: int, back: bool) -> None:
        """Deactivate or activate; ``back`` in the same breath, which brings back nothing that was revoked."""
        person = one(self.world.people, number)
        for _ in range(2 if back else 1):
            active = not person.is_active
            await self.panel(users.set_active, person.id, active, expected=None)
            if not active:
                self.world.revoke([person])
            person.is_active = active
        self.touched = person, None

    # ── members ──

    @step(who=numbers, where=numbers, number=numbers, role=roles)
    async def add_member(self, who: int, where: int, number: int, role: str) -> None:
        await self._add(one(self.world.people, who), one(self.world.workspaces, where), number, role)

    @step(when=lambda self: self.removed, which=numbers, role=st.sampled_from(("viewer", "editor")))
    async def add_again(self, which: int, role: str) -> None:
        person, workspace = one(self.removed, which)
        await self._add_again(person, workspace, role)

    @step(who=numbers, where=numbers, role=st.sampled_from(("viewer", "editor")))
    async def remove_and_add_again(self, who: int, where: int, role: str) -> None:
        workspace = one(self.world.workspaces, where)
        person = one([*workspace.roles], who)
        await self._remove(person, workspace, 1)
        if person not in workspace.roles:
            await self._add_again(person, workspace, role)

    async def _add_again(self, person: Person, workspace: Workspace, role: str) -> None:
        """Re-adding somebody gives him what anybody with his role has, and nothing of what he had."""
        await self._add(person, workspace, 1, role)
        if person not in workspace.roles or not person.is_active:
            return
        before = [kept for kept in self.world.kept if kept.person is person and kept.workspace is workspace]
        for app in self.world.apps:
            fresh = {"X-Service-Key": app.key} | self.as_person(person, workspace)
            where = {"service_name": self.world.scope(app), "workspace_id": str(workspace.id)}
            for kind in KINDS:
                asked = where | {"resource_type": kind, "action": "view"}
                seen = await self.call("POST", "/permissions/accessible", 200, asked, fresh=fresh)
                for thing in self.world.things:
                    if str(thing.resource_id) in seen["resource_ids"]:
                        assert thing.owner is person or thing.visibility == "workspace"
            performed = await self.stage.client.get("/roles/user-actions", params=where, headers=fresh)
            assert performed.json() == {"actions": []}
            for kept in before:
                old = {"X-Service-Key": app.key} | bearer(kept.text)
                await self.call("POST", "/permissions/check", 401, {"checks": []}, old=old)

    async def _add(self, person: Person, workspace: Workspace, number: int, role: str) -> None:
        actor = self.actor(workspace, number)
        expected = self.refusal(actor, workspace, "admin")
        grants_too_much = role == "owner" and not self.world.has(actor, workspace, "owner")
        if expected is None and (
            grants_too_much or person in workspace.roles or not self.world.admitted(person, workspace)
        ):
            expected = 400
        await self.call(
            *("POST", f"/workspaces/{workspace.id}/members/invite", expected or 201),
            {"email": person.email, "role": role},
            token=self.as_person(actor, workspace),
        )
        if expected is None:
            workspace.roles[person] = role
            self.removed = [pair for pair in self.removed if pair != (person, workspace)]
        self.touched = person, workspace

    @step(who=numbers, where=numbers, number=numbers, role=roles)
    async def change_role(self, who: int, where: int, number: int, role: str) -> None:
        workspace = one(self.world.workspaces, where)
        person, actor = one(self.world.people, who), self.actor(workspace, number)
        expected = self.refusal(actor, workspace, "admin")
        current = workspace.roles.get(person)
        if expected is None and current is None:
            expected = 404
        elif expected is None and role != current and "owner" in (role, current):
            loses_last = current == "owner" and len(self.world.owners(workspace)) == 1
            if loses_last or not self.world.has(actor, workspace, "owner"):
                expected = 403
        await self.call(
            *("PATCH", f"/workspaces/{workspace.id}/members/{person.id}", expected or 200),
            {"role": role},
            token=self.as_person(actor, workspace),
        )
        if expected is None and current != role:
            workspace.roles[person] = role
            self.world.revoke([person])
        self.touched = person, workspace

    @step(who=numbers, where=numbers, number=numbers)
    async def remove_member(self, who: int, where: int, number: int) -> None:
        await self._remove(one(self.world.people, who), one(self.world.workspaces, where), number)

    async def _remove(self, person: Person, workspace: Workspace, number: int) -> None:
        actor = self.actor(workspace, number)
        expected = self.refusal(actor, workspace, None if actor is person else "admin")
        current = workspace.roles.get(person)
        if expected is None and current is None:
            expected = 404
        elif expected is None and current == "owner":
            last = len(self.world.owners(workspace)) == 1
            if last or not self.world.has(actor, workspace, "owner"):
                expected = 403
        await self.call(
            *("DELETE", f"/workspaces/{workspace.id}/members/{person.id}", expected or 204),
            token=self.as_person(actor, workspace),
        )
        if expected is None:
            self.world.remove_member(workspace, person)
            self.removed.append((person, workspace))
        self.touched = person, workspace

    # ── groups ──

    @step(when=lambda self: len(self.world.groups) < MOST["groups"], where=numbers, number=numbers)
    async def create_group(self, where: int, number: int) -> None:
        workspace = one(self.world.workspaces, where)
        actor, name = self.actor(workspace, number), f"g{number}-{uuid4().hex[:8]}"
        expected = self.refusal(actor, workspace, "admin")
        answer = await self.call(
            *("POST", f"/workspaces/{workspace.id}/groups", expected or 201),
            {"name": name},
            token=self.as_person(actor, workspace),
        )
        if expected is None:
            self.world.groups.append(Group(UUID(answer["id"]), name, workspace))

    @step(when=lambda self: self.world.groups, which=numbers, number=numbers)
    async def delete_group(self, which: int, number: int) -> None:
        group: Group = one(self.world.groups, which)
        actor = self.actor(group.workspace, number)
        expected = self.refusal(actor, group.workspace, "admin")
        self.touched = next(iter(self._in_order(group.members)), None), group.workspace
        await self.call(
            *("DELETE", f"/workspaces/{group.workspace.id}/groups/{group.id}", expected or 204),
            token=self.as_person(actor, group.workspace),
        )
        if expected is None:
            self.world.delete_group(group)

    @step(
        when=lambda self: self.world.groups, which=numbers, who=numbers, number=numbers, enter=st.booleans()
    )
    async def enter_or_leave_group(self, which: int, who: int, number: int, enter: bool) -> None:
        group: Group = one(self.world.groups, which)
        inside = self._in_order(group.members)
        person = one(inside if inside and not enter else self.world.people, who)
        actor = self.actor(group.workspace, number)
        expected = self.refusal(actor, group.workspace, "admin")
        if expected is None and enter and (person in group.members or person not in group.workspace.roles):
            expected = 400
        if expected is None and not enter and person not in group.members:
            expected = 404
        method, success = ("POST", 201) if enter else ("DELETE", 204)
        path = f"/workspaces/{group.workspace.id}/groups/{group.id}/members/{person.id}"
        token = self.as_person(actor, group.workspace)
        await self.call(method, path, expected or success, token=token)
        if expected is None and enter:
            group.members.add(person)
        elif expected is None:
            group.members.discard(person)
            self.world.revoke([person])
        self.touched = person, group.workspace

    def _in_order(self, people: set[Person]) -> list[Person]:
        return [person for person in self.world.people if person in people]

    # ── roles and actions ──

    @step(where=numbers, delete=st.booleans())
    async def create_or_delete_role(self, where: int, delete: bool) -> None:
        if delete and self.world.roles:
            role: Role = one(self.world.roles, where)
            await self.panel(role_cases.delete, role.id, expected=None)
            self.world.roles.remove(role)
            self.touched = next(iter(self._in_order(role.people)), None), role.workspace
        elif len(self.world.roles) < MOST["roles"]:
            workspace, name = one(self.world.workspaces, where), f"r-{uuid4().hex[:8]}"
            row = await self.panel(role_cases.create, workspace.id, name=name, expected=None)
            self.world.roles.append(Role(row.id, name, workspace))

    @step(who=numbers, name=st.sampled_from(NAMES))
    async def register_action(self, who: int, name: str) -> None:
        app = one(self.world.apps, who)
        scope = self.world.scope(app)
        body = {"service_name": scope, "actions": [{"action": name}]}
        answer = await self.call("POST", "/roles/actions/register", 201, body, key={"X-Service-Key": app.key})
        self.world.actions[scope, name] = UUID(answer[0]["id"])

    @step(when=lambda self: self.world.actions, which=numbers)
    async def delete_action(self, which: int) -> None:
        action = one(sorted(self.world.actions), which)
        await self.panel(actions.delete, self.world.actions[action], expected=None)
        self.world.delete_action(action)

    @step(when=lambda self: self.world.roles and self.world.actions, which=numbers, action=numbers)
    async def give_or_take_action(self, which: int, action: int) -> None:
        role, pair = one(self.world.roles, which), one(sorted(self.world.actions), action)
        action_id = self.world.actions[pair]
        if pair in role.actions:
            await self.panel(role_cases.remove_action, role.id, action_id, expected=None)
        else:
            await self.panel(role_cases.add_actions, role.id, [action_id], expected=None)
        role.actions ^= {pair}
        self.touched = next(iter(self._in_order(role.people)), None), role.workspace

    @step(when=lambda self: self.world.roles, which=numbers, who=numbers, bind=st.booleans())
    async def bind_or_unbind_person(self, which: int, who: int, bind: bool) -> None:
        role, person = one(self.world.roles, which), one(self.world.people, who)
        expected = None
        if bind and person not in role.workspace.roles:
            expected = "Invalid"
        elif (person in role.people) is bind:
            expected = "Conflict" if bind else "NotFound"
        use_case = bindings.bind_member if bind else bindings.unbind_member
        await self.panel(use_case, role.id, person.id, expected=expected)
        if expected is None:
            role.people ^= {person}
        self.touched = person, role.workspace

    @step(
        when=lambda self: self.world.roles and self.world.groups,
        which=numbers,
        number=numbers,
        bind=st.booleans(),
    )
    async def bind_or_unbind_group(self, which: int, number: int, bind: bool) -> None:
        role, group = one(self.world.roles, which), one(self.world.groups, number)
        expected = None
        if bind and group.workspace is not role.workspace:
            expected = "Invalid"
        elif (group in role.groups) is bind:
            expected = "Conflict" if bind else "NotFound"
        use_case = bindings.bind_group if bind else bindings.unbind_group
        await self.panel(use_case, role.id, group.id, expected=expected)
        if expected is None:
            role.groups ^= {group}
        self.touched = next(iter(self._in_order(group.members)), None), role.workspace

    # ── resources ──

    @step(
        when=lambda self: len(self.world.things) < MOST["things"],
        by=numbers,
        where=numbers,
        who=numbers,
        kind=st.sampled_from(KINDS),
        visibility=st.sampled_from(("private", "private", "workspace")),
    )
    async def register_thing(self, by: int, where: int, who: int, kind: str, visibility: str) -> None:
        world, app = self.world, one(self.world.apps, by)
        workspace, owner = one(world.workspaces, where), one(world.people, who)
        resource_id, scope = uuid4(), world.scope(app)
        body = {
            "service_name": scope,
            "resource_type": kind,
            "resource_id": str(resource_id),
            "workspace_id": str(workspace.id),
            "owner_id": str(owner.id),
            "visibility": visibility,
        }
        expected = 201 if owner in workspace.roles else 400
        key = {"X-Service-Key": app.key}
        answer = await self.call("POST", "/permissions/register", expected, body, key=key)
        if expected == 201:
            record, place = UUID(answer["id"]), moment(answer["created_at"])
            world.things.append(
                Thing(record, scope, kind, resource_id, workspace, owner, visibility, (place, record))
            )
            self.touched = owner, workspace

    @step(
        when=lambda self: self.world.things,
        which=numbers,
        visibility=st.sampled_from(("private", "workspace")),
    )
    async def show_or_hide(self, which: int, visibility: str) -> None:
        thing: Thing = one(self.world.things, which)
        key, open_to_it = self._key_of(thing)
        path = f"/permissions/{thing.id}/visibility"
        await self.call("PATCH", path, 200 if open_to_it else 403, {"visibility": visibility}, key=key)
        if open_to_it:
            thing.visibility = visibility

    @step(when=lambda self: self.world.things, which=numbers, by=numbers, to=numbers, level=levels)
    async def share(self, which: int, by: int, to: int, level: str) -> None:
        thing, person = one(self.world.things, which), one(self.world.people, to)
        belongs = person in thing.workspace.roles
        if await self._share(thing, by, "user", person.id, level, belongs=belongs):
            thing.people[person] = level
        self.touched = person, thing.workspace

    @step(
        when=lambda self: self.world.things and self.world.groups,
        which=numbers,
        by=numbers,
        to=numbers,
        level=levels,
    )
    async def share_with_group(self, which: int, by: int, to: int, level: str) -> None:
        thing, group = one(self.world.things, which), one(self.world.groups, to)
        belongs = group.workspace is thing.workspace
        if await self._share(thing, by, "group", group.id, level, belongs=belongs):
            thing.groups[group] = level
        self.touched = next(iter(self._in_order(group.members)), None), thing.workspace

    async def _share(
        self, thing: Thing, by: int, grantee_type: str, grantee_id: UUID, level: str, *, belongs: bool
    ) -> bool:
        sharer = thing.owner if by % 2 else self.actor(thing.workspace, by)
        key, open_to_it = self._key_of(thing)
        expected = self.refusal(sharer, thing.workspace)
        may = thing.owner is sharer or self.world.has(sharer, thing.workspace, "admin")
        if expected is None and not (open_to_it and may):
            expected = 403
        if expected is None and not belongs:
            expected = 400
        path = f"/permissions/{thing.id}/share"
        token = self.as_person(sharer, thing.workspace)
        # The second replaces the first, up or down.
        for each in ("view" if level == "edit" else "edit", level):
            body = {"grantee_type": grantee_type, "grantee_id": str(grantee_id), "permission": each}
            await self.call("POST", path, expected or 201, body, key=key, token=token)
        return expected is None

    @step(when=lambda self: any(each.people or each.groups for each in self.world.things), which=numbers)
    async def unshare(self, which: int) -> None:
        thing: Thing = one([each for each in self.world.things if each.people or each.groups], which)
        grantees: list[Any] = [*thing.people, *thing.groups]
        grantee = one(grantees, which)
        is_group = isinstance(grantee, Group)
        key, open_to_it = self._key_of(thing)
        body = {
            "grantee_type": "group" if is_group else "user",
            "grantee_id": str(grantee.id),
            "permission": "view",
        }
        path = f"/permissions/{thing.id}/share"
        await self.call("DELETE", path, 200 if open_to_it else 403, body, key=key)
        if open_to_it:
            thing.people.pop(grantee, None)
            thing.groups.pop(grantee, None)
        self.touched = None if is_group else grantee, thing.workspace

    @step(when=lambda self: self.world.things, which=numbers, who=numbers)
    async def change_owner(self, which: int, who: int) -> None:
        thing, person = one(self.world.things, which), one(self.world.people, who)
        expected = None if person in thing.workspace.roles else "Invalid"
        self.touched = thing.owner, thing.workspace
        await self.panel(oversight.set_owner, thing.id, person.id, expected=expected)
        if expected is None:
            thing.owner = person

    @step(when=lambda self: len(self.world.things) > MOST["things"] // 2, which=numbers)
    async def deregister_thing(self, which: int) -> None:
        thing: Thing = one(self.world.things, which)
        key, open_to_it = self._key_of(thing)
        path = "/permissions/resource/" + "/".join(thing.name.values())
        await self.call("DELETE", path, 204 if open_to_it else 403, key=key)
        if open_to_it:
            self.world.things.remove(thing)

    def _key_of(self, thing: Thing) -> tuple[dict[str, str], bool]:
        """The key of a service of the thing's scope, and True; or if there is none now, any other, and False."""
        speaking = [app for app in self.world.apps if self.world.scope(app) == thing.scope]
        return {"X-Service-Key": (speaking or self.world.apps)[0].key}, bool(speaking)

    # ── realms and organizations ──

    @step(which=numbers)
    async def join_or_leave_realm(self, which: int) -> None:
        await self.join_realm(one(self.world.apps[1:], which))

    @step(which=numbers, domain=numbers, below=st.booleans())
    async def claim_domain(self, which: int, domain: int, below: bool) -> None:
        organization, name = one(self.world.organizations, which), one(self.domains, domain)
        taken = any(name in each.domains for each in self.world.organizations)
        await self.panel(
            organization_admin.add_domain,
            organization.id,
            domain=name,
            include_subdomains=below,
            expected="Conflict" if taken else None,
        )
        if not taken:
            organization.domains[name] = below

    @step(which=numbers)
    async def switch_organization(self, which: int) -> None:
        organization = one(self.world.organizations, which)
        enabled = not organization.enabled
        own = [each for each in self.world.people if self.world.effective(each) == organization.id]
        if not enabled:
            # Belonging is judged as it was before the switch.
            self.world.revoke(own)
        await self.panel(organization_admin.change, organization.id, enabled=enabled, expected=None)
        organization.enabled = enabled
        for kept in self.world.kept:
            if kept.person in own:
                await self.watch.kept(kept)

    @step(enabled=st.sampled_from((True, True, False)))
    async def switch_public(self, enabled: bool) -> None:
        await self.panel(organization_admin.change, PUBLIC_ORGANIZATION_ID, enabled=enabled, expected=None)
        self.world.public_enabled = enabled

    @step(where=numbers, which=st.sampled_from(((), (), (0,), (1,), (0, 1))))
    async def restrict_workspace(self, where: int, which: tuple[int, ...]) -> None:
        workspace = one(self.world.workspaces, where)
        listed = [self.world.organizations[number] for number in which]
        expected = None if all(each.enabled for each in listed) else "Invalid"
        ids = [each.id for each in listed]
        await self.panel(allow_list.replace, workspace.id, ids, expected=expected)
        if expected is None:
            workspace.allow_list = set(ids)
            await self._mint(one([*workspace.roles], where), workspace)
            strangers = [person for person in self.world.people if person not in workspace.roles]
            if strangers:
                await self._add(one(strangers, where), workspace, 1, "viewer")
            for family in self.world.families:
                if family.workspace is workspace:
                    await self.rotate(family)

    # ── tokens ──

    @step(who=numbers, where=numbers)
    async def mint(self, who: int, where: int) -> None:
        await self._mint(one(self.world.people, who), one(self.world.workspaces, where))

    async def _mint(self, person: Person, workspace: Workspace) -> None:
        """With the key of each service, for what the token says differs."""
        world = self.world
        allowed = self.signs_in(person) and person in workspace.roles and world.admitted(person, workspace)
        for app in world.apps:
            answer = await self.call(
                *("POST", "/authz/resolve", 200 if allowed else 403),
                self.resolve_body(person, workspace_id=str(workspace.id)),
                key={"X-Service-Key": app.key},
            )
            if allowed:
                scope, claims = world.scope(app), claims_of(answer["authz_token"])
                said = [claims[name] for name in ("sub", "wid", "wrole", "svc", "actions", "ep")]
                assert said == [
                    *(str(person.id), str(workspace.id), workspace.roles[person], scope),
                    *(world.granted(person, workspace, scope), person.epoch),
                ]
                self.keep(Kept(answer["authz_token"], person, workspace, person.epoch, scope=scope))
        self.touched = person, workspace

    @step(who=numbers, where=numbers)
    async def sign_in(self, who: int, where: int) -> None:
        person, workspace = one(self.world.people, who), one(self.world.workspaces, where)
        pkce, known = Pkce(), self.stage.person(person.email)
        back = await self.stage.sign_in(known, self.ground.login_app, pkce)
        admitted = self.signs_in(person)
        assert back.status_code == (302 if admitted else 403), back.text
        if not admitted:
            return
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        allowed = person in workspace.roles and self.world.admitted(person, workspace)
        body = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(workspace.id)}
        answer = await self.call("POST", "/auth/token", 200 if allowed else 403, body)
        if allowed:
            family = Family(person, workspace, answer["refresh_token"])
            self.world.families = [*self.world.families[-MOST["families"] :], family]
            self.keep(Kept(answer["access_token"], person, workspace, person.epoch, family=family))
        self.touched = person, workspace

    @step(when=lambda self: self.world.families, which=numbers)
    async def refresh(self, which: int) -> None:
        family: Family = one(self.world.families, which)
        await self.rotate(family)
        self.touched = family.person, family.workspace

    @step(when=lambda self: any(each.spent for each in self.world.families), which=numbers)
    async def replay(self, which: int) -> None:
        family: Family = one([each for each in self.world.families if each.spent], which)
        await self.call("POST", "/auth/refresh", 401, {"refresh_token": one(family.spent, which)})
        family.alive = False
        await self.rotate(family)
        for kept in self.world.kept:
            if kept.family is family:
                await self.watch.kept(kept)
        self.touched = family.person, family.workspace

    @step(when=lambda self: self.world.kept, which=numbers)
    async def log_out(self, which: int) -> None:
        kept: Kept = one(self.world.kept, which)
        dead = not kept.person.is_active or kept.epoch < kept.person.epoch
        dead = dead or kept.scope is not None or (kept.family is not None and not kept.family.alive)
        await self.call("POST", "/auth/logout", 401 if dead else 200, token=bearer(kept.text))
        if not dead:
            self.world.revoke([kept.person])
        self.touched = kept.person, kept.workspace


def test_L22_and_L23_a_world_that_changes_in_any_order_stays_within_the_law(
    database_url: str, stage_keys: Keys
) -> None:
    """Rules: P1, P2, P7, R2, R3, W7, W8, W9, G6, G7, DL-8, DL-10, RF-5, RF-7, SB-6, VR-9."""
    with open_ground(database_url, stage_keys) as ground:
        WholeWorld.ground = ground
        run_state_machine_as_test(
            WholeWorld,
            settings=settings(
                max_examples=int(LONG or 5),
                stateful_step_count=50 if LONG else 20,
                derandomize=not LONG,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            ),
        )
