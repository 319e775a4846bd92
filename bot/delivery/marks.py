"""What makes one of our messages recognisable: a nonce for minutes, and an invisible mark for as long as it exists.

Discord answers a repeated nonce with the first message, but forgets it after a few minutes. The number of a card's
outer component stays with the message and is handed out with it.
"""

import hashlib

from storage.deliveries import Slot

NONCE_CHARACTERS = 25  # Discord's limit
CHOSEN = 1 << 30  # far above the numbers that Discord itself gives to components: 1, 2, 3 …


def nonce_of(slot: Slot) -> str:
    """The same after every crash, and no other message's."""
    name = f"{slot.job_id}/{slot.message}/{slot.round}/{slot.part}"
    return hashlib.sha256(name.encode()).hexdigest()[:NONCE_CHARACTERS]


def mark_of(slot: Slot) -> int:
    """The `id` of the message's outer component; a positive integer of 31 bits."""
    return CHOSEN | int(nonce_of(slot)[:8], 16) % CHOSEN
