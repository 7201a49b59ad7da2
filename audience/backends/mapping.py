"""How people stand in the index: names, mapping, documents. Generated from the attribute catalogue.

The index holds comparable values only, by type ("text.tier", "number.spent"), so a type that changes is a new field and an old
index simply doesn't know it. Nothing can be read back from it: `_source` is off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

from audience.models import Profile
from audience.rules.bound import Plain, Type
from audience.rules.values import is_number

FORMAT = 1  # of documents: raise it when `document` changes; an index of another format is not asked
LONGEST = 2_000  # characters kept of a text: more than any rule can ask for, less than Lucene's 32,766 bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
KINDS: Mapping[Type | None, str] = {
    "text": "keyword",
    "number": "double",
    "boolean": "boolean",
    "date": "long",
    "datetime": "long",
    "list": "keyword",
}
FIELDS = {"country": "country", "locale": "locale", "zone": "zone", "email": "email_key", "phone": "phone"}


def alias(prefix: str, workspace_id: int) -> str:
    """The name under which a workspace's index is asked."""
    return f"{prefix}-audience-{workspace_id}"


def building(prefix: str, workspace_id: int) -> str:
    """The name under which the feed finds an index that is being rebuilt."""
    return f"{alias(prefix, workspace_id)}-building"


def version(types: Mapping[str, Type]) -> str:
    """Which mapping a catalogue calls for: the format and a digest of the fields, such as "1-5d41402abc4b".

    Indexes of one version hold the same people in the same way; one of another version was built for another catalogue.
    """
    fields = json.dumps(_properties(types), sort_keys=True).encode()
    return f"{FORMAT}-{blake2b(fields, digest_size=6).hexdigest()}"


def index_body(types: Mapping[str, Type]) -> dict[str, Any]:
    """Settings and mapping of a new index. types: the catalogue's attributes."""
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            "refresh_interval": "1s",
            "sort.field": "id",  # people are read in this order
            "gc_deletes": "1h",  # how long the version of a deleted person is remembered: longer than any write can be late
        },
        "mappings": {
            "dynamic": "strict",
            "_source": {"enabled": False},
            "_meta": {"format": FORMAT, "version": version(types), "types": dict(types)},
            "properties": _properties(types),
        },
    }


def _properties(types: Mapping[str, Type]) -> dict[str, Any]:
    by_type: dict[str, dict[str, Any]] = {str(type_): {"properties": {}} for type_ in KINDS}
    for name, type_ in sorted(types.items()):
        if type_ in KINDS:
            by_type[type_]["properties"][name] = {"type": KINDS[type_]}
    own = {"id": {"type": "long"}, "created_at": {"type": "long"}, **{name: {"type": "keyword"} for name in FIELDS.values()}}
    return {**own, **by_type}


def document(profile: Profile, types: Mapping[str, Type]) -> dict[str, Any]:
    """One person as the index holds them: what the mapping knows, of the right type; the rest is missing there."""
    found: dict[str, Any] = {"id": profile.pk, "created_at": micros(profile.created_at)}
    found.update({name: value for name in FIELDS.values() if (value := getattr(profile, name))})
    for name, value in profile.folded.items():
        type_ = types.get(name)
        kept = _KEPT[type_](value) if type_ in KINDS else None
        if type_ is not None and kept is not None:
            found.setdefault(type_, {})[name] = kept
    return found


def flat(found: Mapping[str, Any]) -> dict[str, set[Plain]]:
    """A document field by field ("country", "number.spent"), each a set of values, as the index gives them back."""
    values: dict[str, set[Plain]] = {}
    for name, value in found.items():
        inner = {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
        values.update({key: set(each) if isinstance(each, list) else {each} for key, each in inner.items()})
    return values


def field_names(types: Mapping[str, Type]) -> list[str]:
    """Every field that a document may have, as `flat` calls them."""
    return ["id", "created_at", *FIELDS.values(), *(f"{type_}.{name}" for name, type_ in sorted(types.items()) if type_ in KINDS)]


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    past = moment - _EPOCH
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds


def operand(type_: Type, value: Plain) -> Plain:
    """A rule's value in the form in which the index holds that type."""
    kept: Plain | None = _KEPT["text" if type_ == "list" else type_](value)
    if kept is None:
        raise ValueError(f"{value!r} is not a {type_}")
    return kept


def _text(value: object) -> str | None:
    return value[:LONGEST] if isinstance(value, str) else None


def _number(value: object) -> int | float | None:
    return (value or 0) if is_number(value) else None  # type: ignore[return-value]  # 0 for -0.0, which Lucene tells apart


def _day(value: object) -> int | None:
    try:
        return date.fromisoformat(value).toordinal() if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        return None


def _moment(value: object) -> int | None:
    try:
        return micros(datetime.fromisoformat(value)) if isinstance(value, str) and value.endswith("Z") else None
    except ValueError:
        return None


def _texts(value: object) -> list[str] | None:
    texts = [one[:LONGEST] for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return texts or None


_KEPT: dict[Type | None, Callable[[Any], Any]] = {
    "text": _text,
    "number": _number,
    "boolean": lambda value: value if isinstance(value, bool) else None,
    "date": _day,
    "datetime": _moment,
    "list": _texts,
}
