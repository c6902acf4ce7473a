"""Reading a deployment's files: bounded, as data, below the folder, without secrets' values."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from readiness.checks.deployment.gather import (
    MAX_FILE,
    MAX_FILES,
    DeploymentError,
    gather_deployment,
)
from readiness.mutants.deployment import files
from tests import ROOT
from tests.checks.deployment.test_checks import scores

ARTICLE = ROOT / "fixtures" / "deployment" / "article"
CORRECTED = ROOT / "fixtures" / "deployment" / "corrected"
LAUGHS = "services:\n  a: &a0 {image: x}\n" + "".join(
    f"  b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
)
MERGED = "x0: &m0 {image: 'vllm/vllm-openai:v0.33.0'}\n" + "".join(
    f"x{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 30)
)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def found(name: str, *paths: Path) -> str:
    """The outcome and the reason of one check."""
    score = scores(*paths, page="", window=None)[name]
    return f"{score.outcome}: {score.reason}"


def findings(outcome: str) -> dict[str, list[str]]:
    """The findings on the article's files by check, of one outcome."""
    told = scores(ARTICLE, page="", window=None)
    return {
        name: score.reason.split(" · ") for name, score in told.items() if score.outcome == outcome
    }


def test_the_articles_findings_are_those_of_the_documentation() -> None:
    failed, left_open = findings("fail"), findings("undetermined")
    assert len(failed) == 14
    assert list(left_open) == ["sessions_end", "administrator_declared"]
    text = (ROOT / "docs" / "deployment.md").read_text("utf-8")
    places = {each.split(": ")[0] for several in failed.values() for each in several}
    assert {place.partition(":")[0] for place in places} == {
        "docker-compose.yml",
        ".env",
        "nginx.conf",
    }
    shown = (f"`{place}`" in text or f"`:{place.partition(':')[2]}`" in text for place in places)
    assert all(shown)


def test_nothing_of_the_articles_is_said_twice() -> None:
    several = [*findings("fail").values(), *findings("undetermined").values()]
    said = [each.split("; instead")[0] for found in several for each in found]
    assert len(said) == len(set(said)) > 20


@pytest.mark.parametrize(
    "text", [LAUGHS, MERGED + "services: {vllm: *m29}\n"], ids=["lists", "merged"]
)
def test_a_billion_laughs_are_answered_at_once(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "docker-compose.yml", text)
    began = time.process_time()
    gather_deployment([path])
    assert time.process_time() - began < 1


def test_a_variable_that_doubles_is_answered_at_once(tmp_path: Path) -> None:
    doubled = "A=$A$A$A$A\n" * 99
    script = f"#!/bin/sh\nA=aaaa\n{doubled}vllm serve m --host $A\n"
    began = time.process_time()
    gather_deployment([write(tmp_path, "serve.sh", script)])
    assert time.process_time() - began < 1


