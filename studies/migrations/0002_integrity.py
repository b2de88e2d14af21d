"""Rules that no column constraint can say, kept by triggers on both databases.

- a trial's images, and the questions and items answered, belong to the participant's study;
- the event log is append-only; decisions, consent texts and replaced answers are not changed;
- a participant's kind never changes: who is simulated stays simulated;
- nor does the study of a participant, an image of a study, or a question.
"""

from django.db import migrations

# name, table, event, condition under which the change is refused, message
RULES = [
    (
        "trial_image_in_study",
        "studies_trial",
        "INSERT OR UPDATE",
        """(SELECT study_id FROM studies_participant WHERE id = NEW.participant_id)
           <> (SELECT study_id FROM studies_studyimage WHERE id = NEW.study_image_id)""",
        "the image of a trial must belong to the study of its participant",
    ),
    (
        "response_question_in_study",
        "studies_response",
        "INSERT OR UPDATE",
        """(SELECT p.study_id FROM studies_trial t
             JOIN studies_participant p ON p.id = t.participant_id WHERE t.id = NEW.trial_id)
           <> (SELECT study_id FROM studies_question WHERE id = NEW.question_id)""",
        "the question of a response must belong to the study of its trial",
    ),
    (
        "compared_image_in_study",
        "studies_trialimage",
        "INSERT OR UPDATE",
        """(SELECT p.study_id FROM studies_trial t
             JOIN studies_participant p ON p.id = t.participant_id WHERE t.id = NEW.trial_id)
           <> (SELECT study_id FROM studies_studyimage WHERE id = NEW.study_image_id)""",
        "every image of a trial must belong to the study of its participant",
    ),
    (
        "answered_item_in_study",
        "studies_itemanswer",
        "INSERT OR UPDATE",
        """(SELECT study_id FROM studies_participant WHERE id = NEW.participant_id)
           <> (SELECT b.study_id FROM studies_item i
                JOIN studies_block b ON b.id = i.block_id WHERE i.id = NEW.item_id)""",
        "the item of an answer must belong to the study of its participant",
    ),
    *(
        (f"{row}_not_changed", f"studies_{row}", "UPDATE", "TRUE", f"a {words} is never changed")
        for row, words in (
            ("decision", "decision"),
            ("consenttext", "consent text"),
            ("revision", "replaced answer"),
        )
    ),
    ("event_not_changed", "studies_event", "UPDATE", "TRUE", "the event log is append-only"),
    ("event_not_deleted", "studies_event", "DELETE", "TRUE", "the event log is append-only"),
    (
        "participant_kind_fixed",
        "studies_participant",
        "UPDATE",
        "NEW.kind <> OLD.kind",
        "the kind of a participant never changes",
    ),
    *(
        (
            f"{row}_study_fixed",
            f"studies_{row}",
            "UPDATE",
            "NEW.study_id <> OLD.study_id",
            f"the study of a {row} never changes",
        )
        for row in ("participant", "studyimage", "question", "block")
    ),
]


def statements(vendor):
    """Pairs of (create, drop) for the database `vendor`."""
    for name, table, event, condition, message in RULES:
        if vendor == "sqlite":
            for single in event.split(" OR "):
                trigger = f"{name}_{single.lower()}"
                yield (
                    f"CREATE TRIGGER {trigger} BEFORE {single} ON {table} FOR EACH ROW "
                    f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END",
                    f"DROP TRIGGER {trigger}",
                )
        elif vendor == "postgresql":
            result = "OLD" if event == "DELETE" else "NEW"
            yield (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {condition} THEN RAISE EXCEPTION '{message}' "
                f"USING ERRCODE = 'integrity_constraint_violation'; END IF; "
                f"RETURN {result}; END $$",
                f"DROP FUNCTION {name}()",
            )
            yield (
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION {name}()",
                f"DROP TRIGGER {name} ON {table}",
            )
        else:
            raise NotImplementedError(f"Musescan runs on SQLite and PostgreSQL, not on {vendor}")


def create(apps, schema_editor):
    for sql, _ in statements(schema_editor.connection.vendor):
        schema_editor.execute(sql)


def drop(apps, schema_editor):
    for _, sql in reversed(list(statements(schema_editor.connection.vendor))):
        schema_editor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("studies", "0001_record")]
    operations = [migrations.RunPython(create, drop)]
