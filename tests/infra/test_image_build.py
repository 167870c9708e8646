"""The build that Terraform starts, with a ``gcloud`` that only writes down what it was told."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.infra.terraform import ROOT, TERRAFORM

BUILD = TERRAFORM / "modules" / "image" / "build.sh"
IMAGE = "us-east4-docker.pkg.dev/demo/arb/arb:0123456789abcdef"

GCLOUD = """#!/usr/bin/env bash
echo "$@" >> "$CALLS"
case "$1 $2" in
  "artifacts docker") exit "$THERE" ;;
  "builds submit") (cd "$3" && find . -type f | sort) > "$SENT" ;;
esac
"""


def build(folder: Path, *, there: bool) -> tuple[str, str]:
    """Calls of gcloud, and the files that were sent."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "gcloud"
    program.write_text(GCLOUD)
    program.chmod(0o755)
    calls, sent = folder / "calls", folder / "sent"
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "SENT": str(sent),
        "THERE": "0" if there else "1",
        "IMAGE": IMAGE,
        "PROJECT": "demo",
        "REGION": "us-east4",
        "ROOT": str(ROOT),
        "SERVICE_ACCOUNT": "projects/demo/serviceAccounts/arb-build@demo.iam.gserviceaccount.com",
        "SOURCE_BUCKET": "demo-build",
        "CONFIG": "cloudbuild.yaml",
    }
    subprocess.run([str(BUILD)], env=environment, check=True, timeout=60, capture_output=True)  # noqa: S603 - ours
    return calls.read_text(), sent.read_text() if sent.exists() else ""


@pytest.mark.e2e
def test_an_image_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    calls, sent = build(tmp_path, there=True)
    assert "builds submit" not in calls
    assert sent == ""


@pytest.mark.e2e
def test_what_the_dockerfile_copies_is_sent_and_nothing_of_this_machine(tmp_path: Path) -> None:
    calls, sent = build(tmp_path, there=False)
    assert f"_IMAGE={IMAGE}" in calls
    assert "--service-account projects/demo/" in calls
    files = set(sent.split())
    assert {"./requirements.txt", "./functions/kalshi_scraper/main.py", "./infra/image/Dockerfile"} <= files
    assert not [name for name in files if re.search(r"__pycache__|\.venv|\.git/|tfstate|tfvars|\.env", name)]


def test_everything_the_dockerfile_copies_names_the_image() -> None:
    dockerfile = (ROOT / "infra" / "image" / "Dockerfile").read_text()
    copied = {
        source.split("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    patterns = (TERRAFORM / "modules" / "image" / "variables.tf").read_text()
    assert copied
    assert all(f'"{source}' in patterns for source in copied)
