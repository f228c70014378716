"""The law of the entity ACL, as Sentinel holds it (``authorization.md`` §4); the library's tests hold both together."""

from sentinel_auth.testing.people import Group, Person, Resource


def may(person: Person, resource: Resource | None, action: str) -> bool:
    """Whether a person may ``view`` or ``edit`` a resource of the workspace that he is asking from."""
    if resource is None:
        return False
    role = resource.workspace.roles.get(person)
    if role is None or not person.is_active:
        return False
    if resource.owner is person or role in ("admin", "owner"):
        return True
    if resource.visibility == "workspace" and (action == "view" or role == "editor"):
        return True
    levels = [share.permission for share in resource.shares if _reaches(share.grantee, person)]
    return "edit" in levels or (action == "view" and "view" in levels)


def _reaches(grantee: Person | Group, person: Person) -> bool:
    return person in grantee.members if isinstance(grantee, Group) else grantee is person
