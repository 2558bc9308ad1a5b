"""The words of an alert as the master's settings want them: templates over fixed fields.  Pure.

A template is the master's own and trusted as its configuration is; the fields come from nodes, and
are text in it, never a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import jinja2.meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .alert import Alert
from .event import printable

#: What a template may ask for; docs/alerts.md says what each is.
FIELDS = (
    "cause",
    "cluster",
    "incident",
    "instance",
    "kind",
    "late_seconds",
    "node",
    "seconds",
    "severity",
    "subject",
    "text",
    "time",
    "word",
)
#: A message is cut here: no receiver shows more, and many refuse it.
LONGEST = 4000

_JINJA = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)


class TemplateMistake(ValueError):
    """The text continues the path of the setting."""


@dataclass(frozen=True)
class Template:
    """Jinja2 for the text and the subject of a message; empty: the built-in words."""

    text: str = ""
    subject: str = ""


BUILT_IN = Template()


def read_template(settings: object, where: str = "") -> Template:
    """Understand a setting ``template``: the text alone, or ``{text, subject}``.

    Raises TemplateMistake: it is no Jinja2, or asks for a field that there is not.
    """
    if settings is None:
        return BUILT_IN
    if isinstance(settings, str):
        settings = {"text": settings}
    if not isinstance(settings, Mapping) or not set(settings) <= {"text", "subject"}:
        raise TemplateMistake(f"{where} is neither a text nor {{text: …, subject: …}}")
    for key, source in settings.items():
        if not isinstance(source, str):
            raise TemplateMistake(f"{where}:{key} is no text")
        wrong = _wrong(source)
        if wrong:
            raise TemplateMistake(f"{where}:{key}: {wrong}")
    return Template(settings.get("text", ""), settings.get("subject", ""))


def words(template: Template, alert: Alert) -> tuple[str, str, str | None]:
    """Subject and text of an alert, and what is wrong with the template or None.

    Where it fails the built-in words stand, and the text ends with that.
    """
    found, problem = {"subject": alert.subject, "text": alert.text}, None
    given = fields(alert)
    for name in ("subject", "text"):
        source = getattr(template, name)
        if not source:
            continue
        try:
            made = _JINJA.from_string(source).render(given).strip()
        except Exception as error:
            # Whatever a template does wrong, the alert goes out.
            problem = f"the template of the {name} failed ({_reason(error)})"
            continue
        if made:
            found[name] = made
    subject = printable(" ".join(found["subject"].split()))[:200]
    text = found["text"][:LONGEST] + (f" [{problem}]" if problem else "")
    return subject, text, problem


def fields(alert: Alert) -> dict[str, Any]:
    """What a template may ask for, of an alert."""
    event = alert.details.get("event") or {}
    incident = alert.details.get("details") or {}
    cause = incident.get("cause")
    given = {
        "cause": (cause.get("text") if isinstance(cause, Mapping) else None) or event.get("reason"),
        "cluster": alert.cluster,
        "incident": alert.incident,
        "instance": incident.get("instance") or event.get("instance"),
        "kind": incident.get("kind") or event.get("to"),
        "late_seconds": alert.late_seconds,
        "node": event.get("id") or ", ".join(map(str, incident.get("nodes") or ())),
        "seconds": incident.get("seconds"),
        "severity": alert.severity,
        "subject": alert.subject,
        "text": alert.text,
        "time": event.get("time") or incident.get("resolved") or incident.get("opened"),
        "word": alert.word,
    }
    return {key: "" if value is None else value for key, value in given.items()}


#: An alert that has every field, to try a template on.
_SAMPLE = Alert("info", "text", "subject", "cluster", "incident")


def _wrong(source: str) -> str | None:
    try:
        tree = _JINJA.parse(source)
        asked = jinja2.meta.find_undeclared_variables(tree)
    except jinja2.TemplateSyntaxError as error:
        return f"line {error.lineno} is no Jinja2: {printable(str(error.message))[:120]}"
    except Exception as error:
        # too deep for the parser, a number that is too long, …
        return f"it cannot be read: {_reason(error)}"
    unknown = sorted(asked - set(FIELDS) - set(_JINJA.globals))
    if unknown:
        return f"there is no field {unknown[0][:40]!r}; there are {', '.join(FIELDS)}"
    try:
        _JINJA.from_string(source).render(fields(_SAMPLE))
    except Exception as error:
        return f"it fails on a sample: {_reason(error)}"
    return None


def _reason(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}")[:160]
