"""The ways the database can refuse to open; each carries the sentence the operator reads."""


class StorageRefused(Exception):
    """The database cannot be used as it is; the message says what to do."""


class DatabaseTooNew(StorageRefused):
    """A newer version of the bot has already changed this database."""


class AlreadyRunning(StorageRefused):
    """Another process of this bot holds the same data."""
