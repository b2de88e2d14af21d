"""Everything, for a superuser; what was observed or computed can be read but not changed.

A study and its questions can be edited while the study is a draft; launching, pausing and
closing go through the services, which check and log them.
"""

from itertools import islice
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django_tasks_db.models import DBTaskResult
from knox.models import AuthToken

from studies.models import (
    AnalysisPlan,
    AnalysisRun,
    Balance,
    Block,
    Check,
    CompletionCode,
    ConsentText,
    Coverage,
    Decision,
    Event,
    GenerativeModel,
    Identity,
    Image,
    ImageSet,
    Invitation,
    Item,
    ItemAnswer,
    Job,
    Membership,
    Participant,
    Question,
    Response,
    Revision,
    Scan,
    ScanResult,
    Session,
    Study,
    StudyImage,
    StudyState,
    Trial,
    TrialImage,
    Workspace,
)
from studies.quality import read_limits
from studies.questions import QUESTION_TYPES, question_type
from studies.services.design import furnish

admin.site.site_header = admin.site.site_title = "Musescan"
admin.site.index_title = "The record"
# A token is shown once, to its user, who makes it; here it could be made for somebody else.
admin.site.unregister(AuthToken)
# The queue's own rows could be deleted there, under a job that waits for them.
admin.site.unregister(DBTaskResult)

# How many of a subset's nodes a page lists.
NODES_SHOWN = 200


class ReadOnly(admin.ModelAdmin):
    """Rows that tell what happened: to change, add or delete one would falsify the record."""

    # Counting a million rows once more only to say “of 1,000,000” is not worth it.
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def is_draft(study: Study | None) -> bool:
    return study is None or study.state == StudyState.DRAFT


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    raw_id_fields = ["user"]


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ["name", "n_members", "created_at"]
    search_fields = ["name"]
    inlines = [MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return super().get_queryset(request).annotate(n_members=models.Count("memberships"))

    @admin.display(description="members", ordering="n_members")
    def n_members(self, workspace: Any) -> int:
        return workspace.n_members


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "workspace", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "workspace"]
    raw_id_fields = ["user", "workspace"]
    search_fields = ["user__username", "workspace__name"]


@admin.register(GenerativeModel)
class GenerativeModelAdmin(ReadOnly):
    list_display = ["name", "workspace", "architecture", "created_at"]
    list_filter = ["architecture"]
    list_select_related = ["workspace"]
    search_fields = ["name", "weights_sha256"]


@admin.register(ImageSet)
class ImageSetAdmin(ReadOnly):
    list_display = ["name", "workspace", "model", "licence", "created_at"]
    list_select_related = ["workspace", "model"]
    search_fields = ["name", "source"]


@admin.register(Image)
class ImageAdmin(ReadOnly):
    list_display = ["public_id", "image_set", "position", "process", "width", "height"]
    list_filter = ["process"]
    list_select_related = ["image_set"]
    search_fields = ["public_id", "sha256", "image_set__name"]


def shown(nodes: Any) -> str:
    """How many nodes there are, and the first of them."""
    first = " ".join(str(node) for node in islice(nodes, NODES_SHOWN))
    return f"{len(nodes):,} nodes: {first}{' …' if len(nodes) > NODES_SHOWN else ''}"


@admin.register(Scan)
class ScanAdmin(ReadOnly):
    list_display = [
        "name", "workspace", "layer", "tail", "statistic", "alpha_max", "n_images",
        "group_score", "group_pvalue", "group_n_images", "created_at",
    ]  # fmt: skip
    list_filter = ["statistic", "tail"]
    list_select_related = ["workspace"]
    search_fields = ["name", "layer"]
    readonly_fields = ["subset"]

    @admin.display(description="group nodes")
    def subset(self, scan: Scan) -> str:
        return shown(scan.group_nodes)


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["name", "kind", "workspace", "state", "asked_by", "created_at", "ended_at"]
    list_filter = ["kind", "state"]
    list_select_related = ["workspace", "asked_by"]
    search_fields = ["name", "error"]


