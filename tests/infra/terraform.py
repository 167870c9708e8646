"""Terraform's side of the wiring, as tests read it: the JSON it reads itself, and its text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
_PATTERN = r'jsonPayload\.message=~\\"(.*?)\\"'
ALERTS = TERRAFORM / "modules" / "alerts" / "conditions.tf"


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further call of a function, at other times and for something else."""

    cron: str
    query: str


class Deployed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of ``terraform/functions.json``."""

    does: str
    runs: Literal["http", "service"]
    schedule: str
    by_season: bool
    pushed: tuple[str, ...]
    pulled: tuple[str, ...]
    publishes: tuple[str, ...]
    documents: bool
    raw: bool
    secrets: tuple[str, ...]
    cpu: str
    memory: str
    concurrency: int
    query: str = ""
    also: dict[str, Call] = {}
    command: tuple[str, ...] = ()


def functions() -> dict[str, Deployed]:
    """Every function Terraform deploys; an unknown key is an error."""
    return msgspec.json.decode((TERRAFORM / "functions.json").read_bytes(), type=dict[str, Deployed])


def sources() -> dict[str, str]:
    """Text of every ``.tf`` file by its path below ``terraform/``."""
    return {path.relative_to(TERRAFORM).as_posix(): path.read_text() for path in TERRAFORM.rglob("*.tf")}


def alert_names() -> set[str]:
    """Names of all alerts: the keys of ``thresholds`` and ``absences``."""
    text = ALERTS.read_text()
    found: set[str] = set()
    for block in ("thresholds", "absences"):
        start = text.index(f"  {block} = {{")
        body = text[start : text.index("\n  }\n", start)]
        found |= set(re.findall(r"^    (\w+) = \{$", body, re.MULTILINE))
    return found


def log_patterns() -> dict[str, list[str]]:
    """Regular expressions on log messages by the metric that counts them."""
    text = ALERTS.read_text()
    start = text.index("  log_metrics = {")
    body = text[start : text.index("\n  }\n", start)]
    metrics = re.findall(r"^    (\w+) = \{\n(.*?)^    \}", body, re.MULTILINE | re.DOTALL)
    return {
        name: [
            found.replace("\\\\", "\\") for found in re.findall(r'jsonPayload\.message=~\\"(.*?)\\"', entry)
        ]
        for name, entry in metrics
    }
