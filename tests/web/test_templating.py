"""Templates by Jinja2."""

from __future__ import annotations

import jinja2
import pytest

from tests.web.twins import http, same, sent_by


class Routes:
    """What knows names."""

    def __init__(self, web):
        self.web = web

    def url_path_for(self, name, **params):
        return self.web.datastructures.URLPath(f"/{name}")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.html").write_text("<p>{{ text }}{{ more }} {{ url_for('there', x=1) }} {{ request.method }}")
    (tmp_path / "plain.txt").write_text("{{ text }}")
    return tmp_path


def of(web, templates, name, context, **scope):
    request = web.requests.Request(http((b"host", b"a"), router=Routes(web), **scope))
    return templates.TemplateResponse(request, name, context, 201, {"x": "y"})


@pytest.mark.parametrize("name", ["page.html", "plain.txt", "missing"])
@pytest.mark.parametrize("extensions", [{}, {"http.response.debug": {}}])
def test_a_template(folder, name, extensions):
    async def render(web):
        templates = web.templating.Jinja2Templates(str(folder), context_processors=[lambda request: {"more": "<m>"}])
        response = of(web, templates, name, {"text": "<b>"}, extensions=extensions)
        messages = await sent_by(response, http())
        info = messages[0].pop("info", {"context": {}})["context"]
        return messages, sorted(info), response.template.name, response.context["text"]

    same(render)


def test_an_environment_of_ones_own(folder):
    def render(web):
        env = jinja2.Environment(loader=jinja2.FileSystemLoader(folder))
        templates = web.templating.Jinja2Templates(env=env)
        return of(web, templates, "page.html", {"text": "<b>"}).body, templates.env is env

    same(render)
    same(lambda web: web.templating.Jinja2Templates())
    same(lambda web: web.templating.Jinja2Templates("a", env=jinja2.Environment()))
