from django.apps import AppConfig
from django.urls import register_converter


class StudiesConfig(AppConfig):
    name = "studies"
    verbose_name = "Musescan"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from studies.views.converters import PublicIdConverter

        register_converter(PublicIdConverter, "public_id")
