"""Harmless ways to write a deployment: other forms, other files, other supervisors."""

from __future__ import annotations

import json
from textwrap import indent

from readiness.mutants.deployment.files import (
    COMPOSE,
    GATEWAY,
    LOGROTATE,
    MODEL,
    TWO_ENGINES,
    VARIABLES,
    Change,
    added,
    both,
    original,
    removed,
    replaced,
)
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.mutants.flaw import Flaw

_BEGIN, _END = "    command: >\n", "    environment:\n      VLLM_API_KEY"
_OPTIONS = (
    "--model /models/Qwen2.5-7B-Instruct --tensor-parallel-size 2 "
    "--gpu-memory-utilization 0.85 --max-num-seqs 32"
)
_COMMAND = original(COMPOSE).partition(_BEGIN)[2].partition(_END)[0]
_ENGINE = "  vllm:\n" + original(COMPOSE).partition("  vllm:\n")[2].partition("  open-webui:\n")[0]
_TEST = 'curl -fsd "{}" http://127.0.0.1:8000/v1/completions'
#: The anchor of the compose file's logging, where the engine, which has it, is left out.
_LOGS = ("    logging: *logs\n", "    logging: {options: {max-size: 50m}}\n")
_SCRIPT = f"""\
#!/usr/bin/env bash
set -euo pipefail
WINDOW={WINDOW}   # YaRN, factor 4
VLLM_NOTE="not exported"
export VLLM_WHERE=here && echo "$VLLM_WHERE"
export VLLM_API_KEY="$(cat /run/secrets/vllm)"
COMMON="--restart unless-stopped --log-opt max-size=50m"
# docker run vllm/vllm-openai:latest --enforce-eager
docker run -d --name vllm $COMMON --gpus '"device=0,1"' \\
  -u 1001:1001 -e VLLM_API_KEY -v /models:/models:ro -p 127.0.0.1:8000:8000 \\
  --health-cmd '{_TEST}' \\
  vllm/vllm-openai:v0.33.0 \\
  {_OPTIONS} --served-model-name "$( hostname | tr . - )" --max-model-len "$WINDOW" && echo started
"""
_UNIT = f"""\
[Unit]
Description=vLLM

[Service]
User=vllm
Environment="VLLM_LOGGING_LEVEL=INFO"
ExecStart=/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server \\
    --host 127.0.0.1 {_OPTIONS} \\
    --max-model-len {WINDOW}
Restart=always

[Install]
WantedBy=multi-user.target
"""
_QUADLET = f"""\
[Container]
Image=docker.io/vllm/vllm-openai:v0.33.0
PublishPort=127.0.0.1:8000:8000
Exec={_OPTIONS} --max-model-len {WINDOW}
[Service]
User=vllm
Restart=on-failure
[Install]
WantedBy=default.target
"""
_MANIFEST = f"""\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {{name: vllm}}
  spec: {{selector: {{app: vllm}}, ports: [{{port: 8000}}]}}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: vllm}}
  spec:
    template:
      metadata: {{labels: {{app: vllm, tier: model}}}}
      spec:
        securityContext: {{runAsUser: 1001}}
        containers:
        - name: vllm
          image: vllm/vllm-openai:v0.33.0
          command: ["/bin/sh", "-c"]
          args:
          - |
            # one process for both cards
            vllm serve /models/Qwen2.5-7B-Instruct --tensor_parallel_size=2 \\
              --max-model-len $(WINDOW) --max-num-seqs 32 --gpu-memory-utilization 0.85
          env:
          - {{name: WINDOW, value: "{WINDOW}"}}
          - name: VLLM_API_KEY
            valueFrom: {{secretKeyRef: {{name: vllm, key: key}}}}
          resources: {{limits: {{nvidia.com/gpu: "2"}}}}
          readinessProbe: {{httpGet: {{path: /health, port: 8000}}}}
          livenessProbe:
            exec: {{command: [sh, -c, '{_TEST}']}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: other}}
data: {{key: value}}
"""
_FRONT = """\
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: open-webui}
spec:
  template:
    metadata: {labels: {app: open-webui}}
    spec:
      containers:
      - name: open-webui
        image: ghcr.io/open-webui/open-webui:v0.12.4
        securityContext: {runAsNonRoot: true}
        envFrom: [{configMapRef: {name: webui}}]
        env: [{name: WEBUI_SECRET_KEY, valueFrom: {secretKeyRef: {name: webui, key: key}}}]
        volumeMounts: [{name: data, mountPath: /app/backend/data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: webui}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: webui}
data:
  ENABLE_SIGNUP: "false"
  WEBUI_ADMIN_EMAIL: admin@example.com
  WEBUI_ADMIN_PASSWORD_NOTE: in the secret
  JWT_EXPIRES_IN: 168h
  AIOHTTP_CLIENT_TIMEOUT: "300"
  RAG_FILE_MAX_SIZE: "50"
"""
_SERVER = """\
server {
  listen 443 ssl;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_read_timeout 10m;
  set $app http://open-webui:8080;
  location = /healthz { return 200; }
  location ~ ^/(api|ws)/ {
    limit_req zone=users burst=10;
    add_header Retry-After 1 always;
    if ($request_method = TRACE) { return 405; }
    proxy_pass $app;
  }
  location / { proxy_pass http://app; }
}
"""
_MAIN = """\
events {}
http {
  include /etc/nginx/mime.types;
  upstream app { server open-webui:8080 max_fails=3; keepalive 8; }
  limit_req_zone $http_authorization zone=users:10m rate=10r/s;
  limit_req_status 429;
  gzip on;
  gzip_types text/css application/json;
  include conf.d/*.conf;
}
"""
#: A location of nginx that hands on to vLLM, in a server of its own.
_INNER = """\
events {}
http {
  server {
    listen %s;
    location %s {
      %s
      proxy_pass http://vllm:8000%s;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
  }
}
"""
_KEY, _NO_KEY = "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      HF_HUB_OFFLINE: 1\n"


