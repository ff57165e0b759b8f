"""How a demo creator's model comes to be: the next step from wherever it stands, with a person's own actions."""

from __future__ import annotations

from atelier.market.accounts.models import Creator
from atelier.market.generation import actions as generation
from atelier.market.generation.models import Generation, Output
from atelier.market.studio import actions as studio
from atelier.market.studio.models import CreationModel, TrainingRun, Version
from atelier.market.works.models import Upload
from atelier.market.works.queries import trainable_works

from .seed import portfolio, shown_briefs


def next_step(creator: Creator) -> bool:
    """Do what can be done now; True while more is to come."""
    if creator.uploads.filter(state=Upload.State.RECEIVED).exists():
        return True
    model = _model(creator)
    run = model.runs.order_by("-pk").first()
    if run is None:
        works = [work.pk for work in trainable_works(creator, model.engine)]
        studio.start_training(
            actor=creator.user, creation_model_id=model.pk, work_ids=works, idempotency_key=f"demo-{creator.handle}"
        )
        return True
    if not run.is_over:
        return True
    if run.state != TrainingRun.State.SUCCEEDED:
        return False
    version = run.version
    if model.state == CreationModel.State.DRAFT and version.state == Version.State.READY:
        studio.publish_model(actor=creator.user, creation_model_id=model.pk, anyway=not version.publishable)
    return _show_samples(creator, version)


def _model(creator: Creator) -> CreationModel:
    values = portfolio(creator.handle)["model"]
    return studio.create_model(actor=creator.user, values=values, idempotency_key=f"demo-{creator.handle}")


def _show_samples(creator: Creator, version: Version) -> bool:
    """Make a few pieces in the playground and show them on the model's page."""
    waiting = False
    for number, brief in enumerate(shown_briefs(portfolio(creator.handle)["model"]["craft"])):
        wish = generation.Wish(brief=brief, samples=1, key=f"demo-{version.pk}-{number}")
        made = generation.try_out(actor=creator.user, version=version, wish=wish)
        waiting = waiting or not made.is_over
        for output in made.outputs.filter(state=Output.State.OFFERED, showcased_at=None):
            if made.state == Generation.State.SUCCEEDED:
                generation.showcase(actor=creator.user, output_id=output.pk)
    return waiting
