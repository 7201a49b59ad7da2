from django.apps import AppConfig


class PresentationConfig(AppConfig):
    name = "presentation"
    default_auto_field = "django.db.models.BigAutoField"
