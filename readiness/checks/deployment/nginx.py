"""Reads nginx's configuration with crossplane: what applies to each location that proxies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import SplitResult, urlsplit

from readiness.checks.deployment.facts import (
    LOCAL,
    SET,
    Deployment,
    Directive,
    ErrorPage,
    Program,
    ProxyLocation,
)

#: What an included file of these names sets changes nothing that is checked.
_HARMLESS = re.compile(
    r"mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|modules-enabled|/modules/|fastcgi\.conf"
)
#: What may keep a client from a location.
GUARDS = (
    "auth_basic",
    "auth_request",
    "auth_jwt",
    "deny",
    "internal",
    "if",
    "ssl_verify_client",
)
#: Forms of them that keep nobody out.
_NO_GUARD = frozenset(
    [
        ("auth_basic", "off"),
        ("auth_request", "off"),
        ("auth_jwt", "off"),
        ("ssl_verify_client", "off"),
        ("ssl_verify_client", "optional_no_ca"),
    ]
)
#: The header by which a client signs in, as it is handed on.
_HANDED_ON = ("", "$http_authorization")
#: The directives that are checked; headers that are set may hold secrets, and only whether is kept.
_READ = frozenset(
    [
        "proxy_read_timeout",
        "proxy_buffering",
        "proxy_http_version",
        "proxy_cache",
        "proxy_cache_methods",
        "proxy_cache_key",
        "proxy_cache_valid",
        "proxy_cache_bypass",
        "proxy_no_cache",
        "proxy_next_upstream",
        "proxy_next_upstream_tries",
        "proxy_request_buffering",
        "client_body_buffer_size",
        "gzip",
        "gzip_types",
        "client_max_body_size",
        "limit_req",
        "limit_req_status",
        "limit_conn",
        "limit_conn_status",
        "add_header",
        "error_page",
        "set_real_ip_from",
        "proxy_set_header",
        "listen",
        "rewrite",
        *GUARDS,
    ]
)
_SECTION = re.compile(r" configuration file (\S+):")
_BLOCKS = ("server", "location", "if", "limit_except")
MAX_NESTING = 40


class UnreadableNginx(ValueError):
    """A file is no configuration of nginx; the message has nothing of it but the line."""


@dataclass(frozen=True)
class Statement:
    """A directive as it is written, with what is in its block."""

    name: str
    arguments: Sequence[str]
    place: str
    block: Sequence[Statement] = ()


@dataclass(frozen=True)
class _Scope:
    """What a block inherits.

    Args:
        directives: Those of the innermost block that has them, by name.
        variables: What `set` sets.
        hidden: An included file that was not shown.
    """

    directives: Mapping[str, Sequence[Directive]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    hidden: str = ""

    def within(self, block: Sequence[Statement]) -> _Scope:
        """The scope of a block in this one: a list of its own replaces the one that it inherits."""
        own: dict[str, list[Directive]] = {}
        variables = dict(self.variables)
        hidden = self.hidden
        for each in block:
            # Without an argument, nginx does not start.
            if each.name in _READ and (each.arguments or each.name == "internal"):
                own.setdefault(each.name, []).append(_directive(each))
            if each.name == "set" and len(each.arguments) == 2:
                variables[each.arguments[0]] = each.arguments[1]
            if each.name == "include":
                hidden = hidden or each.place
        return _Scope({**self.directives, **own}, variables, hidden)


def _directive(statement: Statement) -> Directive:
    arguments = statement.arguments
    if statement.name == "proxy_set_header":
        arguments = (
            *arguments[:1],
            *(each if each in _HANDED_ON else SET for each in arguments[1:]),
        )
    return Directive(statement.name, arguments, statement.place)


#: The statements of included files by the pattern that names them; None where none was shown.
Include = Callable[[str], Sequence[Statement] | None]


def statements(text: str, file: str) -> list[Statement]:
    """The directives of a text; of a dump (`nginx -T`) those of its files where they are included.

    Raises:
        UnreadableNginx: It is no configuration of nginx.
    """
    import crossplane

    try:
        with NamedTemporaryFile("w", encoding="utf-8", suffix=".conf") as kept:
            kept.write(text)
            kept.flush()
            parsed = crossplane.parse(
                kept.name,
                single=True,
                catch_errors=True,
                check_ctx=False,
                check_args=False,
                comments=True,
            )
    except (RecursionError, ValueError, OSError) as error:
        raise UnreadableNginx(f"{file}: not read as a configuration of nginx") from error
    for each in parsed["errors"]:
        raise UnreadableNginx(f"{file}:{each['line'] or 1}: not read as a configuration of nginx")
    return _of_dump(parsed["config"][0]["parsed"], file)


def _of_dump(parsed: Sequence[Mapping[str, Any]], file: str) -> list[Statement]:
    """The directives of a file, or of the first file of a dump."""
    sections: dict[str, list[Mapping[str, Any]]] = {"": []}
    starts = {"": 0}
    name = ""
    for each in parsed:
        if each["directive"] == "#" and (match := _SECTION.fullmatch(each["comment"].rstrip())):
            name = match[1]
            sections[name], starts[name] = [], each["line"]
        else:
            sections[name].append(each)
    own = [_statement(each, file) for each in sections.pop("") if each["directive"] != "#"]
    if not sections:
        return own
    first, *rest = sections

    def named(pattern: str) -> list[Statement] | None:
        whole = pattern if pattern.startswith("/") else str(Path(first).parent / pattern)
        found = [name for name in rest if fnmatch(name, whole)]
        return [
            _statement(each, file)
            for name in found
            for each in sections[name]
            if each["directive"] != "#"
        ]

    return own + included(
        [_statement(each, file) for each in sections[first] if each["directive"] != "#"], named
    )


def _statement(parsed: Mapping[str, Any], file: str) -> Statement:
    block = [_statement(each, file) for each in parsed.get("block", ()) if each["directive"] != "#"]
    return Statement(
        parsed["directive"], tuple(parsed["args"]), f"{file}:{parsed['line']}", tuple(block)
    )


def included(given: Sequence[Statement], include: Include, depth: int = 0) -> list[Statement]:
    """The directives, with those of included files in place; the `include` of others stays."""
    found: list[Statement] = []
    for each in given:
        if each.name == "include" and each.arguments and depth < MAX_NESTING:
            pattern = each.arguments[0]
            shown = include(pattern)
            if shown is not None:
                found += included(shown, include, depth + 1)
            elif not _HARMLESS.search(pattern):
                found.append(each)
        else:
            found.append(replace(each, block=tuple(included(each.block, include, depth + 1))))
    return found


def proxy_locations(given: Sequence[Statement]) -> list[ProxyLocation]:
    """The locations that hand requests on, of a whole configuration or of an included file."""
    http = [each for each in given if each.name == "http"]
    scopes = [(_Scope().within(each.block), each.block) for each in http]
    loose = [
        each for each in given if each.name in ("server", "location", "upstream", "limit_req_zone")
    ]
    if loose and not http:
        # Whoever includes this file may set more.
        scopes.append((_Scope(hidden=loose[0].place).within(given), given))
    return [
        each for scope, block in scopes for each in _locations(scope, block, "", _Context.of(block))
    ]


@dataclass(frozen=True)
class _Context:
    """What stands beside the servers: upstreams, the keys of zones, and the servers' own blocks."""

    upstreams: Mapping[str, Sequence[str]]
    zones: Mapping[str, str]
    server: Sequence[Statement] = ()

    @classmethod
    def of(cls, block: Sequence[Statement]) -> _Context:
        upstreams = {
            each.arguments[0]: [
                _with_port(line.arguments[0]) for line in each.block if line.name == "server"
            ]
            for each in block
            if each.name == "upstream" and each.arguments
        }
        return cls(upstreams, dict(_zones(block)))