def _compose(*pairs: tuple[str, str]) -> Change:
    return replaced(COMPOSE, *pairs)


def _command(text: str) -> Change:
    """The engine's command written in another way."""
    return _compose((f"{_BEGIN}{_COMMAND}", text))


def _without_engine(*others: Change) -> Change:
    """The engine in another file than the compose file."""
    return both(_compose((_ENGINE, ""), _LOGS), *others)


def _unkeyed_behind(listen: str, guard: str = "") -> Change:
    """An engine without a key, behind a location that listens so and has a guard."""
    inner = _INNER % (listen, "/v1/", guard, "")
    return both(_compose((_KEY, _NO_KEY)), added("inner.conf", inner))


def _dump() -> str:
    """What `nginx -T` prints of two files."""
    head = "# configuration file /etc/nginx/{}:\n{}\n"
    return head.format("nginx.conf", _MAIN) + head.format("conf.d/app.conf", _SERVER)


def _listed() -> str:
    words = _COMMAND.split()
    return "    command:\n" + "".join(f"      - {json.dumps(each)}\n" for each in words)


def _cached(text: str, beside: str = "") -> Change:
    """The gateway with a cache, and its directives."""
    return replaced(
        GATEWAY,
        (
            "  limit_req_status 429;\n",
            "  limit_req_status 429;\n  proxy_cache_path /var/cache/nginx keys_zone=kept:10m;\n",
        ),
        (
            "proxy_buffering off;",
            f"proxy_cache kept;\n      proxy_cache_valid 200 10m;\n      {text}",
        ),
        ("    location @limited", f"{beside}    location @limited"),
    )


def _harmless(name: str, about: str, change: Change) -> Flaw:
    return Flaw(f"deployment_{name}", about, change_deployment=change)


_VARIABLES = "".join(f"      - {line!r}\n" for line in original(VARIABLES).split())
_ENVIRONMENT = "    env_file: webui.env\n    environment:\n"

