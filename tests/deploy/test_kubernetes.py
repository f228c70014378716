"""The Kubernetes manifests: valid by the schemas of Kubernetes, whole among themselves, safe by our checklist."""

import json
import re
import shutil
import stat
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from sentinel import __version__
from sentinel.app import ROOMS
from sentinel.cli.main import app
from sentinel.cli.server import UVICORN
from sentinel.settings import Settings
from tests.deploy.conftest import ROOT
from tests.deploy.test_documented import block, type_in
from tests.stage import Keys

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.32", "1.37")
"""The oldest and the newest release of Kubernetes that the manifests are for."""
TIERS = ("public", "internal")


@cache
def documents() -> list[dict[str, Any]]:
    """Every object that the manifests make; not to be changed."""
    return [
        document
        for path in sorted(FOLDER.rglob("*.yaml"))
        if path.name != "kustomization.yaml"
        for document in yaml.safe_load_all(path.read_text())
    ]


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [
        document
        for document in documents()
        if (document["kind"], document["metadata"]["name"]) == (kind, name)
    ]
    return found


def pod(tier: str) -> dict[str, Any]:
    spec: dict[str, Any] = one("Deployment", f"sentinel-{tier}")["spec"]["template"]["spec"]
    return spec


def container(tier: str) -> dict[str, Any]:
    [found] = pod(tier)["containers"]
    assert isinstance(found, dict)
    return found


@cache
def validation() -> Any:
    """What judges manifests. Loading it takes a second, which no process has to spare that only reads this file."""
    import kubernetes_validate  # type: ignore[import-untyped]

    return kubernetes_validate


