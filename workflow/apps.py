from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "workflow"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audience.door import register_following, register_forgetting, register_telling
        from delivery.door import register_link_resolver
        from governance.door import register
        from presentation.door import add_dresser
        from workflow.checks import CAMPAIGN
        from workflow.fallbacks import follow, forget, left, tell
        from workflow.links import link_target

        register(CAMPAIGN)
        add_dresser("campaign", lambda campaign: campaign.theme)
        register_link_resolver(link_target)
        register_forgetting(forget)
        register_following(follow, left)
        register_telling(tell)
