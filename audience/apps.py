from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "audience"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from audience.backends.measures_sql import teach
        from audience.catalogue import ATTRIBUTE
        from audience.documents import segment_kind
        from audience.event_types import EVENT_TYPE
        from audience.ingest.mapping import IMPORT_MAPPING
        from audience.opt_ins import OPT_IN
        from audience.record_types import RECORD_TYPE
        from audience.resolve import reach
        from governance.door import register

        connection_created.connect(teach, dispatch_uid="audience.teach")
        register(ATTRIBUTE)
        register(EVENT_TYPE)
        register(IMPORT_MAPPING)
        register(OPT_IN)
        register(RECORD_TYPE)
        register(segment_kind(reach))