def test_many_findings_are_counted_and_not_all_named(tmp_path: Path) -> None:
    given = "".join(f"WEBUI_X{n}=1\n" for n in range(40))
    reason = found("known_settings", write(tmp_path, ".env", given))
    assert reason.count("WEBUI_X") == 20 * 2
    assert reason.endswith(" · and 20 more")


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("docker-compose.yml", "[" * 10_000, "docker-compose.yml:1: nested too deeply"),
        ("docker-compose.yml", "services:\n  a: [b\n", "docker-compose.yml:3: not YAML"),
        (
            "nginx.conf",
            "http {\n  server {\n",
            "nginx.conf:2: not read as a configuration of nginx",
        ),
        ("nginx.conf", "server {" * 5_000, "nginx.conf"),
        (".env", "RAG_FILE_MAX_SIZE='50\n", ".env:1: not read as a variable"),
        ("config.json", '{"model_type": ', "config.json: not JSON"),
        ("config.json", "[" * 100_000, "config.json: not JSON"),
    ],
)
def test_what_cannot_be_read_leaves_every_check_open(
    tmp_path: Path, name: str, text: str, where: str
) -> None:
    path = write(tmp_path, name, text)
    score = scores(path, page="", window=None)["logs_rotated"]
    assert (score.outcome, score.reason.startswith(f"not read: {where}")) == ("undetermined", True)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("docker-compose.yml", b"a: \xff\n", "not a text in UTF-8"),
        ("docker-compose.yml", b"a: \0\n", "not a text"),
        (
            "docker-compose.yml",
            b"#" * (MAX_FILE + 1),
            f"larger than {MAX_FILE} bytes: name a smaller one",
        ),
        (
            "notes.txt",
            b"about servers\n",
            "not known as a file of a deployment: name docker-compose.yml",
        ),
    ],
)
def test_a_file_that_is_none_of_a_deployment_is_refused(
    tmp_path: Path, name: str, text: bytes, said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        gather_deployment([write(tmp_path, name, text)])


def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "docker-compose.yml")
    with pytest.raises(DeploymentError, match="not a regular file"):
        gather_deployment([tmp_path / "docker-compose.yml"])
    with pytest.raises(DeploymentError, match="no file of a deployment"):
        gather_deployment([tmp_path])
    with pytest.raises(DeploymentError, match="no such file or folder"):
        gather_deployment([tmp_path / "nowhere"])


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        write(tmp_path, f"{number}.txt", "")
    with pytest.raises(DeploymentError, match=f"more than {MAX_FILES} files"):
        gather_deployment([tmp_path])


@pytest.mark.parametrize("named", ["../outside.env", "/etc/hostname", "inside.env"])
def test_no_env_file_is_read_outside_of_the_folder(tmp_path: Path, named: str) -> None:
    write(tmp_path, "outside.env", "RAG_FILE_MAX_SIZE=50\n")
    folder = tmp_path / "deploy"
    path = write(
        folder,
        "docker-compose.yml",
        f"services:\n  w: {{image: 'ghcr.io/open-webui/open-webui:v0.12.4', env_file: {named}}}\n",
    )
    (folder / "inside.env").symlink_to(tmp_path / "outside.env")
    deployment = gather_deployment([path])
    assert list(deployment.digests) == ["docker-compose.yml"]
    assert deployment.services[0].variables.hidden == "docker-compose.yml:2"
    # What the file may set is an open question.
    assert found("upload_limits_agree", path).startswith("undetermined: ")


def test_what_a_service_may_have_of_another_is_an_open_question(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "docker-compose.yml",
        "services:\n  vllm:\n    extends: {file: ../common.yml, service: base}\n"
        "    image: vllm/vllm-openai:latest\n",
    )
    names = ("restarted_automatically", "logs_rotated", "health_check_asks_for_tokens")
    assert [found(name, path).partition(":")[0] for name in names] == ["undetermined"] * 3
    assert found("versions_pinned", path).startswith("fail: docker-compose.yml:4: ")


def test_the_cards_of_a_script_are_those_that_it_shows(tmp_path: Path) -> None:
    path = write(
        tmp_path, "serve.sh", "#!/bin/sh\nCUDA_VISIBLE_DEVICES=0,1 vllm serve m --host 127.0.0.1\n"
    )
    assert found("parallelism_matches_gpus", path) == (
        "fail: serve.sh:2: tensor x pipeline x data parallel is 1, and 2 GPUs are given "
        "(serve.sh:2); instead: --tensor-parallel-size 2, or give it 1"
    )


@pytest.mark.parametrize(
    "script",
    [
        'vllm serve m $( [ -n "$A" ] && echo --enforce-eager ) --host 0.0.0.0 --api-key $KEY',
        "vllm serve m `echo --enforce-eager` --host 0.0.0.0 --api-key $KEY",
        'ARGS=(--host 0.0.0.0 --api-key "$KEY")\nvllm serve m "${ARGS[@]}"',
        "exec vllm serve m --host $HOST",
        "cat > unit <<EOF\nExecStart=/opt/vllm serve m\nEOF",
        "# vllm serve m",
    ],
)
def test_what_a_shell_would_put_in_is_not_guessed(tmp_path: Path, script: str) -> None:
    path = write(tmp_path, "serve.sh", f"#!/bin/bash\n{script}\n")
    assert not found("engine_access_restricted", path).startswith("fail")
    assert found("cuda_graphs_on", path).partition(":")[0] in ("pass", "unsupported")


