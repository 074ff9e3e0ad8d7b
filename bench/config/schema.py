"""The keys of a config, what each may hold, and the checks between them.

Keys stand in the order in which their checks need each other: pydantic hands a validator the sound
values of the keys above its own, so that a fault in one key hides no fault of another.
"""

import math
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bench.config.blocks import BEARS_INTERVAL, RANGED, Blocks, BlocksField, unfit, usual_blocks
from bench.config.case_matrix import Axes, axes_of, sound_axes
from bench.config.choices import Disturbed, Metrics, Probes
from bench.config.countries import CountriesField
from bench.config.lookup import LookupContext
from bench.config.profiles import ProfileField, too_slow, unsuited
from bench.config.protocol_support import (
    closing,
    connection_wide_faults,
    several_at_once,
    unsupported_features,
)
from bench.config.pydantic_types import FieldError, Form, Named, Shorthand, one_or_more, reject, some
from bench.config.scalars import Name, PositiveDuration, PositiveShare, Truth, whole, whole_or
from bench.config.strategies import Clients, KeepAlive, StrategyField, StrategyForm, Workers, clashes
from bench.config.thresholds import Demands, Thresholds, idle
from bench.config.variants import Variants
from bench.model.cases import Profile, Stopping
from bench.model.comparison import DEFAULT_METRICS

MAX_CASES: Final = 10_000

_FOLDER: Final = {"type": "string", "examples": ["../flags"]}


