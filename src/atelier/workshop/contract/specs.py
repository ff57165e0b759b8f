"""The frozen, JSON-able things that cross the door between the market and the workshop.

Every spec names its inputs by SHA-256 and carries no user, no price and no framework object, so that the same
request can be logged, queued, replayed on another machine and compared byte for byte. Who asks is an opaque word.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = str
"""Lower-case hexadecimal SHA-256 of the bytes of a file."""


class Spec(BaseModel):
    """A value that never changes after it was made and survives a round trip through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# What an engine can do ------------------------------------------------------------------------------------------


class Category(Spec):
    """One craft a creator can offer, such as copywriting."""

    slug: str
    title: str


class FileKind(Spec):
    """One kind of file that may be uploaded as a work. The suffix is lower case and starts with a dot."""

    suffix: str
    media_type: str
    title: str


class OutputFormat(Spec):
    """One format in which a master can be delivered."""

    name: str
    title: str
    media_type: str
    suffix: str


class BaseModelInfo(Spec):
    """The base model that adapters are trained on; `sha256` names the exact weights."""

    name: str
    sha256: Sha256
    licence: str
    source: str
    parameters: int


class Limits(Spec):
    """Hard bounds, and the advice on how much is enough. Bytes, counts and seconds."""

    upload_bytes: int = 10_000_000
    pieces_per_file: int = 500
    inspect_seconds: float = 60
    works_min: int = 1
    works_advised: int = 40
    works_max: int = 2_000
    samples_max: int = 4


class Variation(Spec):
    """One way to make a sample anew from another: what is kept of it, in words for a button and a line below it.

    With `edits` the brief may be changed on the way; without, it stays as it was. `live`, only with `edits`, says that
    one sample takes well under a second, so that it may be drawn again and again while the brief is being typed.
    """

    name: str
    title: str
    description: str
    edits: bool = False
    live: bool = False


class Capabilities(Spec):
    """What an engine offers; cheap to ask for, so that a web page can.

    `brief_schema` is a JSON Schema object whose properties become the brief form, in the order they are written;
    `extent_unit` is the plural noun in which pieces are measured, `extent_unit_one` that of a single one;
    `near_duplicate_at` is the similarity (0..1) at which two works count as near copies.
    """

    engine: str
    title: str
    version: str
    categories: tuple[Category, ...]
    accepts: tuple[FileKind, ...]
    accepts_pasted: FileKind | None = None
    brief_schema: dict[str, Any]
    output_kind: Literal["text", "image", "audio", "score"]
    formats: tuple[OutputFormat, ...]
    extent_unit: str
    extent_unit_one: str = ""
    near_duplicate_at: float = 0.7
    base: BaseModelInfo
    limits: Limits = Limits()
    variations: tuple[Variation, ...] = ()

    def unit_of(self, extent: int) -> str:
        """The noun that stands behind an extent."""
        return self.extent_unit_one if extent == 1 and self.extent_unit_one else self.extent_unit


class FileRef(Spec):
    """A file the engine wrote, relative to the workspace it was given."""

    path: str
    sha256: Sha256
    bytes: int
    media_type: str


# Works ----------------------------------------------------------------------------------------------------------


class Upload(Spec):
    """A file as a person sent it: neither its name nor its media type is to be trusted. `path` is absolute."""

    path: str
    filename: str
    sha256: Sha256
    bytes: int


class Fingerprint(Spec):
    """A value by which near copies are found.

    `value` is what the engine's `similarity` compares; `bands` are integers (63 bit) of which near copies are likely
    to share at least one, so that candidates can be looked up by index. An empty `bands` means exact comparison.
    """

    scheme: str
    value: str
    bands: tuple[int, ...] = ()


class Piece(Spec):
    """One usable work found in an upload. `file` is relative to the workspace and holds the cleaned work.

    `preview` is a small picture of what was understood, WebP or PNG of at most 512 pixels a side; None for works that
    are read rather than looked at.
    """

    file: str
    sha256: Sha256
    bytes: int
    media_type: str
    title: str
    tags: tuple[str, ...] = ()
    description: str = ""
    language: str = ""
    extent: int
    excerpt: str
    fingerprints: tuple[Fingerprint, ...] = ()
    advice: tuple[str, ...] = ()
    preview: FileRef | None = None


class Refusal(Spec):
    """Why something was not taken, in words for its owner: what, why, and what to do."""

    where: str
    code: str
    message: str
    remedy: str


class Inspection(Spec):
    """What an upload holds: the pieces that can be used, and the reasons for those that cannot."""

    pieces: tuple[Piece, ...]
    refusals: tuple[Refusal, ...] = ()
    advice: tuple[str, ...] = ()


