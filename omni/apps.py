from django.apps import AppConfig


class OmniConfig(AppConfig):
    name = "omni"

    def ready(self) -> None:
        from omni import celery, checks  # noqa: F401  (the app that rings bells; what `manage.py check` looks at)
