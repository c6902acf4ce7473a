"""Flaws of a deployment's files: the corrected ones with one thing wrong."""

from __future__ import annotations

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
    replaced,
)
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.mutants.flaw import Flaw
from readiness.mutants.webui.interface import Interface
from readiness.verdict.claim import Verdict

_OPEN = Verdict.INCONCLUSIVE
_LENGTH = f"--max-model-len {WINDOW}"
_SIZES = "--tensor-parallel-size 2"
_RESTART, _LOGS = "    restart: unless-stopped\n", "    logging: *logs\n"
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: vllm}}
spec:
  selector: {{matchLabels: {{app: vllm}}}}
  template:
    metadata: {{labels: {{app: vllm}}}}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.33.0
          args: [--model, /models/m, --tensor-parallel-size, "{tensor}"]
          env: [{{name: VLLM_API_KEY, valueFrom: {{secretKeyRef: {{name: vllm, key: key}}}}}}]
          securityContext: {{runAsUser: 1001}}
          resources: {{limits: {{nvidia.com/gpu: 2}}}}
          livenessProbe: {probe}
"""
_ASKS = "{exec: {command: [curl, -fd, '{}', 'http://127.0.0.1:8000/v1/completions']}}"
_UNIT = """\
[Service]
User=vllm
Environment=VLLM_API_KEY=${KEY}
ExecStart=/opt/vllm/bin/vllm serve /models/m --host 127.0.0.1
[Install]
WantedBy=multi-user.target
"""
#: nginx between Open WebUI and vLLM.
_INNER = """\
events {}
http {
  limit_req_zone %s zone=vllm:10m rate=10r/s;
  limit_req_status 429;
  server {
    listen 8001;
    location %s {
      limit_req zone=vllm;
      error_page 429 @limited;
      proxy_pass http://vllm:8000;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
    location @limited { add_header Retry-After 1 always; return 429; }
  }
}
"""
#: A location of nginx that hands on to vLLM.
_BESIDE = """\
    location %s {
      proxy_pass http://vllm:8000%s;
      proxy_http_version 1.1;
      proxy_read_timeout 600s;
    }
    location @limited"""
#: What keeps answers, in place of what turns buffering off.
_CACHE = """\
proxy_cache answers;
      proxy_cache_valid 200 10m;
      %s"""
_ZONE = "  limit_req_status 429;\n  proxy_cache_path /var/cache/nginx keys_zone=answers:10m;\n"
_PREFLIGHT = ";\n      if ($request_method = OPTIONS) { return 204; }\n      keepalive_timeout 65"
_KEY, _NO_KEY = "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      HF_HUB_OFFLINE: '1'\n"
_RENAMED = "/var/lib/docker/containers/*/*.log {\n  size 90M\n  rotate 3\n}\n"
_RUN = """\
#!/bin/sh
docker run --name vllm-spare --restart always --log-opt max-size=50m -u 1001 \\
  --health-cmd 'curl -fd "{}" http://127.0.0.1:8000/v1/completions' \\
  -dp 8001:8000 vllm/vllm-openai:v0.33.0 --model /models/m
"""
_VOLUME = """\
kind: Deployment
apiVersion: apps/v1
metadata: {name: open-webui}
spec:
  template:
    spec:
      containers:
      - name: open-webui
        image: ghcr.io/open-webui/open-webui:v0.12.4
        securityContext: {runAsNonRoot: true}
        env:
        - {name: WEBUI_SECRET_KEY, valueFrom: {secretKeyRef: {name: webui, key: key}}}
        - {name: WEBUI_ADMIN_EMAIL, value: admin@example.com}
        - {name: WEBUI_ADMIN_PASSWORD, valueFrom: {secretKeyRef: {name: webui, key: password}}}
        - {name: JWT_EXPIRES_IN, value: 7d}
        - {name: RAG_FILE_MAX_SIZE, value: "50"}
        volumeMounts: [{name: data, mountPath: /app/backend/data}]
      volumes: [{name: data, ephemeral: {volumeClaimTemplate: {}}}]
"""
_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nginx}\ndata:\n  nginx.conf: |\n%s"
_WATCHDOG = """\
#!/bin/sh
while sleep 60; do
  used=$(nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits | head -1)
  [ "$used" -gt 38000 ] && docker restart vllm
done
"""


def _compose(*pairs: tuple[str, str]) -> Change:
    return replaced(COMPOSE, *pairs)


def _env(*pairs: tuple[str, str]) -> Change:
    return replaced(VARIABLES, *pairs)


def _nginx(*pairs: tuple[str, str]) -> Change:
    return replaced(GATEWAY, *pairs)


def _cached(text: str) -> Change:
    """Keep answers of the gateway, by some directives."""
    return _nginx(("  limit_req_status 429;\n", _ZONE), ("proxy_buffering off;", _CACHE % text))


def _flaw(
    name: str, check: str, about: str, change: Change, verdict: Verdict = Verdict.NOT_READY
) -> Flaw:
    return Flaw(
        f"deployment_{name}",
        about,
        f"deployment.{check}",
        change_deployment=change,
        expected_verdict=verdict,
    )


class _SignUpOpenedByHand(Interface):
    """Sign-up is open by the database, whatever the environment says."""

    sign_up_open = True


FLAWS = [
    Flaw(
        "deployment_sign_up_opened_by_hand",
        "sign-up was opened in the admin panel, and the files say that it is closed",
        "deployment.webui_runs_as_declared",
        webui=_SignUpOpenedByHand,
        elsewhere=("webui",),
    ),
    _flaw(
        "variable_of_no_version",
        "known_settings",
        "a variable that Open WebUI does not read",
        _env(("AIOHTTP_CLIENT_TIMEOUT=300", "AIOHTTP_CLIENT_TIMEOUT=300\nWEBUI_TIMEOUT=300")),
    ),
    _flaw(
        "life_by_another_name",
        "known_settings",
        "a variable whose name is slightly another",
        _env(("JWT_EXPIRES_IN=7d", "JWT_EXPIRES_IN=7d\nJWT_EXPIRE_TIME=604800")),
    ),
    _flaw(
        "variable_of_no_version_in_compose",
        "known_settings",
        "the same in a list of the compose file",
        _compose(
            (
                "    env_file: webui.env\n    environment:\n"
                "      OPENAI_API_KEYS: ${VLLM_API_KEY:?}\n",
                "    env_file: webui.env\n    environment:\n      ENABLE_SIGN_UP: 'false'\n"
                "      OPENAI_API_KEYS: ${VLLM_API_KEY:?}\n",
            )
        ),
    ),
    _flaw(
        "variable_of_vllm_misspelt",
        "known_settings",
        "a variable that vLLM does not read",
        _compose(
            (
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n",
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n      VLLM_LOGGING_LEVELS: INFO\n",
            )
        ),
    ),
    _flaw(
        "value_of_no_version",
        "known_settings",
        "a type of the cache that vLLM does not take",
        _compose(
            ("vllm-openai:v0.33.0", "vllm-openai:v0.29.0"),
            (_LENGTH, f"{_LENGTH} --kv-cache-dtype fp16"),
        ),
    ),
    _flaw(
        "option_of_no_version",
        "known_settings",
        "an option that vLLM does not have",
        _compose((_LENGTH, f"{_LENGTH} --max-sequence-length 4096")),
    ),
    _flaw(
        "option_of_an_earlier_version",
        "known_settings",
        "an option that vLLM no longer has",
        _compose((_LENGTH, f"{_LENGTH} --num-scheduler-steps 8")),
    ),
    _flaw(
        "option_of_no_version_in_a_manifest",
        "known_settings",
        "the same in a Kubernetes manifest",
        added("vllm.yaml", _MANIFEST.format(tensor='2", "--max-batch=8', probe=_ASKS)),
    ),
    _flaw(
        "command_of_no_version",
        "known_settings",
        "a command that vLLM does not have",
        _compose(("    command: >\n", "    entrypoint: [vllm, convert]\n    command: >\n")),
    ),
    _flaw(
        "variable_and_a_floating_image",
        "known_settings",
        "a name that no version read has, and no version told",
        both(
            _env(("RAG_FILE_MAX_SIZE=50", "RAG_FILE_MAX_SIZE=50\nWEBUI_TIMEOUT=300")),
            _compose(("open-webui:v0.12.4", "open-webui@sha256:" + "0" * 64)),
        ),
        _OPEN,
    ),
    _flaw(
        "settings_of_another_program",
        "known_settings",
        "vLLM started by a program that no file shows, whose settings nobody can tell",
        _compose(("    command: >\n", "    entrypoint: [/start.sh]\n    command: >\n")),
        _OPEN,
    ),
    _flaw(
        "settings_of_a_file_that_is_missing",
        "known_settings",
        "variables in a second file, which was not given",
        _compose(("env_file: webui.env", "env_file: [webui.env, more.env]")),
        _OPEN,
    ),
    _flaw(
        "settings_of_an_override",
        "known_settings",
        "a second compose file goes on with a service of the first",
        added("docker-compose.override.yml", 'services:\n  vllm:\n    ports: ["8000:8000"]\n'),
        _OPEN,
    ),
    _flaw(
        "window_beyond_the_model",
        "window_within_model_limit",
        "no scaling in config.json",
        replaced(
            MODEL,
            (f'"max_position_embeddings": {WINDOW}', '"max_position_embeddings": 32768'),
            ('"rope_scaling"', '"rope_scaling_of_old"'),
        ),
    ),
    _flaw(
        "window_beyond_yarn",
        "window_within_model_limit",
        "half of the factor that the window needs",
        replaced(
            MODEL,
            (f'"max_position_embeddings": {WINDOW}', '"max_position_embeddings": 65536'),
            ('"factor": 4.0', '"factor": 2.0'),
        ),
    ),
    _flaw(
        "window_not_served",
        "served_window_as_declared",
        "declared half of what the endpoint serves",
        _compose((_LENGTH, f"--max-model-len {WINDOW // 2}")),
    ),
    Flaw(
        "deployment_window_beyond_the_cache",
        "the cache holds less than one request of the whole window",
        "deployment.window_fits_kv_cache",
        change_metrics=lambda page: page.replace(
            'kv_cache_max_concurrency="4.0"', 'kv_cache_max_concurrency="0.4"'
        ),
    ),
    _flaw(
        "more_sequences_than_room",
        "concurrency_fits_kv_cache",
        "256 at a time with room for 66",
        _compose(("--max-num-seqs 32", "--max-num-seqs 256")),
    ),
    Flaw(
        "deployment_another_share_of_memory",
        "another share of memory runs than the declared one",
        "deployment.gpu_memory_share",
        change_metrics=lambda page: page.replace('utilization="0.85"', 'utilization="0.98"'),
    ),
    _flaw(
        "one_of_two_cards",
        "parallelism_matches_gpus",
        "two cards given, and one used",
        _compose((_SIZES, "--tensor-parallel-size 1")),
    ),
    _flaw(
        "cards_by_their_numbers",
        "parallelism_matches_gpus",
        "three cards given by their ids, and two used",
        _compose(("count: 2", "device_ids: ['0', '1', '2']")),
    ),
    _flaw(
        "one_of_two_cards_in_a_manifest",
        "parallelism_matches_gpus",
        "the same in a Kubernetes manifest",
        added("vllm.yaml", _MANIFEST.format(tensor=1, probe=_ASKS)),
    ),
    _flaw(
        "heads_not_divided",
        "parallelism_matches_gpus",
        "28 heads on 8 cards",
        _compose((_SIZES, "--tensor-parallel-size 8"), ("count: 2", "count: 8")),
    ),
    _flaw(
        "engine_on_the_host",
        "engine_access_restricted",
        "on the host's network without a key",
        _compose(
            ("      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      HF_HUB_OFFLINE: '1'\n"),
            (
                '    user: "1001:1001"\n    restart: unless-stopped\n    logging: &logs',
                '    user: "1001:1001"\n    network_mode: host\n    restart: unless-stopped\n'
                "    logging: &logs",
            ),
        ),
    ),
    _flaw(
        "engine_published",
        "engine_access_restricted",
        "its port published without a key",
        _compose(
            ("      VLLM_API_KEY: ${VLLM_API_KEY:?}\n", "      VLLM_API_KEY: ''\n"),
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n'
                "    ports:\n      - {target: 8000, published: 8000}\n",
            ),
        ),
    ),
    _flaw(
        "engine_by_a_script",
        "engine_access_restricted",
        "started on all addresses without a key",
        both(
            added(
                "vllm.service",
                _UNIT.replace("Environment=VLLM_API_KEY=${KEY}\n", "Restart=always\n").replace(
                    "127.0.0.1", "0.0.0.0"
                ),
            ),
            added("vllm.logrotate", LOGROTATE),
        ),
    ),
    _flaw(
        "development_mode",
        "admin_routes_closed",
        "development mode, whose routes no key guards",
        _compose(
            (
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n",
                "      VLLM_API_KEY: ${VLLM_API_KEY:?}\n      VLLM_SERVER_DEV_MODE: 1\n",
            )
        ),
    ),
    _flaw(
        "engine_published_with_a_key",
        "admin_routes_closed",
        "published with a key, which guards a part",
        _compose(
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    ports: ["8000:8000"]\n',
            )
        ),
    ),
    _flaw(
        "every_path_to_the_engine",
        "admin_routes_closed",
        "nginx leads every path to vLLM",
        added("inner.conf", _INNER % ("$http_authorization", "/")),
    ),
    _flaw(
        "code_that_nobody_needs",
        "no_needless_remote_code",
        "code of the model's, which has none",
        _compose((_LENGTH, f"{_LENGTH} --trust-remote-code")),
    ),
    _flaw(
        "code_beside_a_built_in_class",
        "no_needless_remote_code",
        "code of the model's, whose class vLLM has",
        both(
            _compose((_LENGTH, f"{_LENGTH} --trust-remote-code")),
            replaced(
                MODEL,
                ('"attention_dropout"', '"auto_map": {"AutoModel": "m.M"}, "attention_dropout"'),
            ),
        ),
    ),
    _flaw(
        "without_cuda_graphs",
        "cuda_graphs_on",
        "CUDA graphs turned off",
        _compose((_LENGTH, f"{_LENGTH} --enforce_eager")),
    ),
    _flaw(
        "three_seconds", "timeouts_long_enough", "nginx waits three seconds", _nginx(("600s", "3s"))
    ),
    _flaw(
        "sixty_seconds",
        "timeouts_long_enough",
        "nginx waits as long as it does by default",
        _nginx(("      proxy_read_timeout 600s;\n", "")),
    ),
    _flaw(
        "nginx_gives_up_first",
        "timeouts_long_enough",
        "Open WebUI waits longer than nginx",
        _env(("AIOHTTP_CLIENT_TIMEOUT=300", "AIOHTTP_CLIENT_TIMEOUT=900")),
    ),
    _flaw(
        "open_webui_gives_up",
        "timeouts_long_enough",
        "Open WebUI waits five seconds",
        _env(("AIOHTTP_CLIENT_TIMEOUT=300", "AIOHTTP_CLIENT_TIMEOUT=5")),
    ),
    _flaw(
        "streams_in_blocks",
        "streams_not_buffered",
        "buffered over HTTP/1.0, as by default",
        _nginx(("      proxy_http_version 1.1;\n", ""), ("      proxy_buffering off;\n", "")),
    ),
    _flaw(
        "streams_compressed",
        "streams_not_buffered",
        "event streams compressed",
        _nginx(
            (
                "  limit_req_status",
                "  gzip on;\n  gzip_types text/css text/event-stream;\n  limit_req_status",
            )
        ),
    ),
    _flaw(
        "answers_cached",
        "cached_answers_not_shared",
        "answers to POST kept by the path alone, as by default",
        _cached("proxy_cache_methods POST;"),
    ),
    _flaw(
        "answers_cached_by_the_server",
        "cached_answers_not_shared",
        "the same, inherited, at a location of the API",
        both(
            added(
                "inner.conf",
                (_INNER % ("$http_authorization", "/v1/")).replace(
                    "listen 8001;",
                    "listen 8001;\n    proxy_cache answers;\n    proxy_cache_methods POST;\n"
                    "    proxy_cache_valid any 1m;",
                ),
            ),
        ),
    ),
    _flaw(
        "answers_cached_by_a_user",
        "cached_answers_not_shared",
        "kept by who asks, whatever is asked",
        _cached("proxy_cache_methods POST;\n      proxy_cache_key $uri$http_authorization;"),
    ),
    _flaw(
        "long_requests_cached",
        "cached_answers_not_shared",
        "a key with the body, which is empty where it does not fit its buffer",
        _cached(
            "proxy_cache_methods POST;\n      proxy_cache_key $uri$http_authorization$request_body;"
        ),
    ),
    _flaw(
        "requests_not_buffered_cached",
        "cached_answers_not_shared",
        "a key with the body, of which nginx hands on what it does not hold",
        _cached(
            "proxy_cache_methods POST;\n      proxy_request_buffering off;\n"
            "      client_body_buffer_size 55m;\n"
            "      proxy_cache_key $uri$http_authorization$request_body;"
        ),
    ),
    _flaw(
        "chats_cached",
        "cached_answers_not_shared",
        "pages of Open WebUI kept, its lists of chats among them",
        _cached("proxy_cache_bypass $http_pragma;"),
    ),
    _flaw(
        "answers_kept_for_strangers",
        "cached_answers_not_shared",
        "users who sign in get their own answers, which are kept for those who do not",
        _cached("proxy_cache_methods POST;\n      proxy_cache_bypass $http_authorization;"),
    ),
    _flaw(
        "answers_cached_on_a_condition",
        "cached_answers_not_shared",
        "a cache that is passed by on a condition that no file tells",
        _cached("proxy_cache_methods POST;\n      proxy_no_cache $skip;"),
        _OPEN,
    ),
    _flaw(
        "requests_sent_again",
        "requests_run_once",
        "requests that time out are sent to a second engine",
        _nginx(("  server {\n    listen 80;\n", TWO_ENGINES % "error timeout non_idempotent")),
    ),
    _flaw(
        "limit_by_503",
        "rate_limit_answers_429",
        "limit_req alone, which answers 503",
        _nginx(("  limit_req_status 429;\n", "")),
    ),
    _flaw(
        "limit_without_retry_after",
        "rate_limit_answers_429",
        "429, and nothing says when to come back",
        _nginx(("      error_page 429 @limited;\n", "")),
    ),
    _flaw(
        "limit_with_a_lost_header",
        "rate_limit_answers_429",
        "Retry-After, which is not added to errors",
        _nginx(("Retry-After 1 always", "Retry-After 1")),
    ),
    _flaw(
        "one_limit_for_all",
        "rate_limit_per_user",
        "a limit by address between Open WebUI and vLLM",
        added("inner.conf", _INNER % ("$binary_remote_addr", "/v1/")),
    ),
    _flaw(
        "limit_by_a_constant",
        "rate_limit_per_user",
        "a limit whose key is the server's name",
        _nginx(("$binary_remote_addr", "$server_name")),
    ),
    _flaw(
        "body_of_one_megabyte",
        "upload_limits_agree",
        "bodies of 1 MB, as by default",
        _nginx(("    client_max_body_size 55m;\n", "")),
    ),
    _flaw(
        "body_below_the_file",
        "upload_limits_agree",
        "bodies smaller than the files that are allowed",
        _nginx(("55m", "20m")),
    ),
    _flaw(
        "files_of_any_size",
        "upload_limits_agree",
        "no limit of files",
        _env(("RAG_FILE_MAX_SIZE=50\n", "")),
    ),
    _flaw(
        "files_of_size_zero",
        "upload_limits_agree",
        "a limit of 0, which is none",
        _env(("MAX_SIZE=50", "MAX_SIZE=0")),
    ),
    _flaw(
        "life_without_a_unit", "sessions_end", "a life without a unit", _env(("IN=7d", "IN=604800"))
    ),
    _flaw(
        "life_without_an_end", "sessions_end", "sessions that never end", _env(("IN=7d", "IN=-1"))
    ),
    _flaw(
        "life_of_four_weeks",
        "sessions_end",
        "no life declared, which is then four weeks",
        _env(("JWT_EXPIRES_IN=7d\n", "")),
    ),
    _flaw("life_of_a_month", "sessions_end", "a life of thirty days", _env(("IN=7d", "IN=30d"))),
    _flaw(
        "no_administrator",
        "administrator_declared",
        "no administrator: files cannot show that there is one",
        _env(("WEBUI_ADMIN_EMAIL=admin@example.com\n", "")),
        _OPEN,
    ),
    _flaw(
        "everybody_administrator",
        "administrator_declared",
        "no sign-in, so that all are administrator",
        _env(("WEBUI_ADMIN_EMAIL=admin@example.com", "WEBUI_AUTH=False")),
    ),
    _flaw(
        "authentication_off",
        "administrator_declared",
        "no sign-in, beside an administrator that is declared",
        _env(("ENABLE_SIGNUP=false", "ENABLE_SIGNUP=false\nWEBUI_AUTH=0")),
    ),
    _flaw(
        "newcomers_administrators",
        "administrator_declared",
        "all who sign up become administrators",
        _env(("ENABLE_SIGNUP=false", "ENABLE_SIGNUP=true\nDEFAULT_USER_ROLE=admin")),
    ),
    _flaw(
        "uploads_alone_kept",
        "data_persisted",
        "a volume for the uploads, and none for the database",
        _compose(("open-webui:/app/backend/data", "uploads:/app/backend/data/uploads")),
    ),
    _flaw(
        "nothing_kept",
        "data_persisted",
        "no volume",
        _compose(('    volumes: ["open-webui:/app/backend/data"]\n', "")),
    ),
    _flaw(
        "data_in_memory",
        "data_persisted",
        "data on a file system in memory",
        _compose(('volumes: ["open-webui:/app/backend/data"]', "tmpfs: /app/backend/data")),
    ),
    _flaw(
        "key_of_sessions_not_kept",
        "data_persisted",
        "each container makes its own key of sessions",
        _compose(
            ("      WEBUI_SECRET_KEY: ${WEBUI_SECRET_KEY:?}\n", "      WEBUI_SECRET_KEY: ''\n")
        ),
    ),
    _flaw(
        "runs_as_root",
        "unprivileged_user",
        "no user, which is then root",
        _compose(
            (
                '    volumes: ["open-webui:/app/backend/data"]\n    user: "1001:1001"\n',
                '    volumes: ["open-webui:/app/backend/data"]\n',
            )
        ),
    ),
    _flaw(
        "not_restarted",
        "restarted_automatically",
        "nothing starts the gateway again",
        _compose((f'nginx.conf:ro"]\n{_RESTART}', 'nginx.conf:ro"]\n')),
    ),
    _flaw(
        "not_restarted_with_the_host",
        "restarted_automatically",
        "restarted after a crash, and not with the host",
        _compose(
            (
                f'    user: "1001:1001"\n{_RESTART}    logging: &logs',
                '    user: "1001:1001"\n    restart: on-failure:5\n    logging: &logs',
            )
        ),
    ),
    _flaw(
        "unit_not_restarted",
        "restarted_automatically",
        "a unit without Restart=",
        both(added("vllm.service", _UNIT), added("vllm.logrotate", LOGROTATE)),
    ),
    _flaw(
        "health_page",
        "health_check_asks_for_tokens",
        "a health check that asks /health",
        _compose(("v1/completions", "health")),
    ),
    _flaw(
        "no_health_check",
        "health_check_asks_for_tokens",
        "no health check",
        _compose(("    healthcheck:\n", "    x-healthcheck:\n")),
    ),
    _flaw(
        "health_page_in_a_manifest",
        "health_check_asks_for_tokens",
        "the same in a Kubernetes manifest",
        added(
            "vllm.yaml", _MANIFEST.format(tensor=2, probe="{httpGet: {path: /health, port: 8000}}")
        ),
    ),
    _flaw(
        "logs_without_end",
        "logs_rotated",
        "no limit of logs",
        _compose((f'nginx.conf:ro"]\n{_RESTART}{_LOGS}', f'nginx.conf:ro"]\n{_RESTART}')),
    ),
    _flaw(
        "logs_of_a_gigabyte",
        "logs_rotated",
        "logs that rotate at a gigabyte",
        _compose(("50m", "1g")),
    ),
    _flaw(
        "floating_image",
        "versions_pinned",
        "an image that is another one tomorrow",
        _compose(("nginx:1.28.0", "nginx:stable")),
    ),
    _flaw(
        "image_without_a_tag",
        "versions_pinned",
        "an image without a tag",
        _compose(("nginx:1.28.0", "nginx")),
    ),
    _flaw(
        "floating_model",
        "versions_pinned",
        "a hub's model without its revision",
        _compose(("--model /models/Qwen2.5-7B-Instruct", "--model Qwen/Qwen2.5-7B-Instruct")),
    ),
    _flaw(
        "value_of_no_version_today",
        "known_settings",
        "the same, of the newest version, whose plugins may add types",
        _compose((_LENGTH, f"{_LENGTH} --kv-cache-dtype fp16")),
    ),
    _flaw(
        "value_of_a_version_that_was_not_read",
        "known_settings",
        "the same, of a version that was not read, between two that do not take it",
        _compose(
            ("vllm-openai:v0.33.0", "vllm-openai:v0.31.0"),
            (_LENGTH, f"{_LENGTH} --kv-cache-dtype fp16"),
        ),
        _OPEN,
    ),
    Flaw(
        "deployment_share_of_memory_by_default",
        "another share of memory runs than any that leaves some, and none is declared",
        "deployment.gpu_memory_share",
        change_deployment=_compose(("--gpu-memory-utilization 0.85 ", "")),
        change_metrics=lambda page: page.replace('utilization="0.85"', 'utilization="0.98"'),
    ),
    _flaw(
        "engine_behind_an_open_gateway",
        "engine_access_restricted",
        "nginx leads whoever comes to an engine without a key",
        both(
            _compose((_KEY, _NO_KEY)),
            _nginx(("    location @limited", _BESIDE % ("/v1/", ""))),
        ),
    ),
    _flaw(
        "key_sent_for_all",
        "engine_access_restricted",
        "nginx sends the engine's key for whoever comes",
        _nginx(
            (
                "    location @limited",
                _BESIDE.replace(
                    "      proxy_http",
                    "      proxy_set_header Authorization $key;\n      proxy_http",
                )
                % ("/v1/", ""),
            )
        ),
    ),
    _flaw(
        "engine_published_by_short_options",
        "engine_access_restricted",
        "published without a key by `docker run -dp`",
        added("spare.sh", _RUN),
    ),
    _flaw(
        "condition_of_the_request",
        "engine_access_restricted",
        "the same, where nginx answers preflights of browsers by itself",
        both(
            _compose((_KEY, _NO_KEY)),
            _nginx(("    location @limited", _BESIDE % ("/v1/", _PREFLIGHT))),
        ),
    ),
    _flaw(
        "one_address_denied",
        "engine_access_restricted",
        "the same, where nginx denies one address",
        both(
            _compose((_KEY, _NO_KEY)),
            _nginx(("    location @limited", _BESIDE % ("/v1/", ";\n      deny 203.0.113.7"))),
        ),
    ),
    _flaw(
        "password_turned_off",
        "engine_access_restricted",
        "nginx asks for a password, and not where it leads to an engine without a key",
        both(
            _compose((_KEY, _NO_KEY)),
            _nginx(
                ("    listen 80;", "    listen 80;\n    auth_basic x;"),
                (
                    "    location @limited",
                    _BESIDE.replace("      proxy_http", "      auth_basic off;\n      proxy_http")
                    % ("/v1/", ""),
                ),
            ),
        ),
    ),
    _flaw(
        "key_of_the_manual",
        "engine_access_restricted",
        "published with the key that vLLM's manual prints",
        _compose(
            (
                "VLLM_API_KEY: ${VLLM_API_KEY:?}\n    volumes",
                "VLLM_API_KEY: token-abc123\n    volumes",
            ),
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    ports: ["8000:8000"]\n',
            ),
        ),
    ),
    _flaw(
        "key_of_sessions_of_the_source",
        "administrator_declared",
        "the key of sessions that Open WebUI's source has",
        _compose(("WEBUI_SECRET_KEY: ${WEBUI_SECRET_KEY:?}", "WEBUI_SECRET_KEY: t0p-s3cr3t")),
    ),
    _flaw(
        "adapters_loaded_by_users",
        "admin_routes_closed",
        "users load adapters while the engine runs",
        both(
            _compose((_KEY, f"{_KEY}      VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True'\n")),
            _nginx(("    location @limited", _BESIDE % ("/v1/", ""))),
        ),
    ),
    _flaw(
        "privileged",
        "unprivileged_user",
        "an engine with all rights on its host",
        _compose(
            (
                '    volumes: ["/models:/models:ro"]\n',
                '    volumes: ["/models:/models:ro"]\n    privileged: true\n',
            )
        ),
    ),
    _flaw(
        "privileged_in_a_manifest",
        "unprivileged_user",
        "the same in a Kubernetes manifest",
        added(
            "vllm.yaml",
            _MANIFEST.format(tensor=2, probe=_ASKS).replace(
                "runAsUser: 1001", "runAsUser: 1001, privileged: true"
            ),
        ),
    ),
    _flaw(
        "every_path_below_a_prefix",
        "admin_routes_closed",
        "nginx takes a prefix off, and leads the rest to vLLM",
        _nginx(("    location @limited", _BESIDE % ("/vllm/", "/"))),
    ),
    _flaw(
        "every_path_rewritten",
        "admin_routes_closed",
        "the same by a rewrite",
        _nginx(
            (
                "    location @limited",
                _BESIDE.replace(
                    "      proxy_http", "      rewrite ^/vllm/(.*)$ /$1 break;\n      proxy_http"
                )
                % ("/vllm/", ""),
            )
        ),
    ),
    _flaw(
        "every_path_by_a_pattern",
        "admin_routes_closed",
        "nginx leads every path to vLLM by a regular expression",
        added("inner.conf", _INNER % ("$http_authorization", "~ .*")),
    ),
    _flaw(
        "every_path_by_a_named_location",
        "admin_routes_closed",
        "nginx leads every path to vLLM by a location with a name",
        added(
            "inner.conf",
            (_INNER % ("$http_authorization", "@vllm")).replace(
                "listen 8001;", "listen 8001;\n    location / { try_files $uri @vllm; }"
            ),
        ),
    ),
    _flaw(
        "three_seconds_in_a_map",
        "timeouts_long_enough",
        "the same in a configuration map",
        added("map.yaml", _MAP % indent(original(GATEWAY).replace("600s", "3s"), "    ")),
    ),
    _flaw(
        "three_seconds_of_two_paths",
        "timeouts_long_enough",
        "nginx waits three seconds at a location for the API and static files",
        _nginx(
            (
                "    location @limited",
                "    location ~ ^/(api|static)/ {\n      proxy_pass http://open-webui:8080;\n"
                "      proxy_http_version 1.1;\n      proxy_read_timeout 3s;\n    }\n"
                "    location @limited",
            )
        ),
    ),
    _flaw(
        "limit_answered_by_a_page",
        "rate_limit_answers_429",
        "429, whose page returns 503",
        _nginx(("always; return 429;", "always; return 503;")),
    ),
    _flaw(
        "limit_by_the_host",
        "rate_limit_per_user",
        "a limit whose key is the host that all users ask for",
        _nginx(("$binary_remote_addr", "$host")),
    ),
    _flaw(
        "body_of_one_megabyte_by_a_named_location",
        "upload_limits_agree",
        "bodies of 1 MB where a location with a name hands on",
        _nginx(
            ("    client_max_body_size 55m;\n", ""),
            (
                "    location / {\n",
                "    location / { try_files $uri @webui; }\n    location @webui {\n",
            ),
        ),
    ),
    _flaw("life_of_no_time", "sessions_end", "0s, which is no end", _env(("IN=7d", "IN=0s"))),
    _flaw(
        "life_below_zero", "sessions_end", "sessions that end yesterday", _env(("IN=7d", "IN=-1d"))
    ),
    _flaw(
        "data_of_the_pod",
        "data_persisted",
        "a volume that ends with its pod",
        added("webui.yaml", _VOLUME),
    ),
    _flaw(
        "user_not_told",
        "unprivileged_user",
        "a user by a variable that no file tells",
        _compose(('user: "1001:1001"', 'user: "${OWNER}"')),
        _OPEN,
    ),
    _flaw(
        "unit_not_wanted",
        "restarted_automatically",
        "a unit that nothing starts with its host",
        both(
            added(
                "vllm.service",
                _UNIT.partition("[Install]")[0].replace("[Service]", "[Service]\nRestart=always"),
            ),
            added("vllm.logrotate", LOGROTATE),
        ),
        _OPEN,
    ),
    _flaw(
        "health_of_another_port",
        "health_check_asks_for_tokens",
        "a health check that asks another port",
        _compose(("127.0.0.1:8000/v1/completions", "127.0.0.1:9000/v1/completions")),
    ),
    _flaw(
        "health_of_any_answer",
        "health_check_asks_for_tokens",
        "a health check that an error meets",
        _compose(("curl -fsS", "curl -sS")),
    ),
    _flaw(
        "logs_renamed_only",
        "logs_rotated",
        "containers whose logs are renamed, and written on",
        both(
            _compose(
                (_LOGS, ""), (' options: {max-size: "50m", max-file: "5"}', " options: {tag: vllm}")
            ),
            added("containers.logrotate", _RENAMED),
        ),
    ),
    _flaw(
        "logs_of_a_unit_renamed_only",
        "logs_rotated",
        "a log that is renamed, and nothing says so to who writes it",
        both(
            added("vllm.service", _UNIT.replace("[Service]", "[Service]\nRestart=always")),
            added("vllm.logrotate", LOGROTATE.replace("  copytruncate\n", "")),
        ),
        _OPEN,
    ),
    _flaw(
        "image_of_a_major_version",
        "versions_pinned",
        "an image by the first number of its version",
        _compose(("nginx:1.28.0", "nginx:1")),
    ),
    _flaw(
        "image_by_its_system",
        "versions_pinned",
        "an image by the version of the system below it",
        _compose(("nginx:1.28.0", "nginx:stable-alpine3.20")),
    ),
    _flaw(
        "model_of_a_branch",
        "versions_pinned",
        "a hub's model by a branch",
        _compose(
            (
                "--model /models/Qwen2.5-7B-Instruct",
                "--model Qwen/Qwen2.5-7B-Instruct --revision main",
            )
        ),
    ),
    _flaw(
        "watchdog_of_memory",
        "watchdog_can_fire",
        "a script that watches memory, which vLLM holds from its start",
        added("watchdog.sh", _WATCHDOG),
    ),
]
