"""What goes on beside the questions while servers fail: resources are registered, sessions are renewed and ended."""

import http.client
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.faults.load import Load
from tests.served import Served, World


@dataclass
class Record:
    """What the service has acknowledged, to be asked for again at the end."""

    written: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    ended_access: list[str] = field(default_factory=list)
    lost_writes: int = 0
    resurrected: int = 0

    def __str__(self) -> str:
        return (
            f"writes {len(self.written)}, lost writes {self.lost_writes}, "
            f"tokens used up or revoked {len(self.spent) + len(self.ended_access)}, "
            f"resurrected tokens {self.resurrected}"
        )


class Life:
    """Two threads beside a load: one writes, one renews sessions and lets some of them end by a reuse.

    An answer that did not come says nothing: the write may have happened, the token may be used up.
    """

    def __init__(self, load: Load, world: World) -> None:
        self.record = Record()
        self._load = load
        self._world = world
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write), threading.Thread(target=self._renew)]

    def __enter__(self) -> "Life":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def judge(self, servers: Sequence[Served]) -> Record:
        """Ask for everything that was acknowledged; called when all servers are well again.

        Nothing but a 401 says that a token is dead.
        """
        record, served = self.record, servers[0]
        for resource_id in record.written:
            path = f"/permissions/resource/notes/document/{resource_id}"
            record.lost_writes += served.ask("GET", path, None, self._world.service)[0] != 200
        for token in record.ended_access:
            status, _ = served.ask("GET", "/users/me", None, {"Authorization": f"Bearer {token}"})
            record.resurrected += status != 401
        for token in record.spent:
            status, _ = served.ask("POST", "/auth/refresh", {"refresh_token": token})
            record.resurrected += status != 401
        return record

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """Status and body; 0 when no answer came."""
        for served in self._load.servers:
            try:
                status, answer = served.ask(method, path, body, headers)
            except ConnectionRefusedError:
                continue
            except (OSError, http.client.HTTPException) as error:
                self._load.note("broken", f"{path}: {type(error).__name__}")
                return 0, None
            return status, json.loads(answer)
        return 0, None

    def _write(self) -> None:
        while not self._over.is_set():
            resource_id = str(uuid4())
            wish = {
                "service_name": "notes",
                "resource_type": "document",
                "resource_id": resource_id,
                "workspace_id": self._world.workspace_id,
                "owner_id": self._world.viewer_id,
            }
            status, answer = self._send("POST", "/permissions/register", wish, self._world.service)
            if status == 201:
                self.record.written.append(resource_id)
            elif status not in (0, 503):
                self._load.note("failed", f"register: {status} {answer}")

    def _renew(self) -> None:
        for token in self._world.refresh:
            self._live(token)
            if self._over.is_set():
                return

    def _live(self, token: str) -> None:
        """One session: renewed some times, and then ended by showing a token that was used up."""
        sure, last = True, None
        for turn in range(12):
            if self._over.is_set():
                return
            shown = self.record.spent[-1] if turn == 11 and last else token
            status, answer = self._send("POST", "/auth/refresh", {"refresh_token": shown}, {})
            if shown is not token:
                # The reuse ends the family: all of it is dead from here on.
                if status == 401 and last is not None:
                    self.record.spent.append(token)
                    self.record.ended_access.append(last)
                elif status not in (0, 503):
                    self.record.resurrected += 1
                return
            if status == 200:
                self.record.spent.append(token)
                token, last, sure = answer["refresh_token"], answer["access_token"], True
            elif status in (0, 503):
                sure = False
            else:
                if status != 401 or sure:
                    self._load.note("failed", f"refresh: {status} {answer}")
                return
