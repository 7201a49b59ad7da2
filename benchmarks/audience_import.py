"""How fast people come in from files, beside a bare COPY and merge of the same rows: `python -m benchmarks.audience_import`.

The floor is what PostgreSQL alone needs: lines that are ready for COPY go into a temporary table and from there, by one statement a
chunk, into a table with the same columns and indexes; nothing is parsed, normalised, checked, compared or told to anybody.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cpu import _of
from benchmarks.instance import ROOT, _first_process, _postgresql

CHUNK = 10_000  # rows per transaction of the floor
FIELDS = ("external_id", "email", "phone", "locale", "country", "zone")
ATTRIBUTES = ("first_name", "stays", "vip", "birthday")
PLACES = [
    ("GB", "en-GB", "Europe/London"),
    ("FR", "fr-FR", "Europe/Paris"),
    ("DE", "de-DE", "Europe/Berlin"),
    ("US", "en-US", "America/New_York"),
]
NAMES = ["Ada", "Bea", "Carlo", "Dörte", "Émile", "Finn", "Grace", "Hugo"]
CATALOGUE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from django.utils import timezone
from governance import door as governance
from governance.door import Role
workspace, user = governance.default_workspace(), governance.User.objects.create_user("ada")
governance.Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN)
actor = governance.actor_for(user, workspace.pk, "console")
for name, type_ in (("first_name", "text"), ("stays", "number"), ("vip", "boolean"), ("birthday", "date")):
    governance.save(actor, "attribute", name, {"title": name, "type": type_}, base=None, now=timezone.now())
"""


def people(rows: int, *, phones: bool, later: bool) -> Iterator[list[str]]:
    """The cells of that many people, always the same ones. later: everybody has stayed more often and has another phone."""
    chance = random.Random(17)
    for number in range(rows):
        country, locale, zone = PLACES[chance.randrange(4)]
        digits = f"{chance.randrange(10**8):08}"
        if later:
            digits = digits[::-1]
        phone = {"GB": "+4474" + digits, "FR": "+3361" + digits[:7], "DE": "+49151" + digits, "US": "+12125" + digits[:6]}[country]
        if number % 10 == 0:
            phone = f"{phone[:3]} {phone[3:6]} {phone[6:]}"
        born = f"{1940 + number % 70}-{1 + number % 12:02}-{1 + number % 28:02}"
        cells = [f"u-{number:08}", f"Person{number}@Example{number % 50}.com", phone, locale, country, zone]
        if not phones:
            cells[2] = ""
        yield [*cells, NAMES[number % 8], str(number % 40 + later), "yes" if number % 3 else "no", born]


def write_csv(path: Path, rows: int, **which: bool) -> Path:
    """A CSV file of people."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*FIELDS, *ATTRIBUTES])
        writer.writerows(people(rows, **which))
    return path


def write_parquet(folder: Path, rows: int, **which: bool) -> Path:
    """A Hive-partitioned folder of people: four countries' files in a folder each, the country only in the folders' names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [*FIELDS, *ATTRIBUTES]
    held: dict[str, list[list[str]]] = {}
    writers: dict[str, Any] = {}

    def flush(country: str) -> None:
        columns = dict(zip(names, zip(*held.pop(country), strict=True), strict=True))
        del columns["country"]
        columns["stays"] = tuple(map(int, columns["stays"]))
        columns["vip"] = tuple(word == "yes" for word in columns["vip"])
        table = pa.table({name: list(values) for name, values in columns.items()})
        if country not in writers:
            place = folder / f"country={country}"
            place.mkdir(parents=True)
            writers[country] = pq.ParquetWriter(place / "part-0.parquet", table.schema, compression="zstd")
        writers[country].write_table(table)

    for cells in people(rows, **which):
        some = held.setdefault(cells[4], [])
        some.append(cells)
        if len(some) == 50_000:
            flush(cells[4])
    for country in list(held):
        flush(country)
    for writer in writers.values():
        writer.close()
    return folder


