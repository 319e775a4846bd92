"""What the database and the disk can refuse; each carries its sentence."""


class StorageRefused(Exception):
    """The storage cannot be used as it is; the message tells the operator what to do."""


class DatabaseTooNew(StorageRefused):
    """A newer version of the bot has already changed this database."""


class AlreadyRunning(StorageRefused):
    """Another process of this bot holds the same data."""


class StorageTrouble(Exception):
    """The disk or the database fails just now, and nothing was stored half.

    `sentence` is for the person whose command met it, `advice` for whoever operates the bot.
    """

    def __init__(self, sentence: str, *, advice: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice
