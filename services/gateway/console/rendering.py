"""Pages from templates, in the language of the request, with the policy for what a page may load."""

from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import imageconverter
from services.gateway import state
from services.gateway.auth.api_keys import Grant
from services.gateway.auth.route_permissions import grant_of
from services.gateway.console.languages import Language, Languages
from services.gateway.http.compression import compress

_FOLDER: Final = Path(__file__).parent / "templates"
_FRAME: Final = "base.html"
THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "theme"

# Nothing inline, nothing evaluated, nothing from another host; styles and scripts are files below `assets/`.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Templates:
    """The templates, compiled for each language."""

    def __init__(self, languages: Languages) -> None:
        """Use the texts of *languages*."""
        self.languages = languages
        self._environments = {language.code: _environment(language) for language in languages}

    def render(self, language: Language, name: str, fragment: str, values: dict[str, Any]) -> str:
        """Return the page *name*, or only its block *fragment* if it has a block of that name.

        Blocks that all pages have are no fragments: they need what is around them.
        """
        environment = self._environments[language.code]
        template = environment.get_template(name)
        is_whole = fragment in environment.get_template(_FRAME).blocks
        if not is_whole and (block := template.blocks.get(fragment)) is not None:
            return "".join(block(template.new_context(values)))
        return template.render(values)


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        auto_reload=False,  # otherwise each page looks at the files of all of its templates
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    environment.filters.update(
        number=language.number,
        percent=language.percent,
        bytes=language.bytes,
        date=language.short_date,
        datetime=language.datetime,
        duration=language.duration,
        ago=language.ago,
    )
    return environment


async def render(
    request: web.Request, name: str, *, status: int = 200, visitor: Grant | None = None, **values: Any
) -> web.Response:
    """Return the page made from the template *name* and *values*.

    It has the navigation of what has admitted the request; if that needed no credentials, of *visitor*. A request by
    htmx for an element gets the block with the id of the element, if there is one, instead of the page.
    """
    text = render_text(request, name, visitor=visitor, **values)
    return page_response(request, text, status=status)


def render_text(request: web.Request, name: str, *, visitor: Grant | None = None, **values: Any) -> str:
    """Return the text of what `render` returns."""
    templates, assets, grant = request.app[state.TEMPLATES], request.app[state.ASSETS], grant_of(request) or visitor
    language = templates.languages.of(request)
    pages = request.app[state.PAGES]
    theme = request.cookies.get(THEME_COOKIE, "")
    return templates.render(
        language,
        name,
        request.headers.get("HX-Target", ""),
        {
            "language": language,
            "script_messages": language.script_messages(name.removesuffix(".html").partition("-")[0]),
            "languages": list(templates.languages),
            "theme": theme if theme in THEMES else THEMES[0],
            "path": request.path,
            "asset": assets.url,
            "grant": grant,
            "may_open": lambda path: grant is not None and path in pages and pages[path].is_met_by(grant),
            "version": imageconverter.__version__,
            **values,
        },
    )


def page_response(request: web.Request, text: str, *, status: int = 200) -> web.Response:
    """Return a response with the page, or a part of it, in *text*."""
    response = web.Response(text=text, status=status, content_type="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    compress(request, response)
    response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie, HX-Target"
    return response