class ConfigForm(Form):
    """One experiment of flagbench: strategies, clients, workers and profiles, compared in random blocks."""

    model_config = ConfigDict(
        json_schema_extra={"not": {"required": ["profile", "profiles"]}, "allOf": [RANGED, BEARS_INTERVAL]}
    )

    name: Name | None = Field(default=None, description="Names the run; the file's own name if left out.")
    countries: CountriesField = Field(
        default="pop20", validate_default=True, description="Which flags a round downloads."
    )
    workers: Workers = Field(
        default=["20"],
        validate_default=True,
        description="How many downloads may be in flight at once; capped at the number of fetches.",
        json_schema_extra={"default": [20]},
    )
    clients: Clients = Field(
        default=["requests", "httpx", "aiohttp"],
        validate_default=True,
        description="HTTP libraries; each strategy runs with those that it can use.",
    )
    keep_alive: KeepAlive = Field(
        default=["true"],
        validate_default=True,
        description="Whether a connection serves more than one request.",
        json_schema_extra={"default": True},
    )
    strategies: Annotated[tuple[StrategyField, ...], AfterValidator(some), Shorthand(one_or_more)] = Field(
        description="What is compared: names, or mappings with settings of their own."
    )
    request_timeout: PositiveDuration = Field(
        default="10s", validate_default=True, description="After so long a fetch is given up."
    )
    profile: ProfileField | None = Field(default=None, description="How the flag server behaves.")
    profiles: Annotated[tuple[ProfileField, ...], AfterValidator(some), Shorthand(one_or_more)] | None = (
        Field(default=None, description="Several behaviours of the flag server, instead of `profile`.")
    )
    precision: PositiveShare | None = Field(
        default=None,
        description="A case leaves the blocks once the half-width of its median's interval is so small.",
    )
    budget: PositiveDuration | None = Field(
        default=None, description="After so much time in trials no further block is begun."
    )
    blocks: BlocksField | None = Field(
        default=None,
        description="How often every case is measured, in an order drawn for each block.",
        json_schema_extra={"default": 10},
    )
    rounds: Annotated[int | None, whole_or("auto", 1, 1000)] = Field(
        default="auto",
        validate_default=True,
        description="Timed calls per trial, up to 20 where they take less than 0.1 s in all; "
        "auto: 1 to 5, until 0.5 s is timed.",
    )
    deadline: PositiveDuration = Field(
        default="60s", validate_default=True, description="After so long a trial is ended."
    )
    seed: Annotated[int, whole(0, 10**15 - 1)] = Field(
        default=1, description="Draws the order of the blocks and the weather at the server."
    )
    probes: Probes = Field(
        default="all",
        validate_default=True,
        description="What is measured beside the time: all, none, or some of it.",
    )
    pinning: Truth = Field(
        default="true",
        validate_default=True,
        description="Whether server, worker and harness have cores of their own where there are enough.",
        json_schema_extra={"default": True},
    )
    disturbed: Disturbed = Field(
        default="refuse",
        validate_default=True,
        description="What becomes of a trial that the machine or the server spoilt: refused, or kept.",
    )
    flags_dir: Annotated[Path, Named(LookupContext.existing_folder, _FOLDER)] | None = Field(
        default=None, description="A folder of flags to serve instead of the project's own."
    )
    variants: Variants | None = Field(default=None, description="What `ab` compares: base, then candidate.")
    metrics: Metrics = Field(
        default=list(DEFAULT_METRICS), validate_default=True, description="By what variants are compared."
    )
    thresholds: Thresholds | None = Field(
        default=None,
        description="By pattern of cases: the change that matters, and what the candidate must keep to.",
    )

    @field_validator("strategies")
    @classmethod
    def _have_work(cls, forms: tuple[StrategyForm, ...], info: ValidationInfo) -> tuple[StrategyForm, ...]:
        offered = info.context.clients.values() if info.context else ()
        reject(clashes(forms, info.data.get("clients"), offered))
        return forms

    @field_validator("profile")
    @classmethod
    def _answers_in_time(cls, profile: Profile, info: ValidationInfo) -> Profile:
        if reason := too_slow(profile, info.data.get("request_timeout", math.inf)) or _mute(profile, info):
            raise ValueError(reason)
        reject(_unfit_for_http2(profile, info))
        return profile

    @field_validator("profiles")
    @classmethod
    def _answer_in_time(cls, profiles: tuple[Profile, ...], info: ValidationInfo) -> tuple[Profile, ...]:
        if info.data.get("profile") is not None:
            raise ValueError("stands beside 'profile'; write one of the two")
        faults = unsuited(profiles, info.data.get("request_timeout", math.inf))
        for index, profile in enumerate(profiles):
            if reason := _mute(profile, info):
                faults.append(FieldError((index,), reason))
            faults += [
                FieldError((index, *fault.steps), fault.what) for fault in _unfit_for_http2(profile, info)
            ]
        reject(faults)
        return profiles

    @field_validator("blocks")
    @classmethod
    def _are_enough(cls, blocks: Blocks, info: ValidationInfo) -> Blocks:
        is_sound = {"precision", "budget"} <= info.data.keys()
        if blocks.least is not None and is_sound and not (info.data["precision"] or info.data["budget"]):
            reject([FieldError(("min",), "goes only with 'precision' or 'budget', which say when to stop")])
        reject(unfit(blocks, info.data.get("precision")))
        return blocks

    @field_validator("thresholds")
    @classmethod
    def _fit_cases(cls, thresholds: Demands, info: ValidationInfo) -> Demands:
        axes = axes_of(info.data)
        if axes is not None and axes.most <= MAX_CASES:
            reject(idle([*thresholds], axes.cases(installed=False)))
        return thresholds

    @model_validator(mode="after")
    def _is_of_a_size(self) -> Self:
        if (cases := self.axes.most) > MAX_CASES:
            raise ValueError(f"makes up to {cases:,} cases, at most {MAX_CASES:,}")
        return self

    @property
    def axes(self) -> Axes:
        """What is multiplied to cases."""
        return sound_axes(dict(self))

    @property
    def all_blocks(self) -> Blocks:
        """How often a case may be run; what is usual if the config does not say."""
        return self.blocks or usual_blocks(self.precision)

    @property
    def stopping(self) -> Stopping | None:
        """When a case has been run often enough; ``None`` if only the number of blocks says."""
        return self.all_blocks.stopping(self.precision, self.budget)


def _mute(profile: Profile, info: ValidationInfo) -> str:
    """Say which clients cannot serve a profile, as far as strategies and clients are sound; else nothing."""
    if "strategies" not in info.data:
        return ""
    offered = info.context.clients.values() if info.context else ()
    return unsupported_features(profile, info.data["strategies"], info.data.get("clients"), offered)


def _unfit_for_http2(profile: Profile, info: ValidationInfo) -> list[FieldError]:
    """Find what does not go with HTTP/2, as far as what makes it so is sound."""
    data = info.data
    if not (profile.http2 and {"strategies", "workers", "countries"} <= data.keys()):
        return []
    busy = several_at_once(data["strategies"], data["workers"], data["countries"])
    return [
        *connection_wide_faults(profile, busy),
        *(closing(busy, data["keep_alive"]) if "keep_alive" in data else ()),
    ]
