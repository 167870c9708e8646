"""What Terraform deploys against what the code is: the same functions, topics, secrets and settings."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from shared import topology
from shared.config import Secret, Settings, load
from shared.errors import ConfigError
from shared.messages import BY_TOPIC
from tests.infra.terraform import ROOT, TERRAFORM, functions, sources

DEPLOYED = functions()
ON_DISK = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
SETTINGS = set(Settings.__struct_fields__)
# Read by the runtime of the functions, or by the library of a service, not by us.
RUNTIME = {"FUNCTION_SOURCE", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "PROBE_FROM"}


def test_every_function_stands_once_in_the_list() -> None:
    listed = re.findall(r'^  "(\w+)": \{', (TERRAFORM / "functions.json").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(DEPLOYED)


def test_every_function_in_the_code_is_deployed() -> None:
    assert set(DEPLOYED) >= ON_DISK


@pytest.mark.parametrize("name", sorted(DEPLOYED))
def test_every_function_that_is_deployed_is_in_the_code(name: str) -> None:
    module = importlib.import_module(f"functions.{name}.main")
    assert callable(module.main)
    assert DEPLOYED[name].does


def test_every_topic_a_function_is_joined_to_is_that_of_a_message() -> None:
    named = {topic for one in DEPLOYED.values() for topic in (*one.pushed, *one.pulled, *one.publishes)}
    assert named <= set(BY_TOPIC)


def test_every_topic_has_somebody_who_may_publish_to_it() -> None:
    assert set(BY_TOPIC) <= {topic for one in DEPLOYED.values() for topic in one.publishes}


def test_everyone_can_say_that_a_message_is_unusable_and_that_a_person_is_needed() -> None:
    silent = {name for name, one in DEPLOYED.items() if not {"alerts", "quarantine"} <= set(one.publishes)}
    assert silent == {"alerts"}  # it tells people itself
    assert "quarantine" in DEPLOYED["alerts"].publishes


def test_deployment_and_code_agree_on_who_is_called_by_what() -> None:
    wanted = {one.name: (one.schedule, set(one.topics)) for one in topology.FUNCTIONS}
    found = {name: (DEPLOYED[name].schedule, set(DEPLOYED[name].pushed)) for name in wanted}
    assert found == wanted
    assert DEPLOYED["execution"].pulled == topology.EXECUTION_TOPICS
    assert topology.DEAD_LETTERS in (TERRAFORM / "modules/system/locals.tf").read_text()


def test_only_the_executor_reads_the_trading_key() -> None:
    readers = [name for name, one in DEPLOYED.items() if "kalshi-private-key" in one.secrets]
    assert readers == ["execution"]


def test_a_key_that_is_pinned_and_not_set_is_no_contradiction() -> None:
    given = {"BACKEND": "gcp", "GOOGLE_CLOUD_PROJECT": "demo", "KALSHI_KEY_ID": "id"}
    assert (
        load({**given, "SECRET_VERSIONS": "odds-api-key=1,kalshi-private-key=4/3"}, None).kalshi_key_id
        == "id"
    )
    with pytest.raises(ConfigError, match="no private key"):
        load({**given, "SECRET_VERSIONS": "odds-api-key=1"}, None)


def test_every_secret_is_a_setting_that_hides_itself() -> None:
    hidden = {field for field in SETTINGS if isinstance(getattr(Settings(), field), Secret)}
    named = {secret.replace("-", "_") for one in DEPLOYED.values() for secret in one.secrets}
    assert named <= hidden


def test_the_executor_is_the_one_service_that_never_sleeps() -> None:
    assert [name for name, one in DEPLOYED.items() if one.runs == "service"] == ["execution"]


def test_below_one_processor_an_instance_takes_one_call_at_a_time() -> None:
    wrong = [name for name, one in DEPLOYED.items() if float(one.cpu) < 1 and one.concurrency != 1]
    assert wrong == []


def test_every_variable_given_to_a_function_is_a_setting() -> None:
    text = sources()["modules/system/locals.tf"] + sources()["modules/system/functions.tf"]
    named = set(re.findall(r"\b([A-Z][A-Z0-9_]{3,})\s+=", text))
    assert {name for name in named - RUNTIME if name.lower() not in SETTINGS} == set()


@pytest.mark.parametrize("word", ["allUsers", "allAuthenticatedUsers"])
def test_no_file_grants_anything_to_everybody(word: str) -> None:
    granted = [name for name, text in sources().items() if re.search(rf'member\s*=\s*"{word}"', text)]
    assert granted == []


def test_no_file_grants_a_primitive_role() -> None:
    found = [name for name, text in sources().items() if re.search(r"roles/(owner|editor|viewer)\b", text)]
    assert found == []


def test_no_state_no_lock_and_no_key_is_part_of_the_repository() -> None:
    suspicious = re.compile(r"(\.tfstate|\.terraform\.lock\.hcl|\.pem)$")
    ours = [path for path in TERRAFORM.rglob("*") if ".terraform" not in path.parts[:-1]]
    assert [path.name for path in ours if suspicious.search(path.name)] == []


def test_what_the_image_is_named_by_is_what_the_build_is_given() -> None:
    text = sources()["modules/image/variables.tf"]
    [patterns] = re.findall(r"default\s+= \[(.*)\]", text)
    tops = {Path(pattern.strip('" ')).parts[0] for pattern in patterns.split(",")}
    [sent] = re.findall(r"for part in (.*); do", (TERRAFORM / "modules/image/build.sh").read_text())
    assert tops <= set(sent.split())
