"""What needs packages that the base installation goes without: Parquet and zstd (pyarrow), object storage (fsspec)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, BinaryIO, TypeVar

from governance.door import Finding, Invalid, shorten

INSTALL = ".venv/bin/python -m pip install --require-hashes -r requirements/parquet.txt"
OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "memory"})
ARROW_STORES = frozenset({"s3", "gs"})  # those that pyarrow itself speaks with, without a package of the vendor's
READ_AHEAD = 4 * 1024 * 1024  # bytes asked of a storage at once
T = TypeVar("T")


def needed(package: str, what: str) -> Any:
    """A module of the extra. Raises Invalid where it isn't installed. what: completes "… needs one more package"."""
    try:
        return import_module(package)
    except ImportError:
        raise Invalid([Finding("error", "/file", f"{what}, which needs one more package", f"it to be installed: {INSTALL}")]) from None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. size: bytes; changed: what tells its state from a later one; modified: when it was written, "" if nobody knows."""

    name: str
    size: int
    changed: str
    modified: str


class ObjectStore:
    """An object storage, whoever runs it: its failures come as Invalid, in words."""

    def __init__(self, system: Any) -> None:
        self.system = system

    def find(self, root: str) -> list[Stored]:
        """Every object at or below a path, by name."""
        found = _asked(lambda: self.system.find(root, detail=True))
        objects = [(name, info) for name, info in found.items() if info.get("type") != "directory"]
        return [
            Stored(name, int(info.get("size") or 0), _first(info, *_STATES, *_TIMES), _first(info, *_TIMES))
            for name, info in sorted(objects)
        ]

    def open(self, name: str) -> BinaryIO:
        """The bytes of an object, read on as they are asked for."""
        opened: BinaryIO = _asked(lambda: self.system.open(name, "rb"))
        return opened


_STATES = ("ETag", "etag", "md5Hash", "generation")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")


def _first(info: dict[str, Any], *keys: str) -> str:
    """The first of these that a store tells; moments in one form, so that their order is that of their texts."""
    value = next((info[key] for key in keys if info.get(key)), "")
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def object_store(url: str) -> tuple[ObjectStore, str]:
    """The store that a URL leads to, and the path in it. Credentials come from the environment, as each vendor's package wants them."""
    fsspec = needed("fsspec", "an object storage")
    kind, _, rest = url.partition("://")
    try:
        system, path = _asked(lambda: fsspec.core.url_to_fs(url))
    except ImportError as missing:
        if kind not in ARROW_STORES:
            raise Invalid([Finding("error", "/file", f"{kind}://, which needs one more package", shorten(str(missing)))]) from None
        return ArrowStore(kind), rest.rstrip("/")
    return ObjectStore(system), path


class ArrowStore(ObjectStore):
    """An object storage that pyarrow speaks with itself. AWS_ENDPOINT_URL names one that isn't Amazon's."""

    def __init__(self, kind: str) -> None:
        arrow = needed("pyarrow.fs", "an object storage")
        where = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        self.arrow = arrow
        super().__init__(_asked(lambda: arrow.S3FileSystem(endpoint_override=where) if kind == "s3" else arrow.GcsFileSystem()))

    def find(self, root: str) -> list[Stored]:
        def asked() -> list[Any]:
            alone = self.system.get_file_info(root)
            if alone.type == self.arrow.FileType.File:
                return [alone]
            return list(self.system.get_file_info(self.arrow.FileSelector(root, allow_not_found=True, recursive=True)))

        files = [info for info in _asked(asked) if info.type == self.arrow.FileType.File]
        return sorted((self._stored(info) for info in files), key=lambda one: one.name)

    @staticmethod
    def _stored(info: Any) -> Stored:
        written = str(info.mtime_ns or "")
        return Stored(info.path, int(info.size), written, written)

    def open(self, name: str) -> BinaryIO:
        opened: BinaryIO = io.BufferedReader(_asked(lambda: self.system.open_input_file(name)), READ_AHEAD)
        return opened


def _asked(question: Callable[[], T]) -> T:
    """What a store answers; each vendor's package raises errors of its own, all of which mean that the files can't be read now."""
    try:
        return question()
    except (ImportError, Invalid):
        raise
    except FileNotFoundError:
        raise Invalid([Finding("error", "/file", "no such file or directory", "the URL of a file or folder that can be read")]) from None
    except Exception as error:
        raise Invalid([Finding("error", "/file", f"{type(error).__name__}: {shorten(str(error))}", "a storage that answers")]) from None
