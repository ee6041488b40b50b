"""What a workspace holds, as frozen values: experiments, datastores, pipelines, schedules, runs, steps, fires, polls.

Instants are aware ``datetime`` values in UTC; a schedule's own zone lives in its trigger. Absent is ``None`` or an
empty tuple, never a missing attribute. Mappings are read-only by agreement: whoever builds one hands it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from aml_magics.model.storage import CredentialKind
from aml_magics.model.triggers import Trigger

__all__ = [
    "DataPath",
    "DataPathParameter",
    "Datastore",
    "Experiment",
    "Fire",
    "Host",
    "Missed",
    "Outcome",
    "Parameter",
    "ParameterValue",
    "Pipeline",
    "PipelineEndpoint",
    "Poll",
    "Run",
    "RunStatus",
    "Schedule",
    "Status",
    "Step",
    "StepStatus",
    "Submission",
]

ParameterValue = str | int | float | bool


class Status(StrEnum):
    """Whether a pipeline, a pipeline endpoint or a schedule is in use."""

    ACTIVE = "Active"
    DEPRECATED = "Deprecated"
    DISABLED = "Disabled"


class Host(StrEnum):
    """Where a trigger lives."""

    SERVICE_V1 = "service-v1"
    SERVICE_V2 = "service-v2"
    KERNEL = "kernel"
    LOGIC_APP = "logic-app"
    DATA_FACTORY = "data-factory"


class Missed(StrEnum):
    """What becomes of time fires that fell due while no kernel was there to see them."""

    SKIP = "skip"  # recorded, not run
    ONCE = "once"  # one run for all of them
    ALL = "all"  # one run for each


class RunStatus(StrEnum):
    """The pipelines service's words for a pipeline run."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    FAILED = "Failed"
    FINISHED = "Finished"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        return self in (RunStatus.FAILED, RunStatus.FINISHED, RunStatus.CANCELED)


class StepStatus(StrEnum):
    """The pipelines service's words for a step of a run."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    RUNNING = "Running"
    FAILED = "Failed"
    FINISHED = "Finished"
    CANCELED = "Canceled"
    BYPASSED = "Bypassed"  # never started: a step that it needs failed

    @property
    def is_final(self) -> bool:
        return self not in (StepStatus.NOT_STARTED, StepStatus.QUEUED, StepStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    id: str
    name: str
    description: str = ""
    created: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datastore:
    """``folder`` is set for a local folder (an absolute path), ``account`` and ``container`` for Azure Blob.

    ``url`` is that of the blob account, ``credential`` how the workspace gets in; the secret itself is never here.
    """

    name: str
    type: str = "AzureBlob"
    folder: str | None = None
    account: str | None = None
    container: str | None = None
    url: str | None = None
    credential: CredentialKind = CredentialKind.NONE
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class DataPath:
    """A place on a datastore: what a data path parameter of a run points at. ``path`` is relative, with ``/``."""

    datastore: str
    path: str

    def __str__(self) -> str:
        return f"{self.datastore}/{self.path}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A pipeline parameter; the default's own type is the parameter's type."""

    name: str
    default: ParameterValue


@dataclass(frozen=True, slots=True)
class DataPathParameter:
    name: str
    default: DataPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A published pipeline. ``steps`` are step names in the order they were written; ``endpoint`` is its REST URL.

    ``digest`` is of the definition that was published, so that the same one is recognised; empty when nobody noted it.
    """

    id: str
    name: str
    description: str = ""
    version: str = ""
    status: Status = Status.ACTIVE
    parameters: tuple[Parameter, ...] = ()
    data_paths: tuple[DataPathParameter, ...] = ()
    steps: tuple[str, ...] = ()
    endpoint: str = ""
    continue_on_step_failure: bool = False
    graph_id: str = ""
    digest: str = ""
    created: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineEndpoint:
    """A name that stays while the pipeline behind it changes.

    ``versions`` are pipeline ids by version, which is a whole number as text; ``default_version`` is one of them.
    """

    id: str
    name: str
    versions: Mapping[str, str]
    default_version: str
    description: str = ""
    status: Status = Status.ACTIVE
    endpoint: str = ""
    created: datetime | None = None
    modified: datetime | None = None

    @property
    def pipeline_id(self) -> str:
        """The pipeline that is started when no version is named; empty when the default version is none of them."""
        return self.versions.get(self.default_version, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A pipeline, an experiment and a trigger, bound together under a name.

    ``pipeline_id`` is empty when ``endpoint_id`` names a pipeline endpoint instead: a fire then starts what is that
    endpoint's default version at the time of the fire. ``continue_on_step_failure`` overrides the pipeline's own when
    it is not ``None``. ``missed`` counts for time triggers hosted by a kernel.
    """

    id: str
    name: str
    trigger: Trigger
    pipeline_id: str
    experiment_name: str
    endpoint_id: str = ""
    description: str = ""
    status: Status = Status.ACTIVE
    pipeline_parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    data_paths: Mapping[str, DataPath] = field(default_factory=dict)
    continue_on_step_failure: bool | None = None
    missed: Missed = Missed.SKIP
    host: Host = Host.KERNEL
    created: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a pipeline. ``parameters`` and ``data_paths`` are what it really got, defaults included."""

    id: str
    experiment_name: str
    pipeline_id: str
    status: RunStatus = RunStatus.NOT_STARTED
    status_detail: str = ""
    schedule_id: str | None = None
    description: str = ""
    source: str = "SDK"  # HTTP, SDK, Schedule or Portal
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    data_paths: Mapping[str, DataPath] = field(default_factory=dict)
    continue_on_step_failure: bool = False
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one run; ``id`` is the graph node's id, ``exit_code`` is ``None`` until its process has ended."""

    id: str
    run_id: str
    name: str
    status: StepStatus = StepStatus.NOT_STARTED
    detail: str = ""
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request to run a pipeline: what the submit call carries. What is not named keeps its default."""

    experiment_name: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    data_paths: Mapping[str, DataPath] = field(default_factory=dict)
    description: str = ""
    source: str = "SDK"
    continue_on_step_failure: bool | None = None
    parent_run_id: str | None = None
    schedule_id: str | None = None


class Outcome(StrEnum):
    """What became of a fire."""

    SUBMITTED = "submitted"
    MISSED = "missed"  # fell due while no kernel was there, and the schedule says to skip those
    REFUSED = "refused"  # the host would not take it: the detail says why


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One decision to submit, with its reason. ``key`` is unique for (schedule, due) or (schedule, object, ETag).

    ``reason`` is ``clock``, ``added``, ``modified`` or ``removed``; ``due`` is set for ``clock``, ``objects`` (paths on
    the datastore) for the others.
    """

    key: str
    schedule_id: str
    reason: str
    decided: datetime
    due: datetime | None = None
    objects: tuple[str, ...] = ()
    outcome: Outcome = Outcome.SUBMITTED
    run_id: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One look at one place of a datastore; a look that finds nothing is a poll too.

    ``lateness`` is how long after it was due it began. ``matched`` is how many of the changes count for the schedule
    that was asked about; the other numbers are the place's.
    """

    at: datetime
    took: timedelta
    objects: int
    lateness: timedelta = timedelta(0)
    added: int = 0
    modified: int = 0
    removed: int = 0
    matched: int = 0
    fired: int = 0
    error: str = ""