def test_no_include_is_read_outside_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, "buffering.conf", "proxy_buffering off;\n")
    server = (
        "server { include ../buffering.conf; location / { proxy_pass http://127.0.0.1:8080; } }"
    )
    path = write(tmp_path / "nginx", "nginx.conf", f"events {{}}\nhttp {{ {server} }}\n")
    assert found("streams_not_buffered", path).startswith("undetermined: nginx.conf:2: ")


SECRET = "hunter2-S3cr3t"
SECRETS = {
    "docker-compose.yml": (
        "services:\n  vllm:\n    image: vllm/vllm-openai:v0.33.0\n    network_mode: host\n"
        f"    command: --model m --api-key {SECRET} --hf-token={SECRET} --no-such-token {SECRET}\n"
        f"    environment: {{HF_TOKEN: {SECRET}, VLLM_NO_SUCH_KEY: {SECRET}}}\n"
        "  w:\n    image: ghcr.io/open-webui/open-webui:v0.12.4\n    env_file: webui.env\n"
        f"    environment: [WEBUI_SECRET_KEY={SECRET}, 'OPENAI_API_BASE_URL=http://u:{SECRET}@vllm:8000/v1']\n"
    ),
    "webui.env": f"WEBUI_ADMIN_PASSWORD='{SECRET}'\nWEBUI_JWT_SECRETS={SECRET}\n",
    "nginx.conf": (
        "events {}\nhttp { server { location / {\n"
        f'proxy_set_header Authorization "Bearer {SECRET}";\n'
        f"proxy_pass http://u:{SECRET}@127.0.0.1:8080;\n}} }} }}\n"
    ),
    "vllm.service": (
        f"[Service]\nEnvironment=VLLM_API_KEY={SECRET}\n"
        f"ExecStart=/usr/bin/vllm serve m --api-key {SECRET}\n"
    ),
    "start.sh": (
        f"#!/bin/sh\nexport HF_TOKEN={SECRET}\n"
        f"docker run -e VLLM_API_KEY={SECRET} vllm/vllm-openai --api-key {SECRET}\n"
    ),
}


def test_no_secrets_value_reaches_a_message_or_a_digest(tmp_path: Path) -> None:
    for name, text in SECRETS.items():
        write(tmp_path, name, text)
    told = scores(tmp_path, page="", window=None)
    assert [name for name, score in told.items() if SECRET in score.reason] == []
    assert "VLLM_NO_SUCH_KEY" in told["known_settings"].reason
    deployment = gather_deployment([tmp_path])
    assert SECRET not in repr(deployment)
    assert SECRET in deployment.secrets
    for name, text in SECRETS.items():
        write(tmp_path, name, text.replace(SECRET, "another-secret"))
    assert gather_deployment([tmp_path]).digests == deployment.digests


def test_a_digest_is_that_of_the_file_where_it_has_no_secret(tmp_path: Path) -> None:
    files.write(tmp_path)
    digests = gather_deployment([tmp_path]).digests
    assert sorted(digests) == ["config.json", "docker-compose.yml", "nginx.conf", "webui.env"]
    for name in ("config.json", "nginx.conf", "webui.env"):
        assert digests[name] == sha256((tmp_path / name).read_bytes()).hexdigest()


def test_the_corrected_deployment_is_ready_from_its_files_alone() -> None:
    outcomes = {str(score.outcome) for score in scores(CORRECTED, page="", window=None).values()}
    assert outcomes == {"pass", "unsupported"}


def test_without_files_nothing_is_assessed() -> None:
    assert {score.reason for score in scores().values()} == {
        "no files of the deployment: name them with --deployment PATH"
    }
