"""What has been posted already, without a Discord to post it in."""

from storage.database import Connection
from storage.deliveries import Slot, intend_delivery, remember_posted
from storage.jobs import Job
from storage.statuses import Message, Route


async def has_its_card(connection: Connection, job: Job, message_id: int = 5) -> None:
    slot = Slot(job_id=job.id, message=Message.CARD)
    await intend_delivery(connection, job, slot, route=Route.CHANNEL, posted_in=job.place.channel_id)
    await remember_posted(connection, slot, message_id)