def variables(tier: str) -> dict[str, str]:
    """The environment of the service in a pod; values of the Secret are left empty."""
    given = dict(
        line.split("=", 1)
        for line in (FOLDER / "example" / "sentinel.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    given |= dict.fromkeys(one("Secret", "sentinel")["stringData"], "")
    return given | {entry["name"]: entry["value"] for entry in container(tier)["env"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str) -> None:
    for document in documents():
        validation().validate(document, version, strict=True)


def test_the_validation_sees_a_slip() -> None:
    document = deepcopy(one("Deployment", "sentinel-public"))
    document["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(validation().ValidationError):
        validation().validate(document, VERSIONS[-1], strict=True)


def test_kustomizations_name_every_file_and_nothing_else() -> None:
    for folder in (FOLDER / "base", FOLDER / "example"):
        file = yaml.safe_load((folder / "kustomization.yaml").read_text())
        assert (file["apiVersion"], file["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
        listed = set(file["resources"])
        for generator in file.get("configMapGenerator", []):
            listed |= set(generator["envs"])
        for entry in listed:
            path = folder / entry
            assert path.is_file() or (path / "kustomization.yaml").is_file(), entry
        # A template of Secrets is to read, never to apply.
        left = {path.name for path in folder.iterdir()} - {"kustomization.yaml", "secrets.template.yaml"}
        assert left == {entry for entry in listed if "/" not in entry}
    example = yaml.safe_load((FOLDER / "example" / "kustomization.yaml").read_text())
    [image] = example["images"]
    assert image["newTag"] == __version__


def test_kustomize_makes_of_it_what_it_should() -> None:
    """With the real program where there is one; the tests above and below read the files as they are."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("no kubectl here: put one on PATH; everything but this rendering is tested without it")
    made = subprocess.run(
        [program, "kustomize", str(FOLDER / "example")], capture_output=True, text=True, check=True
    ).stdout
    objects = list(yaml.safe_load_all(made))
    for document in objects:
        validation().validate(document, VERSIONS[-1], strict=True)
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "sentinel"
    assert {document["kind"] for document in objects}.isdisjoint({"Secret"})
    [settings] = [document for document in objects if document["kind"] == "ConfigMap"]
    assert settings["data"].items() <= variables("public").items()
    pods = [document["spec"]["template"] for document in objects if document["kind"] == "Deployment"]
    for template in pods:
        for part in (*template["spec"]["initContainers"], *template["spec"]["containers"]):
            assert part["image"] == f"registry.example.com/sentinel-auth:{__version__}"
            assert part["envFrom"][0]["configMapRef"]["name"] == settings["metadata"]["name"]
    for document in objects:
        match document["kind"]:
            case "Service":
                selector = document["spec"]["selector"]
            case "PodDisruptionBudget":
                selector = document["spec"]["selector"]["matchLabels"]
            case _:
                continue
        assert selector["app.kubernetes.io/name"] == "sentinel"
        chosen = [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]
        assert len(chosen) == 1, document["metadata"]["name"]
    # No policy is for other pods of a shared namespace.
    for policy in [one for one in objects if one["kind"] == "NetworkPolicy"]:
        labels = policy["spec"]["podSelector"]["matchLabels"]
        assert labels["app.kubernetes.io/name"] == "sentinel"
        assert any(labels.items() <= pod["metadata"]["labels"].items() for pod in pods)


def test_secrets_stand_in_no_file() -> None:
    for document in documents():
        if document["kind"] == "Secret":
            assert set(document["stringData"].values()) == {""}, document["metadata"]["name"]
    assert not any(
        re.search(r"SECRET|PASSWORD|DATABASE_URL|REDIS_URL", line)
        for line in (FOLDER / "example" / "sentinel.env").read_text().splitlines()
    )


def test_the_secrets_are_made_as_the_page_has_it(tmp_path: Path) -> None:
    """Kubectl takes each line as it is, quotes too; so what stands there has to be the value itself."""
    type_in(block("kubernetes", "secrets"), tmp_path)
    made = tmp_path / "secrets.env"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    values = dict(line.split("=", 1) for line in made.read_text().splitlines())
    assert set(values) == set(one("Secret", "sentinel")["stringData"])
    settings = Settings.load({}, env_file=tmp_path / "installation" / "sentinel.env")
    assert settings.session_secret_key.get_secret_value() == values["SESSION_SECRET_KEY"]
    assert settings.database_url.get_secret_value() == values["DATABASE_URL"]
    assert settings.redis_url and settings.redis_url.get_secret_value() == values["REDIS_URL"]
    assert values["GITHUB_CLIENT_SECRET"] == "a-secret"
    keys = one("Secret", "sentinel-keys")["stringData"]
    assert {path.name for path in (tmp_path / "installation" / "keys").iterdir()} == set(keys)


@pytest.mark.parametrize("tier", TIERS)
def test_every_variable_is_a_setting(tier: str) -> None:
    known = set(Settings.model_fields)
    assert {name for name in variables(tier) if name.lower() not in known} == set()
    assert variables(tier)["TIER"] == tier


@pytest.mark.parametrize("tier", TIERS)
def test_references_lead_to_something(tier: str) -> None:
    maps = {
        generator["name"]
        for generator in yaml.safe_load((FOLDER / "example" / "kustomization.yaml").read_text())[
            "configMapGenerator"
        ]
    }
    secrets = {document["metadata"]["name"] for document in documents() if document["kind"] == "Secret"}
    spec = pod(tier)
    assert one("ServiceAccount", spec["serviceAccountName"])
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["keys"]["secret"]["secretName"] in secrets
    for part in (*spec["initContainers"], *spec["containers"]):
        for source in part["envFrom"]:
            assert source.get("configMapRef", {}).get("name") in {*maps, None}
            assert source.get("secretRef", {}).get("name") in {*secrets, None}
        assert {mount["name"] for mount in part.get("volumeMounts", [])} <= set(volumes)
    mounts = {mount["name"]: mount["mountPath"] for mount in container(tier)["volumeMounts"]}
    held = one("Secret", volumes["keys"]["secret"]["secretName"])["stringData"]
    for name in ("JWT_PRIVATE_KEY_PATH", "JWT_PUBLIC_KEY_PATH"):
        path = Path(variables(tier)[name])
        assert str(path.parent) == mounts["keys"] and path.name in held, name


@pytest.mark.parametrize("tier", TIERS)
def test_ports_match_from_the_door_to_the_service(tier: str) -> None:
    values, ports = (
        variables(tier),
        {port["name"]: port["containerPort"] for port in container(tier)["ports"]},
    )
    assert ports == {"http": int(values["SERVICE_PORT"]), "metrics": int(values["METRICS_PORT"])}
    service = one("Service", f"sentinel-{tier}")
    [port] = service["spec"]["ports"]
    assert port["targetPort"] == "http" and port["port"] == ports["http"]
    assert service["spec"]["type"] == "ClusterIP"
    labels = one("Deployment", f"sentinel-{tier}")["spec"]["template"]["metadata"]["labels"]
    for selector in (
        service["spec"]["selector"],
        one("Deployment", f"sentinel-{tier}")["spec"]["selector"]["matchLabels"],
        one("PodDisruptionBudget", f"sentinel-{tier}")["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert (
        one("PodDisruptionBudget", f"sentinel-{tier}")["spec"]["minAvailable"]
        < one("Deployment", f"sentinel-{tier}")["spec"]["replicas"]
    )
    served = {route.path for room in ROOMS[tier] for route in room.routes}  # type: ignore[attr-defined]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(tier)[probe]["httpGet"]
        assert asked["port"] == "http" and asked["path"] in served, probe
    assert container(tier)["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container(tier)["livenessProbe"]["httpGet"]["path"] == "/health"


@pytest.mark.parametrize("tier", TIERS)
def test_pods_are_locked_down_as_the_image_is_made(tier: str) -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    user = re.search(r"useradd .*--uid (\d+)", dockerfile)
    group = re.search(r"groupadd .*--gid (\d+)", dockerfile)
    assert user and group
    spec = pod(tier)
    context = spec["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(group[1]))
    assert context["runAsNonRoot"] is True and context["fsGroup"] == context["runAsGroup"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for part in (*spec["initContainers"], *spec["containers"]):
        assert part["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "command" not in part  # the image's entry point is the program
        assert part["image"] == "sentinel-auth"
        assert part["resources"]["limits"]["memory"]
    [volume] = [volume for volume in spec["volumes"] if volume["name"] == "keys"]
    assert volume["secret"]["defaultMode"] == 0o440
    # SIGTERM comes after preStop; both have to fit.
    pause = container(tier)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause + UVICORN["timeout_graceful_shutdown"] < spec["terminationGracePeriodSeconds"]


def test_the_ingress_publishes_the_public_tier_alone_under_its_own_name() -> None:
    [ingress] = [document for document in documents() if document["kind"] == "Ingress"]
    [rule] = ingress["spec"]["rules"]
    backends = {
        (path["backend"]["service"]["name"], path["backend"]["service"]["port"]["name"])
        for path in rule["http"]["paths"]
    }
    assert backends == {("sentinel-public", "http")}
    assert variables("public")["BASE_URL"] == f"https://{rule['host']}"
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert all(
        document["spec"]["type"] == "ClusterIP" for document in documents() if document["kind"] == "Service"
    )
    # Applications in the cluster call the internal tier by the name of its Service.
    assert "sentinel-internal" in variables("internal")["ALLOWED_HOSTS"].split(",")


def test_each_port_is_open_to_one_kind_of_caller() -> None:
    policies = [document["spec"] for document in documents() if document["kind"] == "NetworkPolicy"]
    everyone = {"matchLabels": {"app.kubernetes.io/name": "sentinel"}}
    assert {"podSelector": everyone, "policyTypes": ["Ingress", "Egress"]} in policies
    opened = {
        (component, port["port"], json.dumps(rule["from"]))
        for spec in policies
        for rule in spec.get("ingress", [])
        for port in rule["ports"]
        for component in _components(spec["podSelector"])
    }
    assert {(component, port) for component, port, _ in opened} == {
        (tier, port) for tier in TIERS for port in ("http", "metrics")
    }
    assert len(opened) == 4 and all("namespaceSelector" in peers for _, _, peers in opened)
    callers = {peers for _, port, peers in opened if port == "metrics"}
    assert len(callers) == 1 and not callers & {peers for _, port, peers in opened if port == "http"}


def _components(selector: dict[str, Any]) -> tuple[str, ...]:
    """The tiers that a policy is for."""
    component = selector["matchLabels"].get("app.kubernetes.io/component")
    return (component,) if component else TIERS


@pytest.mark.parametrize("tier", TIERS)
def test_the_checklist_refuses_nothing_of_it(
    tier: str,
    postgresql_url: str,
    redis_url: str,
    stage_keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a database, a Redis and keys for what the Secrets hold, this configuration is fit for production."""
    monkeypatch.chdir(tmp_path)
    env = variables(tier) | {
        "DATABASE_URL": postgresql_url,
        "REDIS_URL": redis_url,
        "SESSION_SECRET_KEY": "a-session-key-made-for-this-test-alone",
        "GITHUB_CLIENT_ID": "an-id",
        "GITHUB_CLIENT_SECRET": "a-secret",
        "JWT_PRIVATE_KEY_PATH": str(stage_keys.private),
        "JWT_PUBLIC_KEY_PATH": str(stage_keys.public),
    }
    result = CliRunner().invoke(app, ["check", "--deploy", "--json"], env=env)
    findings = json.loads(result.stdout)["findings"]
    assert [finding for finding in findings if finding["verdict"] == "refuse"] == [], result.output
    # No application is registered yet; nothing else is left to say.
    assert {finding["id"] for finding in findings if finding["verdict"] == "warn"} <= {"C-18"}, findings
