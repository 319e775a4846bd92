"""The words that status columns may hold; imported by every layer, imports nothing."""

from enum import StrEnum


class JobKind(StrEnum):
    ADD = "add"  # pictures to a dataset
    CAPTION = "caption"  # descriptions of a dataset's pictures, by a provider
    FINETUNE = "finetune"
    GENERATE = "generate"
    IMPORT = "import"
    PUBLISH = "publish"


WAIT_FOR_PROVIDERS = (JobKind.CAPTION, JobKind.FINETUNE, JobKind.GENERATE)


class JobStatus(StrEnum):
    """Where a job stands. Drawn in ARCHITECTURE.md."""

    PREPARING = "preparing"  # pictures are being received and checked; nothing spent
    REVIEW = "review"  # waits for its person to press Start; nothing spent
    RUNNING = "running"  # queued or at work
    UNCERTAIN = "uncertain"  # nobody can say whether a paid request was accepted; its person decides
    CANCELLING = "cancelling"  # its person asked to stop; the provider is being told
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class Stage(StrEnum):
    """A named part of a job, in the order a job meets them."""

    RECEIVED = "received"
    PREPARED = "prepared"
    DESCRIBED = "described"
    STAGED = "staged"
    TRAINING = "training"
    GENERATING = "generating"
    ARCHIVED = "archived"
    VERIFIED = "verified"
    PUBLISHED = "published"
    ANNOUNCED = "announced"


class StageOutcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the process died; the next attempt continues


class ErrorCategory(StrEnum):
    NETWORK = "network"
    AUTHENTICATION = "authentication"
    VALIDATION = "validation"
    RATE_LIMIT = "rate_limit"
    SERVICE_ERROR = "service_error"
    FILE_ERROR = "file_error"
    TIMEOUT = "timeout"
    MODERATION = "moderation"
    PAYMENT = "payment"
    GONE = "gone"
    UNCERTAIN = "uncertain"
    STORAGE = "storage"
    CANCELLED = "cancelled"

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed later; otherwise it has to be changed first."""
        return self in MAY_PASS


MAY_PASS = frozenset(
    {
        ErrorCategory.NETWORK,
        ErrorCategory.AUTHENTICATION,
        ErrorCategory.RATE_LIMIT,
        ErrorCategory.SERVICE_ERROR,
        ErrorCategory.TIMEOUT,
        ErrorCategory.PAYMENT,
        ErrorCategory.GONE,
        ErrorCategory.STORAGE,
    }
)


class DatasetAct(StrEnum):
    """A step of a dataset's history; the last one can be undone."""

    ADD = "add"
    LEAVE_OUT = "leave out"
    TAKE_BACK = "take back"
    CAPTION = "caption"
    RENAME = "rename"


class Message(StrEnum):
    """What a job says in Discord; each is posted once."""

    CARD = "card"
    RESULT = "result"
    FAILURE = "failure"
    QUESTION = "question"  # nobody can say whether it ran: its person decides


class Route(StrEnum):
    """How a message reached its person, in the order it is tried."""

    CHANNEL = "channel"
    THREAD = "thread"
    DIRECT = "direct"
    KEPT = "kept"  # nowhere to post it: /jobs show has it
