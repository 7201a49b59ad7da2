from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "audience"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience.catalogue import ATTRIBUTE
        from audience.documents import segment_kind
        from audience.resolve import reach
        from governance.door import register

        register(ATTRIBUTE)
        register(segment_kind(reach))