def _zones(block: Sequence[Statement]) -> Iterator[tuple[str, str]]:
    for each in block:
        if each.name in ("limit_req_zone", "limit_conn_zone") and len(each.arguments) > 1:
            named = re.match(r"zone=([^:]+)", each.arguments[1])
            if named:
                yield named[1], each.arguments[0]


def _locations(
    scope: _Scope, block: Sequence[Statement], path: str, context: _Context
) -> Iterator[ProxyLocation]:
    """The locations in a block, and the block itself if it hands on."""
    own = [each for each in block if each.name == "proxy_pass"]
    for each in own:
        url = _url(each.arguments, scope)
        yield ProxyLocation(
            _paths(path, context.server),
            each.place,
            _targets(url, context),
            scope.directives,
            "" if "$" in url.path else url.path,
            scope.hidden,
            _error_pages(scope, context.server),
            context.zones,
            tuple(_names_of_locations(context.server)),
        )
    for each in block:
        if each.name in _BLOCKS:
            inner = replace(context, server=each.block) if each.name == "server" else context
            name = _location_name(each) if each.name == "location" else path
            yield from _locations(scope.within(each.block), each.block, name, inner)


def _location_name(location: Statement) -> str:
    return f"location {' '.join(location.arguments)}"


def _names_of_locations(block: Sequence[Statement]) -> Iterator[str]:
    """The locations of a block, and of those in them."""
    for each in block:
        if each.name == "location":
            yield _location_name(each)
            yield from _names_of_locations(each.block)


