"""The settings of a test run: a folder of its own, nothing of the developer's, and the database that the run is about.

`OMNI_TEST_ON=postgres` runs on a real PostgreSQL (started on the spot); otherwise on SQLite, on a file as in life.
"""

from __future__ import annotations

import os
import sys

from tests import engines

if "pytest" in sys.modules:
    _folder = engines.run_folder() / "data" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    _folder.mkdir(parents=True, exist_ok=True)
    if os.environ.get("OMNI_ELASTICSEARCH_URL"):  # names a server to test against, not the engine of every test
        os.environ.setdefault("OMNI_TEST_ELASTICSEARCH_URL", os.environ["OMNI_ELASTICSEARCH_URL"])
    _kept = {name: value for name, value in os.environ.items() if name.startswith(("OMNI_TEST_", "OMNI_LAW_"))}
    for _name in [name for name in os.environ if name.startswith("OMNI_") and name not in _kept]:
        del os.environ[_name]
    os.environ.update(
        OMNI_ENV="test",
        OMNI_DNS="off",
        OMNI_DATA_DIR=str(_folder),
        OMNI_TOKEN_KEYS="the-key-of-tests-only-0123456789abcdef",
        OMNI_VAULT_KEYS="dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        OMNI_ALLOWED_RECIPIENTS="@example.com,@example.org,@example.net,+",
    )
    if os.environ.get("OMNI_TEST_ON") == "postgres":
        os.environ["OMNI_DATABASE_URL"] = engines.postgres()

from omni.settings import *  # noqa: F403
from omni.settings import FOR_PEOPLE as _FOR_PEOPLE

_LOOKS_ONCE = {"whitenoise.middleware.WhiteNoiseMiddleware": "tests.static_files.FoundOnce"}
FOR_PEOPLE = [_LOOKS_ONCE.get(each, each) for each in _FOR_PEOPLE]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # many sign-ins, none of them worth guarding
