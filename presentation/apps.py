from django.apps import AppConfig


class PresentationConfig(AppConfig):
    name = "presentation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from presentation.kinds import register_kinds

        register_kinds()