class Bare:
    """The floor: a table with the columns and indexes of the profiles, filled by COPY and one merging statement a chunk."""

    COLUMNS = "external_id, email, email_key, phone, locale, country, zone, attributes, folded"

    def __init__(self, url: str) -> None:
        import psycopg

        self.connection = psycopg.connect(url, autocommit=True)

    def empty(self) -> None:
        """Start anew."""
        self.connection.execute("DROP TABLE IF EXISTS bare")
        self.connection.execute("CREATE TABLE bare (LIKE audience_profile INCLUDING ALL)")

    def load(self, rows: int, **which: bool) -> float:
        """Rows per second."""
        kept = ", ".join(f"{name} = excluded.{name}" for name in self.COLUMNS.split(", ")[1:])
        spent, chunk = 0.0, list[str]()
        for number, cells in enumerate(people(rows, **which), 1):
            chunk.append(self.line(cells))
            if len(chunk) == CHUNK or number == rows:
                data = "".join(chunk).encode()
                chunk.clear()
                began = time.perf_counter()
                with self.connection.transaction(), self.connection.cursor() as cursor:
                    cursor.execute(
                        "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (external_id text, email text, email_key text, phone text, "
                        "locale text, country text, zone text, attributes jsonb, folded jsonb) ON COMMIT DELETE ROWS"
                    )
                    with cursor.copy("COPY incoming FROM STDIN") as copy:
                        copy.write(data)
                    cursor.execute(
                        f"INSERT INTO bare (workspace_id, {self.COLUMNS}, created_at, updated_at) SELECT 1, {self.COLUMNS}, now(), now() "
                        f"FROM incoming ON CONFLICT (workspace_id, external_id) DO UPDATE SET {kept}, updated_at = now()"
                    )
                spent += time.perf_counter() - began
        return rows / spent

    @staticmethod
    def line(cells: list[str]) -> str:
        """What COPY reads."""
        external_id, email, phone, locale, country, zone, name, stays, vip, born = cells
        said = {"first_name": name, "stays": int(stays), "vip": vip == "yes", "birthday": born}
        shown = json.dumps(said, ensure_ascii=False)
        folded = json.dumps({**said, "first_name": name.casefold()}, ensure_ascii=False)
        fields = [external_id, email, email.lower(), phone.replace(" ", "") or "\\N", locale, country, zone, shown, folded]
        return "\t".join(fields) + "\n"


def main() -> None:
    """Each way in, beside the floor of the same rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=[], help="of first, phones, again, changed, parquet")
    parser.add_argument("--columns", action="store_true", help="before what isn't a first load, give the attributes columns of their own")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omni-import-") as made:
        folder = Path(made)
        server, url = _postgresql(folder)
        try:
            _measure(wanted.rows, wanted.only, folder, url, columns=wanted.columns)
        finally:
            server.cleanup()


def _measure(rows: int, only: list[str], folder: Path, url: str, *, columns: bool) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OMNI_")},
        "OMNI_DATA_DIR": str(folder / "var"),
        "OMNI_DATABASE_URL": url,
    }

    def run(*arguments: str) -> str:
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout[-1000:] + done.stderr[-3000:])
        return done.stdout

    def imported(path: Path) -> dict[str, Any]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told: dict[str, Any] = json.loads(run("-c", PEAK, "manage.py", "import_profiles", str(path), "--json"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {**told, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}

    run("manage.py", "migrate", "--verbosity", "0")
    run("-c", CATALOGUE)
    bare, postgresql = Bare(url), _first_process(folder / "postgresql")
    cases = [
        ("first", "first load without phones", {"phones": False, "later": False}, True, write_csv),
        ("parquet", "first load without phones, a Hive folder of Parquet", {"phones": False, "later": False}, True, write_parquet),
        ("phones", "first load with phones", {"phones": True, "later": False}, True, write_csv),
        ("again", "the same file again", {"phones": True, "later": False}, False, write_csv),
        ("changed", "everybody changed, phone included", {"phones": True, "later": True}, False, write_csv),
    ]
    for name, words, which, fresh, write in cases:
        if only and name not in only:
            continue
        path = write(folder / f"{name}.csv", rows, **which)
        if fresh:
            bare.empty()
            bare.connection.execute("TRUNCATE audience_profile, audience_profilefeed CASCADE")
        elif columns:
            run("-c", COLUMNS)
        bare.connection.execute("CHECKPOINT")
        spent = [_of(postgresql)]
        floor = bare.load(rows, **which)
        spent.append(_of(postgresql))
        bare.connection.execute("CHECKPOINT")
        told = imported(path)
        spent.append(_of(postgresql))
        rate = told["rows"] / told["seconds"]
        counts = f"{told['created']:,} created, {told['updated']:,} updated, {told['unchanged']:,} unchanged, {told['rejected']:,} rejected"
        print(
            f"{words}: {rate:,.0f} rows/s ({counts}); floor {floor:,.0f} rows/s, {rate / floor:.0%} of it; CPU a row: OMNI "
            f"{told['cpu'] * 1e6 / rows:.1f} µs, PostgreSQL {(spent[2] - spent[1]) * 1e6 / rows:.1f} µs, at the floor "
            f"{(spent[1] - spent[0]) * 1e6 / rows:.1f} µs; at most {told['peak_mb']} MB; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


COLUMNS = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "omni.settings"
django.setup()
from audience.facts_keeper import keep_facts
from governance import door as governance
keep_facts(governance.default_workspace().pk)
"""
PEAK = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
if done.returncode: print(done.stdout)
else: print(json.dumps({**json.loads(done.stdout), "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}))
sys.exit(done.returncode)
"""

if __name__ == "__main__":
    main()
