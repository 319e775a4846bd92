"""Who may do what: the person a row belongs to, and nobody else."""

import pytest

from bot.errors import NotYours
from bot.permissions import Action, require
from storage.places import Place
from tests.builders import PLACE


@pytest.mark.parametrize("action", list(Action))
def test_a_row_is_its_persons_own(action: Action) -> None:
    require(PLACE.person_id, action, PLACE)
    with pytest.raises(NotYours, match=f"may {action}"):
        require(PLACE.person_id + 1, action, PLACE)


@pytest.mark.parametrize("action", list(Action))
def test_sharing_a_server_or_a_channel_gives_no_right(action: Action) -> None:
    for somebody in (PLACE.server_id, PLACE.channel_id):
        with pytest.raises(NotYours):
            require(somebody, action, PLACE)


def test_a_row_follows_its_person_to_another_server() -> None:
    elsewhere = Place(server_id=99, channel_id=98, person_id=PLACE.person_id)
    require(PLACE.person_id, Action.USE_MODEL, elsewhere)
