"""The buttons on cards. A button's custom id says what it does, to what, and for whom; it outlives a restart."""

from enum import StrEnum

import discord

Card = discord.ui.LayoutView


class Act(StrEnum):
    START = "start"
    ADVANCED = "advanced"
    CANCEL = "cancel"
    LEFT_OUT = "left-out"
    WORD = "word"
    LEAVE_OUT_FLAGGED = "leave-out-flagged"
    CAPTIONS = "captions"
    GO_TO_CAPTION = "go-to-caption"
    WRITE_CAPTIONS = "write-captions"
    REPLACE_IN_CAPTIONS = "replace-in-captions"
    DESCRIBE = "describe"
    ADD_MORE = "add-more"
    EDIT_DATASET = "edit-dataset"
    UNDO = "undo"
    TRAIN_DATASET = "train-dataset"
    OPEN_DATASET = "open-dataset"
    SHEET_PAGE = "sheet-page"
    DATASETS_PAGE = "datasets-page"
    DELETE_DATASET = "delete-dataset"
    TIMELINE = "timeline"
    MODELS_PAGE = "models-page"
    JOBS_PAGE = "jobs-page"
    DELETE_MODEL = "delete-model"
    AGAIN = "again"
    RETRY = "retry"
    ATTACH = "attach"
    SUBMIT_AGAIN = "submit-again"
    EXPORT = "export"
    SERVER_JOBS_PAGE = "server-jobs"
    ELSEWHERE = "elsewhere"


def button(
    act: Act,
    label: str,
    *,
    subject: str | int,
    person_id: int,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    disabled: bool = False,
) -> discord.ui.Button[discord.ui.LayoutView]:
    """`subject` is the id of a job, model or dataset, or a page number; or an id, a hyphen and a number."""
    return discord.ui.Button(
        label=label, style=style, custom_id=f"atelier:{act}:{subject}:{person_id}", disabled=disabled
    )


def pattern(act: Act) -> str:
    """The expression that recognises this act's custom ids, with the groups `subject` and `person`."""
    return rf"atelier:{act}:(?P<subject>[0-9]{{1,20}}(?:-[0-9]{{1,6}})?):(?P<person>[0-9]{{1,20}})"
