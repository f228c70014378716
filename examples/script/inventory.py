"""A script with a service key: makes resources known, asks about them, and prints what it was told.

It has no event loop, so it takes the clients of ``sentinel_auth.sync``.
"""

import os
from uuid import UUID, uuid5

from sentinel_auth import PermissionCheck
from sentinel_auth.sync import PermissionClient

SERVICE = "inventory"
NAMESPACE = UUID("0b0f2c1e-3d55-4c7e-9a35-6f1d3b1f8a11")
MACHINES = {"Lathe": "workspace", "Press": "private"}


def main() -> None:
    workspace, owner = os.environ["WORKSPACE_ID"], os.environ["OWNER_ID"]
    # Somebody's access token. A key makes resources known; what a person may do is asked in the person's name.
    token = os.environ["TOKEN"]
    with PermissionClient(os.environ["SENTINEL_URL"], SERVICE, os.environ["SENTINEL_KEY"]) as permissions:
        # An id made of the name: the script may run again, and registers each machine once.
        names = {uuid5(NAMESPACE, name): name for name in MACHINES}
        for machine, name in names.items():
            permissions.register_resource("machine", machine, workspace, owner, MACHINES[name])
            acl = permissions.get_enriched_resource_acl("machine", machine)
            print(f"{name}: {acl['visibility']}, owned by {acl['owner_name']}")
        questions = [
            PermissionCheck(SERVICE, "machine", machine, action)
            for machine in names
            for action in ("view", "edit")
        ]
        for answer in permissions.check(token, questions):
            verdict = "may" if answer.allowed else "may not"
            print(f"The person {verdict} {answer.action} the {names[answer.resource_id]}")
        seen, everything = permissions.accessible(token, "machine", "view", workspace)
        print(
            "The person sees",
            "every machine" if everything else ", ".join(names[machine] for machine in seen),
        )


if __name__ == "__main__":
    main()
