"""PostgreSQL as Django speaks to it, over a pool that recovers from a killed server at once."""
