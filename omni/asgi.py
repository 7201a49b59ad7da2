"""The ASGI application: `uvicorn omni.asgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")
django.setup(set_prefix=False)

from omni.bodies import BoundedBodies  # noqa: E402
from omni.handler import ThreadedHandler  # noqa: E402

application = BoundedBodies(ThreadedHandler())
