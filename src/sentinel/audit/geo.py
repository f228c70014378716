"""From an address to a country, without asking anybody (SG-6). ``docs/decisions/country-data.md`` tells where the
data comes from and how far it can be trusted.
"""

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Protocol

import iptocc

from sentinel.audit.centroids import CENTROIDS

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166-1 alpha-2 code, with the point in its middle in degrees."""

    code: str
    latitude: float
    longitude: float


class CountryLookup(Protocol):
    """What the signals need to know about countries. Neither method raises, waits or asks the network."""

    def find(self, ip: str | None) -> Country | None:
        """The country of an address; None for one that is private, unknown or no address."""

    def country(self, code: str) -> Country | None:
        """The country of a code; None for one that is no country."""


class BundledCountries:
    """The lookup over the tables that come with the installation."""

    def find(self, ip: str | None) -> Country | None:
        try:
            address = ip_address(ip or "")
        except ValueError:
            return None
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        # Addresses for private and special use are in no registry's list, so they have no code.
        code = iptocc.country_code(str(address))
        return self.country(code) if code else None

    def country(self, code: str) -> Country | None:
        # The registries also write EU and AP, which say nothing of a place.
        centroid = CENTROIDS.get(code)
        return Country(code, *centroid) if centroid else None


def distance_km(one: Country, other: Country) -> float:
    """The great-circle distance between the middles of two countries (haversine)."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    chord = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))
