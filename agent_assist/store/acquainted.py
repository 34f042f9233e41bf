"""Which customers an agent knows, in SQL."""

from sqlalchemy import Select, case, exists, or_, select, tuple_

from agent_assist.store.tables import calls, customer_links


def acquainted(agent_id: str) -> Select[tuple[str]]:
    """All ids of the customers with whom an agent had a call, also those under which it was not."""
    had = select(calls.c.customer_id.label("id")).where(calls.c.agent_id == agent_id, calls.c.customer_id.is_not(None))
    known = had.cte("acquainted", recursive=True)
    link, later = customer_links.alias("link"), customer_links.alias("later")
    over = exists().where(
        later.c.customer_id == link.c.customer_id,
        tuple_(later.c.at_us, later.c.event_id) > tuple_(link.c.at_us, link.c.event_id),
    )
    other = case((link.c.customer_id == known.c.id, link.c.into), else_=link.c.customer_id)
    near = or_(link.c.customer_id == known.c.id, link.c.into == known.c.id)
    same = select(other).select_from(link).join(known, near).where(link.c.into.is_not(None), ~over)
    whole = known.union(same)
    return select(whole.c.id)