class WorkFile(Spec):
    """A work as training sees it. `path` is absolute; `id` is opaque to the engine and comes back in evaluations."""

    id: str
    path: str
    sha256: Sha256
    title: str
    tags: tuple[str, ...] = ()
    description: str = ""
    language: str = ""


# Training -------------------------------------------------------------------------------------------------------


class Guardrails(Spec):
    """What a creation model must never do: subjects it refuses, words it never writes."""

    subjects_refused: tuple[str, ...] = ()
    words_never: tuple[str, ...] = ()


class TrainSpec(Spec):
    """Everything a training run depends on. `recipe` overrides the engine's own defaults by name."""

    works: tuple[WorkFile, ...]
    dataset_sha256: Sha256
    seed: int = 0
    category: str = ""
    guardrails: Guardrails = Guardrails()
    recipe: dict[str, float | int | str | bool] = Field(default_factory=dict)


class Measure(Spec):
    """One figure with its uncertainty. `low` and `high` bound a 95 % interval; equal to `value` when it is exact."""

    value: float
    low: float
    high: float
    unit: str = ""
    meaning: str


class Bar(Spec):
    """One line of a picture: a figure with its 95 % interval. `ours` is what the picture is about."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False


class Picture(Spec):
    """Figures to be looked at on one axis from `least` to `most`; `limit` is a line that should (not) be crossed."""

    title: str
    bars: tuple[Bar, ...]
    least: float
    most: float
    unit: str = ""
    limit: float | None = None
    limit_label: str = ""


class Answer(Spec):
    """The answer to one of the four questions: a verdict, the plainest words for it, a sentence, and the figures.

    `headline` is a few words to the creator such as “Clearly in your voice”; empty where the verdict says it all.
    `headline_public` is the same to anybody else; empty where the words are. `question` and `question_public` are what
    the engine asks where its comparison is another than the house's own words say.
    """

    verdict: Literal["good", "fair", "poor", "unknown"]
    sentence: str
    question: str = ""
    question_public: str = ""
    headline: str = ""
    headline_public: str = ""
    picture: Picture | None = None
    measures: dict[str, Measure] = Field(default_factory=dict)


class Evaluation(Spec):
    """What a version has learned, on works that neither trained nor stopped the adapter they were measured with.

    `fidelity`: how much nearer the creator than the base; `worth`: does it beat the base given a good reference
    prompt; `copying`: verbatim overlap with the training works; `safety`: what it refused. `publishable` is False
    when the honest answer is that the version is no better than the base, or that it copies. `trained_on` are the
    works this version learned from, `held_out` works that what was measured did not see. With `twin` that was not the
    version but its twin, learned in the same way without `held_out`, while the version learned from these too: the way
    of engines that learn so fast that doing it twice costs nothing. `summary` is told to the creator, `summary_public`
    to anybody else; empty where the words are the same.
    """

    fidelity: Answer
    worth: Answer
    copying: Answer
    safety: Answer
    publishable: bool
    summary: str
    summary_public: str = ""
    held_out: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    twin: bool = False
    curve: tuple[dict[str, float], ...] = ()
    examples: tuple[dict[str, str], ...] = ()

    def flat(self) -> dict[str, Any]:
        """The same as nested plain objects in which `fidelity.perplexity_base` is a number, for scripts."""
        answers: dict[str, Any] = {}
        for question in ("fidelity", "worth", "copying", "safety"):
            answer: Answer = getattr(self, question)
            answers[question] = {
                "verdict": answer.verdict,
                "sentence": answer.sentence,
                **{name: measure.value for name, measure in answer.measures.items()},
                "intervals": {name: [m.low, m.high] for name, m in answer.measures.items()},
            }
        return {**answers, "publishable": self.publishable, "summary": self.summary}


class Part(Spec):
    """A part of what was learned that the creator may veto. `name` is what `GenerateSpec.vetoed` holds; the same part
    has the same name in every version that learned it.

    `group` is a heading under which such parts stand together, `work` the hash of the work that it comes from where
    there is one. `tags` are the words by which a brief finds it, which the creator may mend (`GenerateSpec.tags`); None
    where words do not find it. `guessed` tags are those of the whole work: the creator had better confirm them.
    """

    name: str
    title: str
    group: str
    description: str = ""
    work: Sha256 | None = None
    picture: FileRef | None = None
    tags: tuple[str, ...] | None = None
    guessed: bool = False


class Sheet(Spec):
    """Pictures side by side on one sheet (WebP or PNG), for judging by eye. `told` says what is seen, for those who
    cannot see it."""

    title: str
    told: str
    picture: FileRef
    width: int
    height: int
    public: bool = False


class TrainResult(Spec):
    """A finished training run. `adapter_sha256` names the adapter; `card` is its model card as data.

    The files of `parts` and `sheets` lie in the workspace beside the adapter, not in it.
    """

    adapter_dir: str
    adapter_files: tuple[FileRef, ...]
    adapter_sha256: Sha256
    evaluation: Evaluation
    card: dict[str, Any]
    seconds: float
    parts: tuple[Part, ...] = ()
    sheets: tuple[Sheet, ...] = ()


# Generation -----------------------------------------------------------------------------------------------------

MarkKey = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){16,64}$")]
"""The secret of a hidden mark: 16 to 64 random bytes in lower-case hexadecimal. Whoever has it can find its mark in a
file, and forge it."""


class Ancestor(Spec):
    """The sample from which another is made anew: by its brief, seed and taste it can be made again.

    `way` is the name of one of the `variations`; `vary` that of which it was made itself, where it was.
    """

    way: str
    brief: dict[str, Any]
    seed: int
    taste: dict[str, float] = Field(default_factory=dict)
    vetoed: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    vary: Ancestor | None = None


class GenerateSpec(Spec):
    """One request for samples. One seed a sample; the same seed gives the same output whoever else is served.

    `reveal` (0..1) is the share of each sample that previews may show; the engine never emits more than that.
    `viewer` is the same opaque word in all requests of one person, so that nobody crowds out the others; empty for
    nobody. It changes when a sample is made, never what is made.

    With `mark_key`, an engine that has `detect` works that key's hidden mark into every sample it makes itself (what a
    server elsewhere makes for it stays as that server made it), so that who has the key can tell; without, nothing is
    marked. The same seed with another key may give another output.

    `taste` is what `prefer` of a `PreferringEngine` gave; `vetoed` names parts that the creator does not want used;
    `tags` are the creator's own words for parts, by name, in place of those learned; `vary` the sample that is to be
    made anew.
    """

    request_id: str
    adapter_sha256: Sha256
    brief: dict[str, Any]
    seeds: tuple[int, ...]
    reveal: float = Field(default=1.0, ge=0, le=1)
    guardrails: Guardrails = Guardrails()
    viewer: str = ""
    mark_key: MarkKey | None = Field(default=None, repr=False)
    taste: dict[str, float] = Field(default_factory=dict)
    vetoed: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    vary: Ancestor | None = None


class Output(Spec):
    """A finished piece. `file` is the master in the engine's own format; `reduced` is what may be shown unpaid.

    `reduced` of a text is {"text": …}; of a picture {"image": a data URI of WebP or PNG, "width", "height" in pixels,
    "told": what is seen, in words}. `features` are figures by which an engine ranks what it makes: what people pick
    teaches it through `prefer`.
    """

    sample: int
    seed: int
    file: FileRef
    reduced: dict[str, Any]
    extent: int
    finish: Literal["complete", "length"]
    features: dict[str, float] = Field(default_factory=dict)


class Pick(Spec):
    """What a person chose among samples of one request, by the features of each."""

    chosen: dict[str, float]
    others: tuple[dict[str, float], ...]


class Trace(Spec):
    """What a file shows of one mark key.

    `p_value` is the probability that a file made without the key shows as much or more; `places` says how many places
    in the file were looked at, and `enough` whether a file that long would as good as surely show the mark if it was
    marked from end to end: only then does a high `p_value` tell anything.
    """

    p_value: float = Field(ge=0, le=1)
    places: int
    enough: bool


class Share(Spec):
    """What part of an output one work shaped, 0 to 1, with a 95 % interval. `work` is the hash of the work's file."""

    work: Sha256
    value: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Attribution(Spec):
    """Which of the works an adapter was trained on shaped an output; the largest share first.

    Only works that stand out are named. `told` is the sum of their shares; the rest, up to 1, is what the base knew
    before, what all works have in common, and what cannot be told. `method` names the way it was found, and its
    version: figures of different methods do not compare.
    """

    method: str
    shares: tuple[Share, ...] = ()
    told: float = Field(default=0.0, ge=0, le=1)


# News -----------------------------------------------------------------------------------------------------------


class Progress(Spec):
    """How far something is. `done/planned` never goes back within one job; `seconds_left` is None while unknown.

    `ahead` counts the other requests whose turn comes before this one's; None once it has begun, or where nobody waits
    in turns.
    """

    stage: str
    done: int
    planned: int
    seconds_left: float | None = None
    ahead: int | None = None
    note: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)


class Preview(Spec):
    """A part of sample number `sample`, to be shown at once. `payload` belongs to the output kind.

    For kind "text", payload is {"append": str}: what follows the text shown so far. For kind "image" it is
    {"image": str, "width": int, "height": int}, a data URI and its size in pixels, instead of what was shown so far.
    """

    sample: int
    payload: dict[str, Any]
