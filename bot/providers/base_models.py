"""The base models that a LoRA can belong to, as data. A LoRA belongs to exactly one of them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BaseModel:
    """`hub_id` is its repository on the Hugging Face Hub; the licence is the one its LoRAs inherit."""

    id: str
    title: str
    hub_id: str | None
    license: str = "other"
    license_name: str | None = None
    license_link: str | None = None


def _flux(id: str, title: str, repository: str, *, license_name: str) -> BaseModel:  # noqa: A002 - the field's name
    hub_id = f"black-forest-labs/{repository}"
    link = f"https://huggingface.co/{hub_id}/blob/main/LICENSE.md"
    return BaseModel(id=id, title=title, hub_id=hub_id, license_name=license_name, license_link=link)


def _klein_4b(id: str, title: str) -> BaseModel:  # noqa: A002 - the field's name
    return BaseModel(id=id, title=title, hub_id="black-forest-labs/FLUX.2-klein-base-4B", license="apache-2.0")


def _klein_9b(id: str, title: str) -> BaseModel:  # noqa: A002 - the field's name
    return _flux(id, title, "FLUX.2-klein-base-9B", license_name="flux-non-commercial-license")


# The klein variants are those of docs.bfl.ai/flux_2/flux2_lora_inference: there, a LoRA is bound to one of them.
ALL = (
    _flux("flux.1-dev", "FLUX.1 [dev]", "FLUX.1-dev", license_name="flux-1-dev-non-commercial-license"),
    _flux("flux.1-krea-dev", "FLUX.1 Krea [dev]", "FLUX.1-Krea-dev", license_name="flux-1-dev-non-commercial-license"),
    _flux("flux.2-dev", "FLUX.2 [dev]", "FLUX.2-dev", license_name="flux-2-dev-non-commercial-license"),
    _klein_4b("flux.2-klein-base-4b", "FLUX.2 [klein] base 4B"),
    _klein_9b("flux.2-klein-base-9b", "FLUX.2 [klein] base 9B"),
    _klein_4b("flux.2-klein-4b", "FLUX.2 [klein] 4B"),
    _klein_9b("flux.2-klein-9b", "FLUX.2 [klein] 9B"),
    _klein_9b("flux.2-klein-9b-kv", "FLUX.2 [klein] 9B KV"),
    _klein_9b("flux.2-klein-9b-kv-bf16", "FLUX.2 [klein] 9B KV, BF16"),
    BaseModel(id="flux-pro", title="FLUX.1 [pro] finetune of 2025", hub_id=None),
    BaseModel(id="local-quilting", title="Local preview", hub_id=None),
)
BY_ID = {base.id: base for base in ALL}


def title_of(base_model: str) -> str:
    known = BY_ID.get(base_model)
    return known.title if known else base_model
