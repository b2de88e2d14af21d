"""What the API shows of each row."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from studies import queries
from studies.models import (
    AnalysisPlan,
    Block,
    Item,
    Outcome,
    Participant,
    ParticipantKind,
    Process,
    Question,
    Response,
    Scan,
    ScanResult,
    Study,
    StudyImage,
    TrialRole,
    Verdict,
)
from studies.services.exports.design import POLICIES
from studies.services.quality import limits_of

INTEGERS = {"type": "array", "items": {"type": "integer"}}
STRINGS = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "additionalProperties": True}
LIMITS = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
ANSWER = {
    "oneOf": [
        {"type": "integer"},
        {"type": "number"},
        {"type": "string"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
    ]
}


class ErrorSerializer(serializers.Serializer):
    """Every error has this shape."""

    code = serializers.CharField(help_text="Stable, meant for programs.")
    detail = serializers.CharField(help_text="One sentence, meant for people.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="What is wrong with each field or parameter."
    )


class QuestionSerializer(serializers.ModelSerializer):
    options = extend_schema_field(OBJECT)(serializers.JSONField)()

    class Meta:
        model = Question
        fields = ["key", "position", "kind", "text", "options"]


class ItemSerializer(serializers.ModelSerializer):
    options = extend_schema_field(OBJECT)(serializers.JSONField)()
    correct = extend_schema_field({"type": ["array", "null"], "items": {}})(serializers.JSONField)(
        allow_null=True, help_text="Values that pass, in a comprehension check."
    )

    class Meta:
        model = Item
        fields = ["key", "position", "kind", "text", "options", "correct"]


class BlockSerializer(serializers.ModelSerializer):
    """A step of the study; consent comes before the first and debrief after the last."""

    items = ItemSerializer(many=True)

    class Meta:
        model = Block
        fields = ["position", "kind", "title", "text", "items"]


class PolicySerializer(serializers.ModelSerializer):
    """What the study decided once for all its participants."""

    screening = extend_schema_field(OBJECT)(serializers.JSONField)()

    class Meta:
        model = Study
        fields = POLICIES


class StudySerializer(serializers.ModelSerializer):
    workspace = serializers.CharField(source="workspace.name")
    scan = serializers.IntegerField(source="scan_id", allow_null=True, help_text="The scan's id.")
    n_images = serializers.IntegerField()
    n_people = serializers.IntegerField(help_text="People who agreed to take part.")
    n_finished = serializers.IntegerField(help_text="People who rated all of their images.")
    n_simulated = serializers.IntegerField(help_text="Simulated raters.")

    class Meta:
        model = Study
        fields = [
            "slug",
            "title",
            "workspace",
            "state",
            "scan",
            "trials_per_participant",
            "n_images",
            "n_people",
            "n_finished",
            "n_simulated",
            "created_at",
            "launched_at",
            "closed_at",
        ]


class StudyDetailSerializer(StudySerializer):
    questions = QuestionSerializer(many=True)
    blocks = BlockSerializer(many=True)
    policies = PolicySerializer(source="*")
    quality_rules = serializers.SerializerMethodField(
        help_text="Limits beyond which a participant is marked for a second look, by name; null: "
        "the rule is off."
    )

    class Meta(StudySerializer.Meta):
        fields = [
            *StudySerializer.Meta.fields,
            "summary",
            "consent",
            "debrief",
            "responsible",
            "duration_minutes",
            "seed",
            "questions",
            "blocks",
            "policies",
            "quality_rules",
        ]

    @extend_schema_field(LIMITS)
    def get_quality_rules(self, study: Study) -> dict[str, float | None]:
        return limits_of(study)


class AnalysisPlanSerializer(serializers.ModelSerializer):
    """One version of a plan."""

    content = extend_schema_field(OBJECT)(serializers.JSONField)()

    class Meta:
        model = AnalysisPlan
        fields = ["version", "sha256", "fixed_at", "n_ratings", "reason", "content"]


class StudyPlanSerializer(serializers.Serializer):
    """Every version of a study's plan, the oldest first."""

    study = serializers.SlugField()
    counts = serializers.IntegerField(
        allow_null=True, help_text="The version that counts; null where none was fixed."
    )
    plans = AnalysisPlanSerializer(many=True)


