"""Who operates the bot, and how they are told what only they can put right."""

import logging

log = logging.getLogger(__name__)


class Operators:
    """`person_ids` are the people of `OPERATOR_IDS`."""

    def __init__(self, person_ids: frozenset[int]) -> None:
        self._person_ids = person_ids

    def is_one(self, person_id: int) -> bool:
        return person_id in self._person_ids

    async def tell(self, subject: str, text: str) -> None:
        """Say it once for this subject, for a while. `text` never holds a secret."""
        log.warning("For the operator, about %s: %s", subject, text)
