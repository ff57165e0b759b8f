from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations
from pgvector.django import VectorExtension


class Migration(migrations.Migration):
    """Extensions; where the database user may not create them, an administrator has done so before."""

    dependencies = []
    operations = [VectorExtension(), TrigramExtension(), UnaccentExtension(), BtreeGistExtension()]
