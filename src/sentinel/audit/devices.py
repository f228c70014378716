"""From a User-Agent to the family of the browser and of the operating system (SG-3).

What is not in the tables is ``Other``, so that however many odd strings a client sends, they are one device.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

OTHER = "Other"
MAX_LENGTH = 200
"""Characters that are looked at: as many as activity rows keep, and few enough to bound the search."""


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of client, such as Firefox on Windows."""

    browser: str
    system: str

    @property
    def label(self) -> str:
        return f"{self.browser} / {self.system}"


@lru_cache(maxsize=1024)
def device_of(user_agent: str | None) -> Device:
    """The device that a User-Agent names; both families are ``Other`` without one."""
    found = _parser()((user_agent or "")[:MAX_LENGTH])
    return Device(
        found.user_agent.family if found.user_agent else OTHER, found.os.family if found.os else OTHER
    )


@cache
def _parser() -> Any:
    # A worker that signs nobody in needs none of it.
    from ua_parser import Domain, Parser
    from ua_parser.basic import Resolver
    from ua_parser.loaders import load_lazy_builtins

    # Rules are compiled when first needed. The parsers with rules in native code are faster and take 25 MB a process.
    parser, wanted = Parser(Resolver(load_lazy_builtins())), Domain.USER_AGENT | Domain.OS
    return lambda user_agent: parser(user_agent, wanted)
