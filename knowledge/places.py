"""Local facts: offices of the county, from the locality file, with national hotlines where it is silent."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from knowledge.entry import Part, Text

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACE_KEY = re.compile(r"^place\.([a-z_]+)$")


class LocalityError(Exception):
    """The locality file cannot be used; the message names file and field."""


class Office(Part, frozen=True, kw_only=True):
    """An office as the locality file gives it; every field but the name may be missing.

    `email` is for what the office is sent; citizens never read it.
    """

    name: Text
    address: str = ""
    phone: str = ""
    hours: str = ""
    email: str = ""

    @property
    def phrase(self) -> str:
        """As it reads inside a sentence: name（address，phone，hours）."""
        facts = "，".join(fact for fact in (self.address, self.phone, self.hours) if fact)
        return f"{self.name}（{facts}）" if facts else self.name


class PlaceKind(Part, frozen=True, kw_only=True):
    """A kind of office that answers may name, and what is said where the county gave no facts."""

    name: Text
    fallback: Text


class LocalityFile(Part, frozen=True, kw_only=True):
    """The county's own file: its name, its townships, its offices."""

    county: Text
    demo: bool = False
    townships: tuple[Text, ...] = ()
    places: dict[str, Office] = msgspec.field(default_factory=dict)


class Locality(msgspec.Struct, frozen=True):
    """Resolves `{place.key}` in answers."""

    kinds: dict[str, PlaceKind]
    county: str = ""
    demo: bool = False
    townships: tuple[str, ...] = ()
    offices: dict[str, Office] = msgspec.field(default_factory=dict)

    def phrase(self, key: str) -> str:
        """The office as it reads in a sentence; KeyError for an unknown key."""
        office = self.offices.get(key)
        return office.phrase if office else self.kinds[key].fallback

    def fill(self, text: str) -> str:
        """Replace every `{place.key}`; KeyError names a placeholder nobody knows."""

        def one(match: re.Match[str]) -> str:
            key = _PLACE_KEY.match(match[1])
            if key is None:
                raise KeyError(match[1])
            return self.phrase(key[1])

        return PLACEHOLDER.sub(one, text)


def read_locality(path: Path, kinds: dict[str, PlaceKind]) -> Locality:
    """Read the county's TOML file; LocalityError with one clear line on any fault."""
    try:
        raw = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), LocalityFile)
    except OSError as error:
        raise LocalityError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise LocalityError(f"{path}: {error}") from error
    unknown = sorted(set(raw.places) - set(kinds))
    if unknown:
        raise LocalityError(f"{path}: unknown place {unknown[0]!r}; known are {', '.join(sorted(kinds))}")
    return Locality(kinds, raw.county, raw.demo, raw.townships, raw.places)
