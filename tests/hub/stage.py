"""What the Hub's tests share: a model, its job, a Hub that speaks to a simulator."""

from typing import Any

from bot.hub.card import PublishedModel, Sample
from bot.hub.hub import Hub
from bot.providers.base_models import BY_ID
from tests.simulators.hub import HubSimulator

JOB = "0123456789abcdef0123456789abcdef"
REPO = "cats-89abcdef"
PNG = b"\x89PNG\r\n\x1a\n\0" + bytes(300)
MODEL = PublishedModel(
    name="Grandma's cats: the --- sequel",
    trigger_word="CATS7",
    base_model=BY_ID["flux.1-dev"],
    samples=(Sample(prompt='a "photo" of CATS7: sleeping', file_name="images/sample_1.png"),),
    settings={"Steps": 1000},
)


def a_hub(simulator: HubSimulator, **changes: Any) -> Hub:
    return Hub(**{"token": simulator.token, "username": simulator.username, "endpoint": simulator.endpoint, **changes})
