"""/generate: pictures from a prompt, with one of your own models or without."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Atelier
from bot.downloads import Upload
from bot.errors import NotFound
from bot.messages.buttons import Act
from bot.messages.offers import generator_choice
from bot.providers.base_models import title_of
from bot.providers.registry import choice_of
from bot.workflows.requests import PICTURES_PER_JOB, SEEDS, GenerateRequest
from cogs.answers import CHOICES, CardButton, Interaction, choices, matching, place_of, take_in, upload_of, weight_of
from storage.jobs import find_job
from storage.models import models_of_person


class GenerateCog(commands.Cog):
    def __init__(self, bot: Atelier) -> None:
        self._bot = bot

    async def cog_load(self) -> None:
        self._bot.add_dynamic_items(AgainButton)

    @app_commands.command(description="Make pictures, with one of your models or without")
    @app_commands.describe(
        model="One of your models, or a base model: type a part of its name",
        prompt="What the picture should show; use the model's trigger word",
        generator="Who makes the pictures with your model (default: the first that fits)",
        image="A picture to start from, where the generator takes one",
        strength="How strongly the model shows (default: the generator's own)",
        aspect_ratio="Width to height (default 1:1)",
        count="How many pictures, 1 to 4 (default 1)",
        seed="The same seed makes the same picture again",
    )
    async def generate(
        self,
        interaction: Interaction,
        model: str,
        prompt: str,
        generator: str = "",
        image: discord.Attachment | None = None,
        strength: app_commands.Range[float, -1, 4] | None = None,
        aspect_ratio: str = "1:1",
        count: app_commands.Range[int, 1, PICTURES_PER_JOB] = 1,
        seed: app_commands.Range[int, 0, SEEDS - 1] | None = None,
    ) -> None:
        request = GenerateRequest(
            model=model,
            prompt=prompt,
            strength=strength,
            aspect_ratio=aspect_ratio,
            count=count,
            seed=seed,
            generator=generator,
            images=(upload_of(image),) if image else (),
        )
        await _take_in(self._bot, interaction, request)

    @generate.autocomplete("model")
    async def models(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """One's own models first, then what needs none."""
        async with self._bot.resources.database.reading() as connection:
            found = await models_of_person(connection, interaction.user.id, matching=typed, limit=CHOICES)
        own = [(f"{model.name} · {model.trigger_word} · {title_of(model.base_model)}", model.id) for model in found]
        bases = self._bot.resources.providers.generators_without_model()
        return choices(
            own + matching(typed, [(f"No model: {generator_choice(*one)}", choice_of(*one)) for one in bases])
        )

    @generate.autocomplete("generator")
    async def generators(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Those that can use the model chosen so far."""
        offered = await self._bot.workflows.choice.offered_for(interaction.user.id, interaction.namespace.model or "")
        return choices(matching(typed, [(generator_choice(*one), choice_of(*one)) for one in offered]))

    @generate.autocomplete("aspect_ratio")
    async def aspect_ratios(self, _interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        offered = self._bot.resources.providers.generators()
        known = dict.fromkeys(ratio for _, generator in offered for ratio in generator.aspect_ratios)
        return choices(matching(typed, [(ratio, ratio) for ratio in known]))


class AgainButton(CardButton, act=Act.AGAIN):
    """The same request with a new seed."""

    async def press(self, interaction: Interaction) -> None:
        async with interaction.client.resources.database.reading() as connection:
            job = await find_job(connection, self.subject)
        if job is None:
            raise NotFound("That job is not known any more.")
        details, generator = job.details, f"{job.provider}:{job.details['generator']}"
        request = GenerateRequest(
            model=details["model"] or generator,
            prompt=details["prompt"],
            strength=details["strength"],
            aspect_ratio=details["aspect_ratio"],
            count=details["count"],
            seed=None,
            generator=generator if details["model"] else "",
            images=tuple(Upload(**upload) for upload in details["uploads"]),
        )
        await _take_in(interaction.client, interaction, request)


async def setup(bot: Atelier) -> None:
    await bot.add_cog(GenerateCog(bot))


async def _take_in(bot: Atelier, interaction: Interaction, request: GenerateRequest) -> None:
    job_id, place, weight = str(interaction.id), place_of(interaction), weight_of(interaction)
    await take_in(interaction, lambda: bot.workflows.generate.request(job_id, place, request, weight=weight))
