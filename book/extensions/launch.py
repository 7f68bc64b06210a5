"""Sphinx extension: Binder and Colab buttons that open notebooks of the repository, once it has a public address.

The address is one setting, `repository: url` in `_config.yml`; while it is empty there are no buttons. Pages made from
executed notebooks (artifacts/book) open the notebooks that a clone has (notebooks). The role {launch}`path` links to
any other notebook.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

EXECUTED, COMMITTED = "artifacts/book/", "notebooks/"


def hide_without_address(app: Sphinx) -> None:
    """Drop the theme's launch buttons while the repository has no address: they would lead nowhere."""
    if not app.config.html_theme_options.get("repository_url"):
        app.config.html_theme_options.pop("launch_buttons", None)


def point_to_clone(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Let the theme's launch buttons open the notebooks that a clone has."""
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["url"] = button["url"].replace(EXECUTED, COMMITTED)


def addresses(repository: str, branch: str, path: str) -> dict[str, str]:
    """Return where to open a notebook of a GitHub repository, by service."""
    name = repository.rstrip("/").split("github.com/")[-1]
    return {
        "Binder": f"https://mybinder.org/v2/gh/{name}/{branch}?urlpath=lab/tree/{path}",
        "Colab": f"https://colab.research.google.com/github/{name}/blob/{branch}/{path}",
    }


class Launch(SphinxRole):
    """Links that open a notebook of the repository; without an address, its path."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the nodes that stand for the role."""
        options = self.config.html_theme_options
        if not options.get("repository_url"):
            return [nodes.literal(text=self.text)], []
        found: list[nodes.Node] = []
        for service, address in addresses(
            options["repository_url"], options.get("repository_branch") or "main", self.text
        ).items():
            found += [nodes.reference(text=service, refuri=address), nodes.Text(" ")]
        return found[:-1], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role, and what happens to the theme's buttons."""
    app.add_role("launch", Launch())
    app.connect("builder-inited", hide_without_address)
    app.connect("html-page-context", point_to_clone, priority=502)  # the theme adds its buttons at 501
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
