"""`readiness.html`: the page for teams and auditors; one file, no script, no outside request."""

from __future__ import annotations

import base64
import hashlib
import shlex
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table, charts, compliance, conclusions
from readiness.reporters.translations import Translations
from readiness.resources import PACKAGE

TEMPLATES = PACKAGE / "reporters" / "templates"


def page(record: Record, language: str = "en") -> str:
    """The page of a record."""
    escaped, words = escape_unprintable_json(record), Translations(language)
    return render(
        "page.html",
        language,
        record=escaped,
        baseline_table=baseline_table,
        charts=charts,
        why=conclusions.why(escaped, words),
        deviations=list(conclusions.deviations(escaped, words)),
        coverage=compliance.coverage(escaped),
        unmapped=compliance.unmapped(escaped),
        command=command(escaped),
    )


def render(template: str, language: str, **values: object) -> str:
    """A page of a template, with the style sheet and the words of a language."""
    css, digest = _css()
    made = _templates().get_template(template)
    return made.render(w=Translations(language), css=css, style_digest=digest, **values)


def command(record: Record) -> str:
    """The command line that repeats the run."""
    target = record["target"]
    options = {
        "model": target["model"],
        "profile": record["profile"],
        "seed": str(record["seed"]),
        "concurrency": str(record["concurrency"]),
    }
    given = (f"--{name} {shlex.quote(value)}" for name, value in options.items() if value)
    return " ".join(["readiness run", shlex.quote(target["endpoint"]), *given])


@cache
def _css() -> tuple[Markup, str]:
    """The style sheet, and its digest for the Content-Security-Policy."""
    css = (TEMPLATES / "page.css").read_text("utf-8").replace("\n", "")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return Markup(css), digest


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": charts.percent,
        "seconds": charts.seconds,
        "interval": charts.interval,
        "excerpt": charts.excerpt,
    }
    names = ("worst_first", "remarks", "finding", "counted", "found_no_defect")
    environment.globals |= {each: getattr(conclusions, each) for each in names}
    return environment
