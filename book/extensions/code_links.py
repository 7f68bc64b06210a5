"""Sphinx extension: names of the library in code cells and in the text of pages lead to the reference.

Cells are linked by sphinx-codeautolink, which looks for methods where their class is defined; the reference has them
where the class is imported from. `ab.fit` in the text of a page becomes a link here.
"""

import re
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry
from sphinx.environment import BuildEnvironment

NAME = re.compile(r"(?:ab|autobuild_lib)((?:\.[A-Za-z_]\w*)+)(?:\(.*\))?", re.DOTALL)
NOT_TEXT = (nodes.reference, nodes.title, nodes.term)


def members_at_home(objects: Mapping[str, ObjectEntry]) -> dict[str, str]:
    """Return the documented name of every member of a class by the name that it has where the class is defined."""
    homes = {name: entry.node_id for name, entry in objects.items() if entry.aliased}
    return {
        f"{home}{name.removeprefix(documented)}": name
        for home, documented in homes.items()
        for name in objects
        if name.startswith(f"{documented}.")
    }


def map_members(app: Sphinx, env: BuildEnvironment) -> None:
    """Tell sphinx-codeautolink, before it looks names up, where the members of classes are documented."""
    app.config.codeautolink_inventory_map.update(members_at_home(env.domaindata["py"]["objects"]))


def link_text(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make links of names of the library in the text of a page, other than links, titles, and what is on that page."""
    if app.builder.format != "html":
        return
    objects = app.env.domaindata["py"]["objects"]
    for literal in list(doctree.findall(nodes.literal)):
        name = NAME.fullmatch(literal.astext())
        entry = objects.get(f"autobuild_lib{name[1]}") if name else None
        if entry and entry.docname != page and not _is_inside(literal, NOT_TEXT):
            address = f"{app.builder.get_relative_uri(page, entry.docname)}#{entry.node_id}"
            literal.replace_self(nodes.reference("", "", literal.deepcopy(), refuri=address, internal=True))


def _is_inside(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    return node.parent is not None and (isinstance(node.parent, kinds) or _is_inside(node.parent, kinds))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register both."""
    app.connect("env-updated", map_members, priority=400)
    app.connect("doctree-resolved", link_text)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
