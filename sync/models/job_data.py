"""JobData: what one step of a job leaves for the next. Deleted when the job is done."""

from __future__ import annotations

from typing import Any

from django.db import connection, models, transaction

from sync.models.job import Job

CHUNK_BYTES = 1024 * 1024
NAME_LENGTH = 255


class JobData(models.Model):
    """What the last step read, as values; a table of its own, so that the one of jobs stays narrow."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True)
    content = models.JSONField()

    class Meta:
        db_table = "sync_cargo"

    def __str__(self) -> str:
        return f"data of {self.job_id}"

    @classmethod
    def load(cls, jobs: list[Job]) -> dict[int, Any]:
        """The data of each job by the job's ID; jobs without any are missing."""
        return dict(cls.objects.filter(job__in=jobs).values_list("job_id", "content"))

    @classmethod
    def store(cls, contents: dict[int, Any]) -> None:
        """Replace the data of the jobs; one statement."""
        rows = [JobData(job_id=job_id, content=content) for job_id, content in contents.items()]
        # MySQL finds the conflicting key itself and takes no name of one
        key = ["job"] if connection.features.supports_update_conflicts_with_target else None
        JobData.objects.bulk_create(rows, update_conflicts=True, unique_fields=key, update_fields=["content"])


class Attachment(models.Model):
    """A file that was fetched from one portal and is not written to the other yet."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="attachments")
    field = models.CharField(max_length=100)
    file_id = models.CharField(max_length=40)
    name = models.CharField(max_length=NAME_LENGTH)
    size = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "field", "file_id"], name="one_copy_of_a_file")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def store(cls, job: Job, *, field: str, file_id: str, name: str, content: bytes) -> Attachment:
        """Keep a file, in pieces that fit any database's packet size; replaces an earlier copy."""
        with transaction.atomic():
            cls.objects.filter(job=job, field=field, file_id=file_id).delete()
            row = cls.objects.create(
                job=job, field=field, file_id=file_id, name=name[-NAME_LENGTH:], size=len(content)
            )
            starts = range(0, len(content), CHUNK_BYTES)
            for number, start in enumerate(starts):
                piece = content[start : start + CHUNK_BYTES]
                AttachmentPiece.objects.create(attachment=row, number=number, content=piece)
        return row

    def read(self) -> bytes:
        """The file's bytes."""
        return b"".join(bytes(piece) for piece in self.pieces.values_list("content", flat=True))


class AttachmentPiece(models.Model):
    """At most 1 MiB of a file."""

    attachment = models.ForeignKey(Attachment, models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["attachment", "number"], name="one_piece_a_number")]

    def __str__(self) -> str:
        return f"{self.attachment_id}/{self.number}"
