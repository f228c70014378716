"""Cursors of paged lists: where a page ended, in a form that means nothing to whoever carries it."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from uuid import UUID

from sentinel.core.errors import Unprocessable
from sentinel.permissions.decide import Action

SEAL = 16
"""Bytes of the seal of a :class:`Place`."""
NOWHERE = UUID(int=0)
"""The id of nothing: before everything in a list by id, and no resource's."""


def write_cursor(raw: bytes) -> str:
    """``raw`` as text that needs no escaping anywhere."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(cursor: str, *, size: int) -> bytes:
    """The ``size`` bytes behind a cursor. Raises :class:`Unprocessable` for anything that we would not write."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size or write_cursor(raw) != cursor:
        raise Unprocessable("The cursor is not one of ours; begin again without", field="cursor")
    return raw


@dataclass(frozen=True, slots=True)
class Listing:
    """One question of ``/permissions/accessible``: whose, where, and about what."""

    user_id: UUID
    workspace_id: UUID
    service_name: str
    resource_type: str
    action: Action

    def seal(self, resource_id: UUID, record_id: UUID) -> bytes:
        """Binds a place to this question and to one registration of the resource.

        The key is the id of the record, which services know and the answers to this question do not hold: so nobody
        can make up cursors to find out which ids are registered, and a resource that was registered anew, and stands
        elsewhere in the list now, does not mislead the next page.
        """
        names = "\0".join((self.service_name, self.resource_type, self.action.value))
        question = self.user_id.bytes + self.workspace_id.bytes + resource_id.bytes + names.encode()
        return hmac.digest(record_id.bytes, question, "sha256")[:SEAL]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a listing ended: with this resource. Nothing of it is to be believed before the seal fits."""

    resource_id: UUID
    seal: bytes

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """The place that ``cursor`` tells, or, for text that is no cursor, one that fits nowhere: it is for
        :meth:`require` to refuse, once it is known who asks.
        """
        try:
            raw = read_cursor(cursor, size=len(NOWHERE.bytes) + SEAL)
        except Unprocessable:
            return cls(NOWHERE, b"")
        return cls(UUID(bytes=raw[:-SEAL]), raw[-SEAL:])

    @classmethod
    def write(cls, listing: Listing, resource_id: UUID, record_id: UUID) -> str:
        """The cursor of a page of ``listing`` that ended with this resource."""
        return write_cursor(resource_id.bytes + listing.seal(resource_id, record_id))

    def require(self, listing: Listing, record_id: UUID | None) -> None:
        """Raise :class:`Unprocessable` unless ``listing`` ended a page here; ``record_id`` is the record that the
        resource has now.
        """
        if record_id is None or not hmac.compare_digest(self.seal, listing.seal(self.resource_id, record_id)):
            raise Unprocessable(
                "The cursor belongs to another question, or its resource is gone; begin again without",
                field="cursor",
            )