class ParticipantSerializer(serializers.ModelSerializer):
    participant = serializers.CharField(
        source="public_id", help_text="Says nothing about who they are."
    )
    kind = serializers.ChoiceField(
        ParticipantKind.choices, help_text="Simulated raters are programs."
    )
    outcome = serializers.ChoiceField(
        [("", "Not ended"), *Outcome.choices], help_text="How taking part ended."
    )
    excluded = serializers.BooleanField(
        source="is_excluded", help_text="A researcher decided that their answers do not count."
    )
    verdict = serializers.ChoiceField(
        Verdict.choices, allow_null=True, help_text="The latest decision about them."
    )
    n_trials = serializers.IntegerField(source="n_assigned", help_text="Trials assigned.")
    n_completed = serializers.IntegerField(help_text="Trials answered.")
    n_returned = serializers.IntegerField(help_text="Trials that were given back.")

    class Meta:
        model = Participant
        fields = [
            "participant",
            "kind",
            "state",
            "outcome",
            "excluded",
            "verdict",
            "number",
            "n_trials",
            "n_completed",
            "n_returned",
            "consented_at",
            "started_at",
            "ended_at",
        ]


class ImageFields(serializers.Serializer):
    """Where an image comes from; the rows that use it have an `image`."""

    image = serializers.CharField(source="image.public_id", help_text="The image's public id.")
    image_set = serializers.CharField(source="image.image_set.name")
    position = serializers.IntegerField(
        source="image.position", help_text="Row in the set's latents and activations, from 0."
    )
    process = serializers.ChoiceField(Process.choices, source="image.process")


class StudyImageSerializer(ImageFields, serializers.ModelSerializer):
    width = serializers.IntegerField(source="image.width", help_text="Pixels.")
    height = serializers.IntegerField(source="image.height", help_text="Pixels.")
    score = serializers.FloatField(allow_null=True, help_text="Empty where the scan has it not.")
    size = serializers.IntegerField(
        allow_null=True, help_text="Nodes in the image's own anomalous subset."
    )
    pvalue = serializers.FloatField(
        allow_null=True, help_text="Calibrated p of the score; empty where it is not calibrated."
    )
    alpha = serializers.FloatField(allow_null=True, help_text="Empty where nothing is anomalous.")
    in_group = serializers.BooleanField(
        allow_null=True, help_text="Whether the group's anomalous subset has the image."
    )
    n_people = serializers.IntegerField(help_text="Ratings by people.")
    n_pilot = serializers.IntegerField(help_text="Ratings by pilot participants.")
    n_simulated = serializers.IntegerField(help_text="Ratings by simulated raters.")

    class Meta:
        model = StudyImage
        fields = [
            "image",
            "image_set",
            "position",
            "process",
            "stratum",
            "width",
            "height",
            "score",
            "pvalue",
            "size",
            "alpha",
            "in_group",
            "n_people",
            "n_pilot",
            "n_simulated",
        ]


class ResponseSerializer(serializers.ModelSerializer):
    participant = serializers.CharField(
        source="trial.participant.public_id", help_text="The participant's public id."
    )
    kind = serializers.ChoiceField(
        ParticipantKind.choices,
        source="trial.participant.kind",
        help_text="Simulated raters are programs: their answers say nothing about people.",
    )
    trial = serializers.IntegerField(
        source="trial.position", help_text="Position in the participant's order, from 1."
    )
    role = serializers.ChoiceField(
        TrialRole.choices, source="trial.role", help_text="Analyses count “main” only."
    )
    image = serializers.CharField(
        source="trial.study_image.image.public_id",
        allow_null=True,
        help_text="The image's public id; empty where several were compared.",
    )
    images = serializers.SerializerMethodField(
        help_text="The images compared, from left to right; none where there is one image."
    )
    question = serializers.CharField(source="question.key")
    value = extend_schema_field(ANSWER)(serializers.JSONField)(
        help_text="A point of the scale, the value of a label, a place on a line, text; or the "
        "places, from 1, of the images compared."
    )
    excluded = serializers.BooleanField(
        source="trial.participant.is_excluded",
        help_text="A researcher decided that this participant's answers do not count.",
    )
    n_revisions = serializers.IntegerField(help_text="How often the answer was changed.")
    response_time_ms = serializers.IntegerField(
        source="trial.response_time_ms",
        allow_null=True,
        help_text="Of the trial, from painted image to answer; some 10–40 ms long.",
    )

    class Meta:
        model = Response
        fields = [
            "participant",
            "kind",
            "excluded",
            "trial",
            "role",
            "image",
            "images",
            "question",
            "value",
            "label",
            "number",
            "n_revisions",
            "response_time_ms",
            "received_at",
        ]

    @extend_schema_field(STRINGS)
    def get_images(self, response: Any) -> list[str]:
        return queries.left_to_right(response.compared)


