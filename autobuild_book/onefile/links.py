"""Links between articles, once they lie in one file."""

from collections.abc import Callable, Mapping, Sequence

from autobuild_book.onefile.articles import Article
from autobuild_book.onefile.cleaning import ids

Place = Callable[[str, str], str]  # the address of a place (an id, or "" for its beginning) on a page


def relink(articles: Sequence[Article], place: Place) -> None:
    """Let every link lead to where its target is now; one whose target is in no article becomes its text."""
    places = {article.name: {"", *ids(article.content)} for article in articles}
    for article in articles:
        for link in article.content.find_all("a"):
            address = _address(article, str(link.get("href", "")), places, place)
            if address:
                link["href"] = address
            elif link.get("id"):
                del link["href"]
            else:
                link.unwrap()


def _address(article: Article, address: str, places: Mapping[str, set[str]], place: Place) -> str:
    """Return where a link leads now; "" for nowhere."""
    if not address:
        return ""
    name, fragment = article.target(address)
    if not name:
        return fragment if fragment.startswith(("http://", "https://", "mailto:")) else ""
    if name not in places:
        return ""
    return place(name, fragment if fragment in places[name] else "")