@admin.register(ScanResult)
class ScanResultAdmin(ReadOnly):
    list_display = ["image", "scan", "score", "pvalue", "size", "alpha", "in_group"]
    list_filter = ["in_group"]
    list_select_related = ["scan", "image__image_set"]
    search_fields = ["scan__name", "image__public_id"]
    readonly_fields = ["subset"]

    @admin.display(description="nodes")
    def subset(self, result: ScanResult) -> str:
        return shown(result.nodes)


class QuestionForm(forms.ModelForm):
    kind = forms.ChoiceField(choices=[(name, name) for name in QUESTION_TYPES])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "kind" in cleaned and "options" in cleaned:
            try:
                question_type(cleaned["kind"]).check_options(cleaned["options"])
            except ValueError as error:
                raise ValidationError({"options": str(error)}) from error
        return cleaned


class QuestionInline(admin.StackedInline):
    model = Question
    form = QuestionForm
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_draft(obj)


class StudyForm(forms.ModelForm):
    def clean_quality_rules(self) -> dict[str, Any]:
        rules = self.cleaned_data["quality_rules"] or {}
        try:
            read_limits(rules)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return rules


@admin.register(Study)
class StudyAdmin(admin.ModelAdmin):
    form = StudyForm
    list_display = ["title", "slug", "workspace", "state", "scan", "created_at", "launched_at"]
    list_filter = ["state"]
    list_select_related = ["workspace", "scan"]
    search_fields = ["title", "slug"]
    raw_id_fields = ["workspace", "scan"]
    readonly_fields = ["state", "launched_at", "closed_at", "created_at"]
    inlines = [QuestionInline]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The study; locked where it is about to be changed, so that nobody launches it between."""
        study = super().get_object(request, object_id, from_field)
        if study is not None and request.method == "POST":
            rows = Study.objects.select_for_update(of=("self",))
            study = rows.filter(pk=study.pk).first()
        return study

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            furnish(study=obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What a study is made of, and what was gathered in it, goes with it or protects it.
        return False


@admin.register(Question)
class QuestionAdmin(ReadOnly):
    """Questions are found here, and edited on the page of their study."""

    list_display = ["key", "study", "position", "kind", "text"]
    list_filter = ["kind"]
    list_select_related = ["study"]
    search_fields = ["key", "text", "study__slug"]


@admin.register(Block)
class BlockAdmin(ReadOnly):
    list_display = ["study", "position", "kind", "title"]
    list_filter = ["kind"]
    list_select_related = ["study"]
    search_fields = ["study__slug", "title", "text"]


@admin.register(Item)
class ItemAdmin(ReadOnly):
    list_display = ["key", "block", "position", "kind", "text"]
    list_filter = ["kind"]
    list_select_related = ["block__study"]
    search_fields = ["key", "text", "block__study__slug"]


@admin.register(Check)
class CheckAdmin(ReadOnly):
    list_display = ["id", "study", "kind", "question", "instruction"]
    list_filter = ["kind"]
    list_select_related = ["study", "question"]
    search_fields = ["study__slug", "instruction"]


@admin.register(CompletionCode)
class CompletionCodeAdmin(ReadOnly):
    """That there is a code, and for what; the code itself is worth money to whoever has it."""

    list_display = ["study", "outcome"]
    list_filter = ["outcome"]
    list_select_related = ["study"]
    search_fields = ["study__slug"]
    exclude = ["code"]


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnly):
    list_display = ["sha256", "study", "first_agreed_at"]
    list_select_related = ["study"]
    search_fields = ["study__slug", "sha256", "text"]


@admin.register(Balance)
class BalanceAdmin(ReadOnly):
    list_display = ["study", "kind", "n_started", "next_pair"]
    list_filter = ["kind"]
    list_select_related = ["study"]
    search_fields = ["study__slug"]


@admin.register(StudyImage)
class StudyImageAdmin(ReadOnly):
    list_display = ["image", "study", "role", "stratum"]
    list_filter = ["role"]
    list_select_related = ["study", "image__image_set"]
    search_fields = ["study__slug", "image__public_id", "stratum"]


@admin.register(Coverage)
class CoverageAdmin(ReadOnly):
    list_display = ["study_image", "kind", "n_assigned", "n_completed"]
    list_filter = ["kind"]
    list_select_related = ["study_image__study", "study_image__image__image_set"]
    search_fields = ["study_image__study__slug", "study_image__image__public_id"]


@admin.register(Participant)
class ParticipantAdmin(ReadOnly):
    list_display = [
        "public_id", "kind", "state", "outcome", "is_excluded", "study", "consented_at",
        "ended_at",
    ]  # fmt: skip
    list_filter = ["kind", "state", "outcome", "is_excluded"]
    list_select_related = ["study"]
    search_fields = ["public_id", "study__slug"]


@admin.register(Session)
class SessionAdmin(ReadOnly):
    """That somebody holds a session; its token's hash is nobody's business."""

    list_display = ["participant", "created_at", "expires_at"]
    list_select_related = ["participant"]
    search_fields = ["participant__public_id", "participant__study__slug"]
    exclude = ["token_sha256"]


@admin.register(Identity)
class IdentityAdmin(ReadOnly):
    """That a participant is known to a service; not as whom."""

    list_display = ["participant", "study", "service", "created_at"]
    list_filter = ["service"]
    list_select_related = ["participant", "study"]
    search_fields = ["participant__public_id", "study__slug"]
    exclude = ["key", "external_id", "submission"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """That a link was made, and whether it was used; labels may say to whom it went."""

    list_display = ["id", "study", "participant", "created_at"]
    list_select_related = ["study", "participant"]
    search_fields = ["study__slug", "participant__public_id"]
    exclude = ["token_sha256", "label"]


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ["participant", "verdict", "reason", "actor", "at"]
    list_filter = ["verdict"]
    list_select_related = ["participant", "actor"]
    search_fields = ["participant__public_id", "participant__study__slug", "reason"]


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    list_display = ["participant", "position", "role", "study_image", "state", "response_time_ms"]
    list_filter = ["role", "state", "participant__kind"]
    list_select_related = ["participant", "study_image__study", "study_image__image__image_set"]
    search_fields = ["public_id", "participant__public_id", "participant__study__slug"]


@admin.register(TrialImage)
class TrialImageAdmin(ReadOnly):
    list_display = ["trial", "place", "study_image"]
    list_select_related = [
        "trial__participant", "study_image__study", "study_image__image__image_set",
    ]  # fmt: skip
    search_fields = ["trial__public_id", "trial__participant__public_id"]


@admin.register(Response)
class ResponseAdmin(ReadOnly):
    list_display = ["trial", "question", "value", "label", "number", "received_at"]
    list_filter = ["trial__participant__kind"]
    list_select_related = ["trial__participant", "question"]
    search_fields = ["trial__participant__public_id", "question__key", "label"]


@admin.register(Revision)
class RevisionAdmin(ReadOnly):
    list_display = ["response", "value", "label", "number", "received_at", "replaced_at"]
    list_select_related = ["response__trial__participant"]
    search_fields = ["response__trial__participant__public_id", "label"]


@admin.register(ItemAnswer)
class ItemAnswerAdmin(ReadOnly):
    list_display = ["participant", "item", "attempt", "value", "label", "received_at"]
    list_filter = ["item__block__kind"]
    list_select_related = ["participant", "item"]
    search_fields = ["participant__public_id", "item__key", "label"]


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["at", "kind", "study", "participant", "actor"]
    list_filter = ["kind"]
    list_select_related = ["study", "participant", "actor"]
    search_fields = ["study__slug", "participant__public_id", "kind"]


@admin.register(AnalysisPlan)
class AnalysisPlanAdmin(ReadOnly):
    list_display = ["study", "version", "fixed_at", "n_ratings", "author", "sha256"]
    list_select_related = ["study", "author"]
    search_fields = ["study__slug", "sha256"]


@admin.register(AnalysisRun)
class AnalysisRunAdmin(ReadOnly):
    list_display = ["study", "kind", "seed", "duration_ms", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["study"]
    search_fields = ["study__slug", "input_sha256"]
