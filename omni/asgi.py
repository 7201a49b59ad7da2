"""The ASGI application: `uvicorn omni.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

from omni.bodies import BoundedBodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")
application = BoundedBodies(get_asgi_application())