FLAWS = [
    _harmless("command_as_a_list", "each word of the command a list's item", _command(_listed())),
    _harmless(
        "command_with_equals",
        "options with = and underscores, and short ones",
        _command(
            "    command: serve /models/m "
            + _OPTIONS.replace("--model /models/Qwen2.5-7B-Instruct ", "")
            .replace("--tensor-parallel-size 2", "-tp 2")
            .replace("--max-num-seqs 32", "--max_num_seqs=32")
            + f" --max-model-len={WINDOW}\n"
        ),
    ),
    _harmless(
        "command_in_thousands",
        "136K, which are 139,264",
        _compose((f"--max-model-len {WINDOW}", "--max-model-len 136K")),
    ),
    _harmless(
        "command_through_a_shell",
        "the command of a shell",
        _command(
            "    entrypoint: [/bin/bash, -c]\n    command:\n      - |\n        echo start\n"
            "        exec vllm serve /models/m "
            f"{_OPTIONS.partition('Instruct ')[2]} --max-model-len {WINDOW}\n"
        ),
    ),
    _harmless(
        "options_negated",
        "switches that are turned off by --no-, and fields of an option",
        _compose(
            (
                f"--max-model-len {WINDOW}",
                f"--max-model-len {WINDOW} --no-enable-prefix-caching "
                "--compilation-config.mode 3 -O2",
            )
        ),
    ),
    _harmless(
        "variables_in_a_list",
        "variables as a list, each quoted, in place of an env file",
        _compose(
            (_ENVIRONMENT, f"    environment:\n{_VARIABLES}"),
            (
                "      OPENAI_API_KEYS: ${VLLM_API_KEY:?}\n",
                "      - OPENAI_API_KEYS=${VLLM_API_KEY:?}\n",
            ),
            ("      WEBUI_SECRET_KEY: ${WEBUI_SECRET_KEY:?}\n", "      - WEBUI_SECRET_KEY\n"),
            (
                "      WEBUI_ADMIN_PASSWORD: ${WEBUI_ADMIN_PASSWORD:?}\n",
                "      - WEBUI_ADMIN_PASSWORD=$PASSWORD\n",
            ),
        ),
    ),
    _harmless(
        "variables_quoted",
        "quotes, comments, spaces and export in the env file",
        replaced(
            VARIABLES,
            ("JWT_EXPIRES_IN=7d", '# a week\nexport JWT_EXPIRES_IN = "168h"  # = 7d'),
            ("RAG_FILE_MAX_SIZE=50", "RAG_FILE_MAX_SIZE='50'"),
        ),
    ),
    _harmless(
        "env_file_in_long_form",
        "an env file with its options, in a folder of its own",
        both(
            _compose(
                (
                    "env_file: webui.env",
                    "env_file:\n      - path: ./env/webui.env\n        required: true",
                )
            ),
            added("env/webui.env", original(VARIABLES)),
            removed(VARIABLES),
        ),
    ),
    _harmless(
        "variables_of_the_project",
        "values from the project's .env, and defaults",
        both(
            _compose(
                ("v0.33.0", "${VLLM_TAG:-v0.33.0}"),
                ("v0.12.4", "${WEBUI_TAG}"),
                (f"--max-model-len {WINDOW}", "--max-model-len ${WINDOW:?the window}"),
            ),
            added(".env", f"WEBUI_TAG=v0.12.4\nWINDOW={WINDOW}\nMY_NOTE=text\n"),
        ),
    ),
    _harmless(
        "variables_of_others",
        "variables of libraries and of one's own beside Open WebUI's",
        replaced(
            VARIABLES,
            (
                "JWT_EXPIRES_IN",
                "TZ=UTC\nHTTP_PROXY=\nHF_HUB_OFFLINE=1\nOTEL_SERVICE_NAME=chat\n"
                "UVICORN_WORKERS=2\nMYTEAM_OWNER=platform\nPYTHONUNBUFFERED=1\nJWT_EXPIRES_IN",
            ),
        ),
    ),
    _harmless(
        "variables_of_the_compose_file",
        "variables that the compose file itself refers to, and those of a database",
        both(
            replaced(
                VARIABLES,
                (
                    "JWT_EXPIRES_IN",
                    "ENABLE_GPUS=2\nQDRANT_PORT=6333\nOLLAMA_DIR=/o\nJWT_EXPIRES_IN",
                ),
            ),
            _compose(("count: 2", "count: '${ENABLE_GPUS:-2}'")),
        ),
    ),
    _harmless(
        "image_built_here",
        "an image that is built here, whose tag is only its name",
        _compose(("    image: nginx:1.28.0\n", "    build: ./nginx\n    image: nginx\n")),
    ),
    _harmless(
        "volumes_in_long_form",
        "mounts and ports in their long forms, a folder above the data",
        _compose(
            (
                'volumes: ["open-webui:/app/backend/data"]',
                "volumes: [{type: bind, source: /srv/webui, target: /app/backend/data/}]",
            ),
            ('ports: ["80:80"]', "ports: [{target: 80, published: '80', protocol: tcp}]"),
        ),
    ),
    _harmless(
        "restart_by_deploy",
        "restarted by the deploy section",
        _compose(
            ("    restart: unless-stopped\n    logging: &logs", "    logging: &logs"),
            (
                "    deploy: {resources:",
                "    deploy: {restart_policy: {condition: any}, resources:",
            ),
        ),
    ),
    _harmless(
        "restart_always",
        "restart: always, quoted",
        _compose(("restart: unless-stopped", 'restart: "always"')),
    ),
    _harmless(
        "settings_merged",
        "what services share is merged from an anchor",
        _compose(
            (
                "services:\n",
                "x-common: &common\n  restart: unless-stopped\n  user: '1001'\n"
                "  logging: {driver: local}\n"
                "services:\n  spare:\n    <<: [*common]\n    image: redis:8.2\n",
            ),
            (
                '    user: "1001:1001"\n    restart: unless-stopped\n    logging: *logs\n',
                "    <<: *common\n",
            ),
        ),
    ),
    _harmless(
        "logs_by_the_daemon",
        "the limit of logs is the daemon's default",
        both(
            _compose(
                ("    logging: *logs\n", ""),
                (' options: {max-size: "50m", max-file: "5"}', " options: {tag: vllm}"),
            ),
            added("daemon.json", '{"log-driver": "json-file", "log-opts": {"max-size": "20m"}}'),
        ),
    ),
    _harmless(
        "logs_by_the_local_driver",
        "the daemon's driver keeps 100 MB at most",
        both(
            _compose(
                ("    logging: *logs\n", ""),
                (
                    'logging: &logs {driver: json-file, options: {max-size: "50m", max-file: "5"}}',
                    "labels: {app: vllm}",
                ),
            ),
            added("daemon.json", '{"log-driver": "local"}'),
        ),
    ),
    _harmless(
        "logs_by_logrotate",
        "the logs of containers rotated by logrotate",
        both(
            _compose(("    logging: *logs\n", "")),
            added(
                "containers.logrotate",
                "/var/lib/docker/containers/*/*.log {\n  copytruncate\n  size 90M\n  rotate 3\n}\n",
            ),
        ),
    ),
    _harmless(
        "images_by_digest",
        "images by tag and digest, and from a registry with a port",
        _compose(
            ("nginx:1.28.0", "registry.example:5000/library/nginx@sha256:" + "1" * 64),
            ("open-webui:v0.12.4", "open-webui:v0.12.4-slim@sha256:" + "2" * 64),
        ),
    ),
    _harmless(
        "key_on_the_command_line",
        "the engine's key as an option, its port on this machine alone",
        _compose(
            ("      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      HF_HUB_OFFLINE: 1\n"),
            (f"--max-model-len {WINDOW}", f"--max-model-len {WINDOW} --api-key $VLLM_API_KEY"),
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    ports: ["127.0.0.1:8000:8000"]\n',
            ),
        ),
    ),
    _harmless(
        "no_key_within",
        "no key, on a network that the gateway alone shares",
        _compose(("      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      HF_HUB_OFFLINE: 1\n")),
    ),
    _harmless(
        "cards_by_their_ids", "cards by their ids", _compose(("count: 2", 'device_ids: ["2", "5"]'))
    ),
    _harmless(
        "cards_by_a_variable",
        "all cards, of which a variable shows two",
        _compose(
            ("count: 2", "count: all"),
            (
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n",
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n      CUDA_VISIBLE_DEVICES: 0,1\n",
            ),
        ),
    ),
    _harmless(
        "services_beside",
        "a database, a job that ends, and another tool behind nginx",
        both(
            _compose(
                (
                    "  nginx:\n",
                    "  db: {image: 'postgres:17.2', environment: {POSTGRES_PASSWORD: '${DB:?}'}}\n"
                    "  fetch: {image: 'alpine:3.22', command: ['true'], restart: 'no'}\n"
                    "  grafana: {image: 'grafana/grafana:12.0.1'}\n  nginx:\n",
                )
            ),
            replaced(
                GATEWAY,
                (
                    "    location @limited",
                    "    location /grafana/ { proxy_pass http://grafana:3000; }\n"
                    "    location = /health { proxy_pass http://open-webui:8080; }\n"
                    "    location @limited",
                ),
            ),
        ),
    ),
    _harmless(
        "cache_without_buffering",
        "a cache where answers are not buffered, of which nginx keeps none",
        _cached("proxy_cache_methods POST;\n      proxy_buffering off;"),
    ),
    _harmless(
        "cache_of_pages",
        "pages are kept, and what is below /api/ is not, as Open WebUI's manual says",
        _cached(
            "proxy_cache_use_stale error timeout;",
            "    location ~* ^/(auth|api|oauth|admin|signin|signup|ws)/ {\n"
            "      proxy_pass http://open-webui:8080;\n"
            "      proxy_http_version 1.1;\n      proxy_read_timeout 600s;\n"
            "      proxy_cache kept;\n      proxy_cache_valid 200 1h;\n      proxy_no_cache 1;\n"
            "      proxy_cache_bypass 1;\n    }\n",
        ),
    ),
    _harmless(
        "cache_turned_off",
        "a cache of the server, which the API turns off",
        _cached(
            "proxy_cache_methods POST;",
            "    location /api/ {\n      proxy_pass http://open-webui:8080;\n"
            "      proxy_cache off;\n"
            "      proxy_http_version 1.1;\n      proxy_read_timeout 600s;\n    }\n"
            "    location ~ ^/(v1|openai|ollama)/ { return 404; }\n",
        ),
    ),
    _harmless(
        "cache_for_strangers_alone",
        "nothing is kept of those who sign in",
        _cached(
            "proxy_cache_methods POST;\n      proxy_no_cache $http_pragma $http_authorization;"
        ),
    ),
    _harmless(
        "cache_of_the_whole_request",
        "a key of who asks, and of all that is asked",
        both(
            _cached(
                "proxy_cache_methods POST;\n      client_body_buffer_size 55m;\n"
                "      proxy_cache_key $request_method$uri$http_authorization$request_body;"
            ),
        ),
    ),
    _harmless(
        "cache_of_errors",
        "404 alone is kept",
        both(
            _cached("proxy_cache_methods POST;"),
            replaced(GATEWAY, ("proxy_cache_valid 200 10m", "proxy_cache_valid 404 1m")),
        ),
    ),
    _harmless(
        "cache_of_models",
        "the list of models is kept",
        replaced(
            GATEWAY,
            (
                "    location @limited",
                "    location = /v1/models {\n      proxy_pass http://vllm:8000;\n"
                "      proxy_http_version 1.1;\n      proxy_read_timeout 600s;\n"
                "      proxy_cache kept;\n      proxy_cache_methods GET POST;\n"
                "      proxy_cache_valid 1m;\n    }\n    location @limited",
            ),
        ),
    ),
    _harmless(
        "refused_requests_sent_again",
        "requests that an engine refuses for want of room are sent to a second",
        replaced(
            GATEWAY,
            ("  server {\n    listen 80;\n", TWO_ENGINES % "http_429 http_503 non_idempotent"),
        ),
    ),
    _harmless(
        "engine_of_one_server",
        "requests are sent again, and there is no second engine",
        replaced(
            GATEWAY,
            (
                "  server {\n    listen 80;\n",
                (TWO_ENGINES % "error timeout non_idempotent").replace(
                    " server vllm-spare:8000;", ""
                ),
            ),
        ),
    ),
    _harmless(
        "key_of_the_manual_within",
        "the key that vLLM's manual prints, on a network that the gateway alone shares",
        _compose((_KEY, "      VLLM_API_KEY: token-abc123\n")),
    ),
    _harmless(
        "key_of_sessions_written_out",
        "a key of sessions that stands in the file, and in no manual",
        _compose(("WEBUI_SECRET_KEY: ${WEBUI_SECRET_KEY:?}", "WEBUI_SECRET_KEY: 8c1f0e7ab94d4f21")),
    ),
    _harmless(
        "adapters_loaded_within",
        "adapters are loaded while the engine runs, by a route that nginx keeps to itself",
        both(
            _compose((_KEY, f"{_KEY}      VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True'\n")),
            replaced(
                GATEWAY,
                (
                    "    location @limited",
                    "    location ~ ^/v1/(un)?load_lora_adapter { return 404; }\n"
                    "    location /v1/ {\n      proxy_pass http://vllm:8000;\n"
                    "      proxy_http_version 1.1;\n      proxy_read_timeout 600s;\n    }\n"
                    "    location @limited",
                ),
            ),
        ),
    ),
    _harmless(
        "not_privileged",
        "no rights on the host, as the file says",
        _compose(
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    privileged: false\n',
            )
        ),
    ),
    _harmless(
        "nginx_in_two_files",
        "nginx's servers in a file that is included, its limits in the server",
        both(added(GATEWAY, _MAIN), added("conf.d/app.conf", _SERVER)),
    ),
    _harmless(
        "nginx_in_the_compose_file",
        "nginx's configuration in the compose file",
        both(
            _compose(
                (
                    "volumes: {open-webui: {}}\n",
                    "volumes: {open-webui: {}}\nconfigs:\n  nginx:\n    content: |\n"
                    + indent(original(GATEWAY), "      "),
                )
            ),
            removed(GATEWAY),
        ),
    ),
    _harmless("nginx_dumped", "what nginx -T prints", added(GATEWAY, _dump())),
    _harmless(
        "nginx_on_one_line",
        "nginx's configuration without line breaks",
        added(GATEWAY, " ".join(original(GATEWAY).split())),
    ),
    _harmless(
        "engine_in_a_script",
        "vLLM by docker run in a script",
        _without_engine(added("start.sh", _SCRIPT)),
    ),
    _harmless(
        "engine_in_a_manifest",
        "vLLM in a Kubernetes manifest",
        _without_engine(added("vllm.yaml", _MANIFEST)),
    ),
    _harmless(
        "engine_in_a_unit",
        "vLLM in a systemd unit",
        _without_engine(added("vllm.service", _UNIT), added("vllm.logrotate", LOGROTATE)),
    ),
    _harmless(
        "engine_in_a_quadlet",
        "vLLM in a container of systemd",
        _without_engine(added("vllm.container", _QUADLET), added("vllm.logrotate", LOGROTATE)),
    ),
    _harmless(
        "front_in_a_manifest",
        "Open WebUI in a Kubernetes manifest",
        both(
            added(
                "webui.yaml",
                _FRONT.replace("  WEBUI_ADMIN_PASSWORD_NOTE: in the secret\n", "").replace(
                    "env: [",
                    "env: [{name: WEBUI_ADMIN_PASSWORD, valueFrom: "
                    "{secretKeyRef: {name: webui, key: pw}}}, ",
                ),
            ),
            removed(VARIABLES),
            _compose(
                (original(COMPOSE).partition("  open-webui:\n")[2].partition("  nginx:\n")[0], ""),
                ("  open-webui:\n", ""),
            ),
        ),
    ),
    _harmless(
        "model_with_parts",
        "the text's part of config.json in a field of its own",
        added(
            MODEL,
            json.dumps(
                {
                    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
                    "model_type": "qwen2_5_vl",
                    "text_config": {"max_position_embeddings": WINDOW, "num_attention_heads": 28},
                }
            ),
        ),
    ),
    _harmless(
        "code_that_is_needed",
        "code of the model's own, whose class vLLM does not have",
        both(
            _compose(
                (f"--max-model-len {WINDOW}", f"--max-model-len {WINDOW} --trust-remote-code")
            ),
            replaced(
                MODEL,
                (
                    '"architectures": ["Qwen2ForCausalLM"]',
                    '"architectures": ["OwnForCausalLM"], "auto_map": {}',
                ),
            ),
        ),
    ),
    _harmless(
        "windows_line_ends",
        "a byte order mark and the line ends of Windows",
        both(
            *(
                added(name, "\ufeff" + original(name).replace("\n", "\r\n"))
                for name in (COMPOSE, VARIABLES, GATEWAY)
            )
        ),
    ),
    _harmless(
        "window_scaled_by_options",
        "the scaling on the command line, field by field",
        both(
            replaced(
                MODEL,
                (f'"max_position_embeddings": {WINDOW}', '"max_position_embeddings": 32768'),
                ('"rope_scaling"', '"rope_scaling_of_old"'),
            ),
            _compose(
                ("v0.33.0", "v0.29.0"),
                (
                    f"--max-model-len {WINDOW}",
                    f"--max-model-len {WINDOW} --hf-overrides.rope_parameters.rope_type yarn"
                    " --hf-overrides.rope_parameters.factor 4.25",
                ),
            ),
        ),
    ),
    _harmless(
        "part_of_the_engine",
        "every path to the part of vLLM that a key guards",
        added("inner.conf", _INNER % ("80", "/", "", "/v1/")),
    ),
    _harmless(
        "part_of_the_engine_by_name",
        "the same by a location with a name",
        added(
            "inner.conf",
            (_INNER % ("80", "@vllm", "", "")).replace(
                "listen 80;", "listen 80;\n    location /v1/ { try_files $uri @vllm; }"
            ),
        ),
    ),
    _harmless(
        "key_of_the_client",
        "the client's own key is handed on",
        added(
            "inner.conf",
            _INNER % ("80", "/v1/", "proxy_set_header Authorization $http_authorization;", ""),
        ),
    ),
    _harmless(
        "engine_behind_a_password",
        "no key, behind a gateway that asks for a password",
        _unkeyed_behind("80", "auth_basic x; auth_basic_user_file /u;"),
    ),
    _harmless(
        "engine_for_some_addresses",
        "no key, behind a gateway for some addresses alone",
        _unkeyed_behind("80", "allow 10.0.0.0/8; deny all;"),
    ),
    _harmless(
        "engine_behind_a_condition",
        "no key, behind a gateway that asks for one",
        _unkeyed_behind("80", "if ($http_authorization != $key) { return 401; }"),
    ),
    _harmless(
        "engine_behind_a_gateway_of_its_host",
        "no key, behind a gateway that this machine alone reaches",
        _unkeyed_behind("127.0.0.1:80"),
    ),
    _harmless(
        "engine_on_the_loopback",
        "no key, on the network of its host, and on its loopback alone",
        _compose(
            (_KEY, _NO_KEY),
            (f"--max-model-len {WINDOW}", f"--max-model-len {WINDOW} --host 127.0.0.1"),
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    network_mode: host\n',
            ),
        ),
    ),
    _harmless(
        "newcomers_shut_out",
        "newcomers would be administrators, and nobody may sign up",
        replaced(
            VARIABLES, ("ENABLE_SIGNUP=false", "ENABLE_SIGNUP=False\nDEFAULT_USER_ROLE=admin")
        ),
    ),
    _harmless(
        "authentication_declared",
        "sign-in is declared to be on",
        replaced(VARIABLES, ("ENABLE_SIGNUP=false", "ENABLE_SIGNUP=false\nWEBUI_AUTH=True")),
    ),
    _harmless(
        "two_compose_files",
        "a second compose file with a service of its own",
        added("other.yml", "services:\n  proxy: {image: 'redis:8.2.1'}\n"),
    ),
    _harmless(
        "limit_by_an_error_page",
        "a limit of 503, whose page returns 429",
        replaced(
            GATEWAY,
            ("  limit_req_status 429;\n", ""),
            ("error_page 429 @limited", "error_page 503 =429 @limited"),
        ),
    ),
    _harmless(
        "open_webui_waits_for_ever",
        "Open WebUI waits for ever",
        replaced(VARIABLES, ("TIMEOUT=300", "TIMEOUT=0")),
    ),
    _harmless(
        "nginx_of_1_30",
        "nginx that speaks HTTP/1.1 by default, as it does since 1.29.7",
        both(
            _compose(("nginx:1.28.0", "nginx:1.30-alpine")),
            replaced(
                GATEWAY,
                ("      proxy_http_version 1.1;\n", ""),
                ("      proxy_buffering off;\n", ""),
            ),
        ),
    ),
    _harmless(
        "static_files_aside",
        "static files at a location of their own, which waits as by default",
        replaced(
            GATEWAY,
            (
                "    location @limited",
                "    location ~ ^/(static|assets)/ { proxy_pass http://open-webui:8080; }\n"
                "    location ~* \\.(css|js|png|woff2)$ { proxy_pass http://open-webui:8080; }\n"
                "    location @limited",
            ),
        ),
    ),
    _harmless(
        "key_of_sessions_in_a_file",
        "the key of sessions in a file that is mounted",
        _compose(
            (
                '"open-webui:/app/backend/data"',
                '"open-webui:/app/backend/data", "./key:/app/backend/.webui_secret_key"',
            ),
            ("      WEBUI_SECRET_KEY: ${WEBUI_SECRET_KEY:?}\n", ""),
        ),
    ),
    _harmless(
        "short_options_of_docker",
        "vLLM by docker run, with short options that are joined to each other or to their values",
        _without_engine(
            added(
                "start.sh",
                _SCRIPT.replace("docker run -d", "docker run -dp 127.0.0.1:8000:8000").replace(
                    "-e VLLM_API_KEY -v /models:/models:ro -p 127.0.0.1:8000:8000",
                    "-eVLLM_API_KEY -v/models:/models:ro",
                ),
            )
        ),
    ),
    _harmless(
        "health_by_a_pipe",
        "a health check whose answer is looked at, on a port of its own",
        _compose(
            (f"--max-model-len {WINDOW}", f"--max-model-len {WINDOW} --port 9000"),
            ("curl -fsS -m 60 http://127.0.0.1:8000", "curl -sS -m 60 http://localhost:9000"),
            ('"max_tokens":1}\'', '"max_tokens":1}\' | grep -q text'),
        ),
    ),
    _harmless(
        "versions_in_other_words",
        "versions with their systems, a number of a build, and a model by its commit",
        _compose(
            ("nginx:1.28.0", "nginx:1.28.0-alpine3.21-slim"),
            ("vllm-openai:v0.33.0", "vllm-openai:v0.33.0-cu129"),
            (
                "--model /models/Qwen2.5-7B-Instruct",
                "--model Qwen/Qwen2.5-7B-Instruct --revision a09a35458c70",
            ),
        ),
    ),
    _harmless(
        "logs_reopened",
        "a program that is told of its new log",
        _without_engine(
            added("vllm.service", _UNIT),
            added(
                "vllm.logrotate",
                LOGROTATE.replace(
                    "copytruncate", "postrotate\n    systemctl reload vllm\n  endscript"
                ),
            ),
        ),
    ),
]
