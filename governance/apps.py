from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from governance import documents, kinds  # models exist only now

        kinds.register(documents.APPROVAL_POLICY)
