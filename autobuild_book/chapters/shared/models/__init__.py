"""Other ways to predict the same labels, to compare with: graph features, zero-cost proxies and simple models.

`registry` lists the models; the additive ridge is `autobuild_book.chapters.shared.ridge`.
"""