class GroupSerializer(serializers.ModelSerializer):
    """What the group scan found."""

    score = serializers.FloatField(source="group_score")
    alpha = serializers.FloatField(
        source="group_alpha", allow_null=True, help_text="Empty where nothing is anomalous."
    )
    n_images = serializers.IntegerField(source="group_n_images")
    n_nodes = serializers.IntegerField(source="group_n_nodes")

    class Meta:
        model = Scan
        fields = ["score", "alpha", "n_images", "n_nodes", "is_exact"]


class CalibrationSerializer(serializers.ModelSerializer):
    """How unusual the group's score is among normal images; empty where that is not known."""

    held_out: serializers.RelatedField = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )
    null = serializers.CharField(
        source="null_kind",
        help_text="What null groups were drawn from: “held-out” images, or these and the tested "
        "ones (“pooled”); empty: the group is not calibrated.",
    )
    seed = serializers.IntegerField(source="calibration_seed", allow_null=True)
    n_exceeding = serializers.IntegerField(
        source="group_n_exceeding", allow_null=True, help_text="Null groups that score as high."
    )
    pvalue = serializers.FloatField(source="group_pvalue", allow_null=True)
    low = serializers.FloatField(
        source="group_pvalue_low", allow_null=True, help_text="Clopper–Pearson, at `confidence`."
    )
    high = serializers.FloatField(source="group_pvalue_high", allow_null=True)
    confidence = serializers.FloatField(allow_null=True)

    class Meta:
        model = Scan
        fields = [
            "held_out",
            "n_held_out",
            "null",
            "n_replicates",
            "seed",
            "n_exceeding",
            "pvalue",
            "low",
            "high",
            "confidence",
        ]


class ScanSerializer(serializers.ModelSerializer):
    workspace = serializers.CharField(source="workspace.name")
    model = serializers.CharField(source="model.name", allow_null=True, default=None)
    background = serializers.CharField(source="background.name")
    test_sets: serializers.RelatedField = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )
    node_shape = extend_schema_field(INTEGERS)(serializers.JSONField)()
    versions = extend_schema_field(OBJECT)(serializers.JSONField)()
    group = GroupSerializer(source="*")
    calibration = CalibrationSerializer(source="*")

    class Meta:
        model = Scan
        fields = [
            "id",
            "name",
            "workspace",
            "model",
            "background",
            "test_sets",
            "layer",
            "tail",
            "statistic",
            "alpha_max",
            "n_restarts",
            "seed",
            "n_background",
            "n_images",
            "n_nodes",
            "node_shape",
            "max_images",
            "max_nodes",
            "engine",
            "versions",
            "duration_ms",
            "created_at",
            "group",
            "calibration",
        ]


class ScanResultSerializer(ImageFields, serializers.ModelSerializer):
    class Meta:
        model = ScanResult
        fields = [
            "image",
            "image_set",
            "position",
            "process",
            "score",
            "n_exceeding",
            "pvalue",
            "size",
            "alpha",
            "in_group",
        ]


class ScanResultDetailSerializer(ScanResultSerializer):
    nodes = serializers.SerializerMethodField(
        help_text="The nodes of the image's own anomalous subset, sorted, from 0."
    )

    class Meta(ScanResultSerializer.Meta):
        fields = [*ScanResultSerializer.Meta.fields, "nodes"]

    @extend_schema_field(INTEGERS)
    def get_nodes(self, result: ScanResult) -> list[int]:
        return list(result.nodes)
