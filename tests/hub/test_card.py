"""The README of a published LoRA: what the Hub's gallery needs, and that no stranger's words become markup."""

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

from bot.hub.card import PublishedModel, Sample, model_card
from bot.hub.names import commit_description, promised_bytes, repo_name_for
from bot.providers.base_models import BY_ID, BaseModel

DEV = BY_ID["flux.1-dev"]
HOSTILE = [
    'a "quoted": colon, and # a hash',
    "it's: [a, {b: c}]",
    "- a list item",
    "---",
    "line one\n---\nlicense: mit\n---\n<script>alert(1)</script>",
    "a\r\n...\r\n--- !!python/object:os.system",
    "&anchor *alias !tag | > % @ `",
    "\u2028---\u2029---\x85---",
    "🐈‍⬛ 日本 café \U0001f600",
    "yes",
    "null",
    "1e3",
    "2026-11-21",
    "~",
    "=",
    "  leading and trailing  ",
    "tab\tand \x00 and \x1b[31m",
    "long " * 2000,
    "",
    "<img src=x onerror=alert(1)> [link](javascript:alert(1)) ![p](http://evil.example/x.png)",
    "| a | b |\n| - | - |",
    "</Gallery><iframe>",
    "\ud83d alone",
    "\u202egnirts",
]


def a_model(**changes: Any) -> PublishedModel:
    facts: dict[str, Any] = {
        "name": "Grandma's cats",
        "trigger_word": "CATS7",
        "base_model": DEV,
        "samples": (Sample(prompt="a photo of CATS7 on a beach", file_name="images/sample_1.png"),),
        "settings": {"Steps": 1000, "Learning rate": 0.0004, "Provider": "Replicate"},
    }
    return PublishedModel(**{**facts, **changes})


def parted(readme: str) -> tuple[dict[str, Any], str]:
    """The front matter as YAML, and the rest. Lines that begin with `---` are the two fences and nothing else."""
    fences = [found.start() for found in re.finditer(r"(?m)^---[ \t]*$", readme)]
    assert readme.startswith("---\n")
    matter, rest = readme[4 : fences[1]], readme[fences[1] + 4 :]
    assert len(fences) == 2
    return yaml.safe_load(matter), rest


def test_everything_that_the_gallery_needs_is_there() -> None:
    facts, rest = parted(model_card(a_model()))
    assert facts == {
        "license": "other",
        "license_name": "flux-1-dev-non-commercial-license",
        "license_link": "https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
        "base_model": "black-forest-labs/FLUX.1-dev",
        "base_model_relation": "adapter",
        "pipeline_tag": "text-to-image",
        "library_name": "diffusers",
        "tags": ["text-to-image", "flux", "lora", "diffusers", "template:sd-lora"],
        "instance_prompt": "CATS7",
        "widget": [{"text": "a photo of CATS7 on a beach", "output": {"url": "images/sample_1.png"}}],
    }
    assert "\n<Gallery />\n" in rest
    assert "| Steps | 1000 |" in rest
    assert "CATS7" in rest


def test_the_library_of_the_hub_reads_the_same() -> None:
    card = ModelCard(model_card(a_model()), ignore_metadata_errors=False)
    assert card.data.base_model == "black-forest-labs/FLUX.1-dev"
    assert "template:sd-lora" in (card.data.tags or [])
    assert card.data.to_dict()["instance_prompt"] == "CATS7"


def test_a_plain_licence_has_no_name_and_no_link() -> None:
    facts, _ = parted(model_card(a_model(base_model=BY_ID["flux.2-klein-base-4b"])))
    assert facts["license"] == "apache-2.0"
    assert "license_name" not in facts
    assert "license_link" not in facts


def test_a_model_without_a_home_on_the_hub_claims_none() -> None:
    facts, rest = parted(model_card(a_model(base_model=BaseModel(id="x", title="Local preview", hub_id=None))))
    assert "base_model" not in facts
    assert "base_model_relation" not in facts
    assert "flux" not in facts["tags"]
    assert "template:sd-lora" in facts["tags"]
    assert "from_pretrained" not in rest


def test_without_samples_there_is_no_gallery() -> None:
    facts, rest = parted(model_card(a_model(samples=(), settings={})))
    assert "widget" not in facts
    assert "<Gallery" not in rest
    assert "## Training" not in rest


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_come_back_as_they_were(words: str) -> None:
    model = a_model(
        name=words,
        trigger_word=words,
        samples=(Sample(prompt=words, file_name="images/sample_1.png"),),
        settings={words: words, "Steps": 3},
    )
    readme = model_card(model)
    readme.encode("utf-8")
    facts, rest = parted(readme)
    assert facts["widget"][0]["text"] == words
    assert facts.get("instance_prompt", "") == words
    assert facts["license"] == "other"
    assert_is_harmless(rest)


@pytest.mark.parametrize("word", ["1e3", "0o17", "0xFF", "1_000", "yes", "null", "2026-11-21", ".nan"])
def test_a_word_that_some_yaml_takes_for_something_else_is_quoted(word: str) -> None:
    readme = model_card(a_model(trigger_word=word))
    assert f'instance_prompt: "{word}"' in readme or f"instance_prompt: '{word}'" in readme


@given(st.text(max_size=400))
def test_any_words_come_back_as_they_were(words: str) -> None:
    model = a_model(
        name=words, trigger_word=words, samples=(Sample(prompt=words, file_name="a.png"),), settings={words: words}
    )
    facts, rest = parted(model_card(model))
    assert facts["widget"][0]["text"] == words
    assert_is_harmless(rest)


def assert_is_harmless(rest: str) -> None:
    """Outside of what we wrote ourselves there is no HTML, no link, no fence and no extra line."""
    ours = rest.replace("<Gallery />", "", 1)
    assert "<" not in ours
    assert not re.search(r"(?<!\\)!\\?\[", ours)
    links = re.findall(r"(?<!\\)\]\(([^)]*)\)", ours)
    assert all(link.startswith(("https://huggingface.co/black-forest-labs/", "https://github.com/")) for link in links)
    assert ours.count("```") == 2
    headings = re.findall(r"(?m)^#+ ", ours)
    assert headings == ["# ", "## ", "## ", "## ", "## "]
    table = [line for line in ours.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in table)
    assert "\u202e" not in ours


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Grandma's Cats!", "grandma-s-cats-89abcdef"),
        ("Äöü Straße", "aou-strae-89abcdef"),
        ("日本", "lora-89abcdef"),
        ("../../etc/passwd", "etc-passwd-89abcdef"),
        ("--..--.git", "git-89abcdef"),
        ("", "lora-89abcdef"),
    ],
)
def test_a_repository_is_named_for_its_model(name: str, expected: str) -> None:
    assert repo_name_for(name, "01234567-89ABCDEF") == expected


@given(st.text(), st.uuids())
def test_a_repository_name_is_always_one(name: str, job: Any) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made := repo_name_for(name, job.hex))
    assert len(made) <= 70


def test_two_jobs_never_share_a_repository() -> None:
    assert repo_name_for("cats", "a" * 32) != repo_name_for("cats", "b" * 32)


def test_a_commit_tells_how_large_its_weights_are() -> None:
    assert promised_bytes(commit_description(12_345)) == 12_345
    assert promised_bytes("something else") is None
    assert promised_bytes(None) is None
