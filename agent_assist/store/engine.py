"""The database: SQLite or PostgreSQL."""

from typing import Any, Final

from sqlalchemy import Engine, create_engine, event

_SIZES: Final = ("cache_size=-65536", "wal_autocheckpoint=16000")
"""
64 MB each of pages in memory, at most, and of the log before it is written back: with the defaults an import of
600,000 events spends half its time on that.
"""


def open_engine(url: str) -> Engine:
    """
    An engine with what both databases need.

    Args:
        url: SQLAlchemy's.
    """
    # SQLAlchemy's own default for PostgreSQL is a driver that we do not bring.
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Readers and the writer in other processes do not stop each other; a crash loses nothing that was committed.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON", *_SIZES):
        connection.execute(f"PRAGMA {pragma}").close()
