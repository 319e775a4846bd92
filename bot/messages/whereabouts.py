"""Where a result is when Discord would not take it in the channel of its job: said with the job, and beside it."""

from collections.abc import Sequence

import discord

from storage.deliveries import Delivery
from storage.jobs import Job
from storage.statuses import Message, Route


def sent_directly(card: discord.ui.LayoutView, job: Job) -> discord.ui.LayoutView:
    """The same card, which also says why it comes to a person's direct messages."""
    container = card.children[0]
    assert isinstance(container, discord.ui.Container)
    why = f"-# This comes to you here because Discord would not let me post it in <#{job.place.channel_id}>."
    container.add_item(discord.ui.TextDisplay(why))
    return card


def beside_the_card(deliveries: Sequence[Delivery]) -> str | None:
    """For the job's card, which everybody in the channel sees."""
    match _of_result(deliveries):
        case Delivery(route=Route.KEPT):
            return "Your result is kept: Discord would not let me post it. Use **/jobs show** to see it."
        case Delivery(route=Route.DIRECT):
            return "Your result is in your direct messages: Discord would not let me post it here."
        case Delivery(route=Route.THREAD, posted_in=thread):
            return f"Your result is in <#{thread}>: Discord would not let me post it here."
    return None


def on_asking(deliveries: Sequence[Delivery]) -> str | None:
    """For /jobs show."""
    found = _of_result(deliveries)
    match found:
        case Delivery(route=Route.KEPT):
            return "Your result is kept here: Discord would not let me post it."
        case Delivery(route=Route.DIRECT):
            return "Your result went to your direct messages: Discord would not let me post it in the channel."
        case Delivery(route=Route.THREAD, posted_in=thread):
            return f"Your result is in <#{thread}>: Discord would not let me post it in the channel."
    return None


def _of_result(deliveries: Sequence[Delivery]) -> Delivery | None:
    """The part of the result that got the least far."""
    order = list(Route)
    parts = [one for one in deliveries if one.slot.message is Message.RESULT]
    settled = [one for one in parts if one.is_settled]
    return max(settled, key=lambda one: order.index(one.route), default=None)
