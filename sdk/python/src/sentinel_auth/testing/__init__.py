"""For the tests of applications: a Sentinel in memory. Never for a running service: it believes everybody."""

from sentinel_auth.testing.fake import FakeSentinel
from sentinel_auth.testing.people import Group, Person, Resource, Share, Workspace

__all__ = ["FakeSentinel", "Group", "Person", "Resource", "Share", "Workspace"]
