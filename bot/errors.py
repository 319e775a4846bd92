"""The failures a person can read. Each carries its sentence; raised anywhere in bot/, shown at two exits only.

AtelierError
├── BadInput                what was typed or chosen cannot work
├── NotFound                no such model, job or dataset (or not yours to see)
├── NotYours                it exists, and belongs to somebody else
├── TooLate                 the job has moved on since the button was drawn
├── TooMany                 they, or their server, have as many jobs at work as they may
├── DatasetRejected         the pictures handed over cannot be used as they are
├── Cancelled               its person stopped it
├── StageOverdue            a stage of ours took longer than it ever should
├── DiscordUnreachable      no answer from Discord; try again
└── ProviderError
    ├── ProviderBusy        certainly not accepted; try again after retry_after_seconds
    │   └── ProviderAway    and not because of too many requests: it is not there, or fails
    ├── ProviderUnreachable no answer to a harmless question; try again
    ├── ProviderRefused     the request itself was wrong
    ├── ProviderModerated   refused for its content
    ├── ProviderDenied      the key is wrong or may not do this
    ├── ProviderUnpaid      the account has no money left
    ├── ProviderGone        no such task, model or endpoint there (any more)
    ├── ProviderTimedOut    it took longer than it ever should
    ├── ProviderBroken      it failed on its own
    ├── WaitedTooLong       the provider was out for so long that its job stopped waiting
    ├── TaskEnded           the provider's verdict on a task it had accepted: asking again changes nothing
    └── OutcomeUnknown      a paid request was sent and no answer came back
"""

from storage.statuses import ErrorCategory


class AtelierError(Exception):
    """`sentence` is shown to the person; `advice` is for whoever operates the bot and is never shown in a channel."""

    category: ErrorCategory = ErrorCategory.SERVICE_ERROR

    def __init__(self, sentence: str, *, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


class BadInput(AtelierError):
    category = ErrorCategory.VALIDATION


class NotFound(AtelierError):
    category = ErrorCategory.VALIDATION


class NotYours(AtelierError):
    category = ErrorCategory.AUTHENTICATION


class TooLate(AtelierError):
    category = ErrorCategory.VALIDATION


class TooMany(AtelierError):
    category = ErrorCategory.RATE_LIMIT


class DatasetRejected(AtelierError):
    category = ErrorCategory.FILE_ERROR


class Cancelled(AtelierError):
    category = ErrorCategory.CANCELLED


class StageOverdue(AtelierError):
    category = ErrorCategory.TIMEOUT


class DiscordUnreachable(AtelierError):
    category = ErrorCategory.NETWORK


class ProviderError(AtelierError):
    """What a provider did, by meaning; `bot/providers/` translates status numbers into these once."""


class ProviderBusy(ProviderError):
    category = ErrorCategory.RATE_LIMIT

    def __init__(self, sentence: str, *, retry_after_seconds: float = 1.0, advice: str = "") -> None:
        super().__init__(sentence, advice=advice)
        self.retry_after_seconds = retry_after_seconds


class ProviderAway(ProviderBusy):
    category = ErrorCategory.NETWORK


class ProviderUnreachable(ProviderError):
    category = ErrorCategory.NETWORK


class ProviderRefused(ProviderError):
    category = ErrorCategory.VALIDATION


class ProviderModerated(ProviderError):
    category = ErrorCategory.MODERATION


class ProviderDenied(ProviderError):
    category = ErrorCategory.AUTHENTICATION


class ProviderUnpaid(ProviderError):
    category = ErrorCategory.PAYMENT


class ProviderGone(ProviderError):
    category = ErrorCategory.GONE


class ProviderTimedOut(ProviderError):
    category = ErrorCategory.TIMEOUT


class ProviderBroken(ProviderError):
    category = ErrorCategory.SERVICE_ERROR


class WaitedTooLong(ProviderError):
    """Nothing was sent. Carries the category of the outage."""

    def __init__(self, sentence: str, *, category: ErrorCategory, advice: str = "") -> None:
        super().__init__(sentence, advice=advice)
        self.category = category


class TaskEnded(ProviderError):
    """Carries the category of whatever ended the task."""

    def __init__(self, sentence: str, *, category: ErrorCategory, advice: str = "") -> None:
        super().__init__(sentence, advice=advice)
        self.category = category


class OutcomeUnknown(ProviderError):
    category = ErrorCategory.UNCERTAIN
