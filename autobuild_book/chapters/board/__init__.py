"""The table of tables: every model of the registry on every table of networks that were really trained or timed."""