def _url(arguments: Sequence[str], scope: _Scope) -> SplitResult:
    """The URL of `proxy_pass`, with what variables are set to; an empty one where it is none."""
    text = re.sub(
        r"\$\w+", lambda m: scope.variables.get(m[0], m[0]), arguments[0] if arguments else ""
    )
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def _targets(url: SplitResult, context: _Context) -> Sequence[str]:
    """The hosts and ports of a URL; none where a variable has them that nothing sets."""
    host = url.netloc.rpartition("@")[2]
    if host in context.upstreams:
        return context.upstreams[host]
    return (
        [_with_port(host, "443" if url.scheme == "https" else "80")]
        if host and "$" not in host
        else []
    )


def _paths(path: str, server: Sequence[Statement]) -> Sequence[str]:
    """The paths of a location; of a named one those of the locations that name it."""
    name = path.removeprefix("location ")
    if not name.startswith("@"):
        return [path]
    found = [
        _location_name(each)
        for each in server
        if each.name == "location" and _names(name, each.block)
    ]
    return [*found, *(["location /"] if _names(name, server) else [])] or [path]


def _names(name: str, block: Sequence[Statement]) -> bool:
    return any(
        each.name in ("try_files", "error_page") and each.arguments[-1:] == (name,)
        for each in block
    )


def _with_port(host: str, port: str = "80") -> str:
    return host if re.search(r":\d+$", host) else f"{host}:{port}"


def _error_pages(scope: _Scope, server: Sequence[Statement]) -> Mapping[str, ErrorPage]:
    """What is answered in place of a status, where its page is a location of the server."""
    blocks = {
        each.arguments[-1]: each.block
        for each in server
        if each.name == "location" and each.arguments
    }
    found: dict[str, ErrorPage] = {}
    outer = _Scope().within(server)
    for page in scope.directives.get("error_page", ()):
        *codes, location = page.arguments
        answered = codes.pop().removeprefix("=") if codes and codes[-1].startswith("=") else None
        block = blocks.get(location)
        added = outer.within(block).directives.get("add_header", ()) if block else ()
        names = frozenset(each.arguments[0].lower() for each in added if "always" in each.arguments)
        for code in codes:
            status = _returned(block or ()) or (code if answered is None else answered)
            found[code] = ErrorPage(status or None, None if block is None else names)
    return found


def _returned(block: Sequence[Statement]) -> str:
    """The status that a block returns, whatever `error_page` says; "" where it returns none."""
    return next(
        (each.arguments[0] for each in block if each.name == "return" and each.arguments), ""
    )


_MODIFIED = re.compile(r"location(?: (=|~\*?|\^~))? (\S+)")


def hands_on(location: ProxyLocation, path: str) -> bool:
    """Whether some request is handed on with a path."""
    return any(
        got == path for taken in location.paths for _, got in _handed_on(taken, path, location)
    )


def serves(location: ProxyLocation, path: str) -> bool:
    """Whether a request is handed on with a path, and no other location of its server takes it."""
    return any(
        got == path and _chosen([*location.siblings, taken], sent) == taken
        for taken in location.paths
        for sent, got in _handed_on(taken, path, location)
    )


