"""The README of a published LoRA: front matter the Hub understands, and words for whoever finds it. Pure.

Names and prompts are strangers' words: they are data in the YAML and text in the Markdown, never markup.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bot.hub.names import WEIGHTS
from bot.providers.base_models import BaseModel

LONGEST_LINE = 300
PLAIN = re.compile(r"[A-Za-z][\w./:-]*", re.ASCII)  # the Hub reads YAML 1.2, where 1e3 is a number
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
DIRECTION_SIGNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`file_name` is where the picture lies in the repository, e.g. `images/sample_1.png`."""

    prompt: str
    file_name: str


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """`settings` are shown as a table, in their order: steps, learning rate, provider and the like."""

    name: str
    trigger_word: str
    base_model: BaseModel
    samples: tuple[Sample, ...]
    settings: Mapping[str, Any]


def model_card(model: PublishedModel) -> str:
    """The whole README.md."""
    parts = [
        f"---\n{_front_matter(model)}---",
        f"# {_text(model.name)}",
        *(["<Gallery />"] if model.samples else []),
        _about(model),
        f"## Trigger word\n\nUse **{_text(model.trigger_word)}** in the prompt: it calls what this LoRA has learnt.",
        _usage(model.base_model),
        *([_settings_table(model.settings)] if model.settings else []),
        _licence(model.base_model),
    ]
    return "\n\n".join(parts) + "\n"


class _FrontMatter(yaml.SafeDumper):
    """Quotes everything that is more than a plain word, on one line: no `---` ever begins one."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the method is PyYAML's
        return True


def _quoted(dumper: Any, text: str) -> Any:
    style = None if PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_FrontMatter.add_representer(str, _quoted)


def _front_matter(model: PublishedModel) -> str:
    base = model.base_model
    facts: dict[str, Any] = {
        "license": base.license,
        "license_name": base.license_name,
        "license_link": base.license_link,
        "base_model": base.hub_id,
        "base_model_relation": "adapter" if base.hub_id else None,
        "pipeline_tag": "text-to-image",
        "library_name": "diffusers",
        "tags": ["text-to-image", *(["flux"] if base.hub_id else []), "lora", "diffusers", "template:sd-lora"],
        "instance_prompt": model.trigger_word,
        "widget": [{"text": sample.prompt, "output": {"url": sample.file_name}} for sample in model.samples],
    }
    said = {name: value for name, value in facts.items() if value}
    return str(yaml.dump(said, Dumper=_FrontMatter, sort_keys=False, allow_unicode=True, width=float("inf")))


def _about(model: PublishedModel) -> str:
    base = model.base_model
    on = f"[{_text(base.title)}](https://huggingface.co/{base.hub_id})" if base.hub_id else _text(base.title)
    return f"A LoRA for {on}, finetuned with Atelier."


def _usage(base: BaseModel) -> str:
    if base.hub_id is None:
        return f"## Use\n\nThe weights are in `{WEIGHTS}`."
    return f"""## Use

The weights are in `{WEIGHTS}`. With [diffusers](https://github.com/huggingface/diffusers):

```python
import torch
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained("{base.hub_id}", torch_dtype=torch.bfloat16)
pipeline.load_lora_weights("path/to/this/repository", weight_name="{WEIGHTS}")
```"""


def _settings_table(settings: Mapping[str, Any]) -> str:
    rows = [f"| {_text(str(name))} | {_text(str(value))} |" for name, value in settings.items()]
    return "\n".join(["## Training", "", "| Setting | Value |", "| --- | --- |", *rows])


def _licence(base: BaseModel) -> str:
    name = _text(base.license_name or base.license)
    shown = f"[{name}]({base.license_link})" if base.license_link else name
    return f"## Licence\n\nThe base model's licence holds for this LoRA too: {shown}."


def _text(words: str) -> str:
    """One line of Markdown that shows these words and does nothing else."""
    printable = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in words)
    line = " ".join(DIRECTION_SIGNS.sub("", printable).split())
    if len(line) > LONGEST_LINE:
        line = line[: LONGEST_LINE - 1] + "…"
    return PUNCTUATION.sub(lambda found: ENTITIES.get(found[1], f"\\{found[1]}"), line)