def _chosen(locations: Sequence[str], sent: str) -> str:
    """The location that nginx chooses for a path, by its rules of precedence."""
    fitting = [(*_kind(each), each) for each in locations if _takes(*_kind(each), sent)]
    exact = [each for kind, _, each in fitting if kind == "="]
    patterns = [each for kind, _, each in fitting if kind.startswith("~")]
    prefixes = [each for each in fitting if each[0] in ("", "^~")]
    longest = max(prefixes, key=lambda each: len(each[1]), default=("", "", ""))
    return next(iter(exact or ([] if longest[0] == "^~" else patterns)), longest[2])


def _kind(taken: str) -> tuple[str, str]:
    """The modifier of a location, and what its paths begin with or match."""
    found = _MODIFIED.fullmatch(taken)
    return (found[1] or "", found[2]) if found else ("", "/")


def _handed_on(taken: str, path: str, location: ProxyLocation) -> Iterator[tuple[str, str]]:
    """The paths of requests that end as one does, each with that by which it is handed on."""
    kind, begin = _kind(taken)
    if kind == "=":
        yield begin, location.uri or begin
        return
    before = "/" if kind.startswith("~") else begin
    for sent in (path, f"{before}{path[1:]}", f"{before}{path}"):
        if not _takes(kind, begin, sent):
            continue
        got = sent
        for each in location.directives.get("rewrite", ()):
            got = _rewritten(each.arguments, got)
        yield sent, f"{location.uri}{got[len(begin) :]}" if location.uri and got == sent else got


def _takes(kind: str, begin: str, sent: str) -> bool:
    """Whether a location takes a path."""
    if kind == "=":
        return sent == begin
    if not kind.startswith("~"):
        return sent.startswith(begin)
    try:
        return bool(re.search(begin, sent, re.IGNORECASE if "*" in kind else 0))
    except re.error:
        return False


def _rewritten(arguments: Sequence[str], path: str) -> str:
    """A path after a `rewrite` of it."""
    try:
        found = re.search(arguments[0], path)
        return found.expand(re.sub(r"\$(\d)", r"\\\1", arguments[1])) if found else path
    except (re.error, IndexError):
        return path


#: Variables by which no client is told from another, as in `if` for CORS or WebSockets.
_OF_REQUEST = frozenset(
    [
        "$request_method",
        "$http_origin",
        "$http_upgrade",
        "$http_user_agent",
        "$http_x_forwarded_proto",
        "$host",
        "$http_host",
        "$scheme",
        "$https",
        "$server_port",
        "$uri",
        "$request_uri",
        "$content_type",
    ]
)


def is_guarded(location: ProxyLocation) -> bool:
    """Whether something keeps some clients from a location."""
    return any(_keeps_out(each) for name in GUARDS for each in location.directives.get(name, ()))


def _keeps_out(directive: Directive) -> bool:
    """Whether a directive keeps all clients out but those that it knows."""
    if directive.name == "deny":
        return directive.arguments[:1] == ("all",)
    if directive.name == "if":
        return not _OF_REQUEST.issuperset(re.findall(r"\$\w+", " ".join(directive.arguments)))
    return (directive.name, *directive.arguments[:1]) not in _NO_GUARD


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def is_reached(location: ProxyLocation, deployment: Deployment) -> bool | None:
    """Whether more than its own host reaches a location; None where the files do not show it."""
    listens = [each.arguments[0] for each in location.directives.get("listen", ())]
    ports = {
        each.rpartition(":")[2]
        for each in listens
        if not each.startswith("unix:")
        if not _LOOPBACK.intersection((each, each.rpartition(":")[0]))
    }
    if not ports:
        return False if listens else None
    gateways = deployment.of(Program.NGINX)
    if not gateways:
        on_host = all(each.rpartition(":")[0] in LOCAL for each in location.targets)
        return True if on_host else None
    if any(each.opened & {"*", *ports} for each in gateways):
        return True
    return None if any(each.exposed and not each.opened for each in gateways) else False
