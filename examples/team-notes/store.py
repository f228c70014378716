"""The notes, in SQLite. Who may see which one is asked of Sentinel, so nothing about it is stored here."""

import os
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateIndex, CreateTable

engine = create_async_engine(os.environ.get("NOTES_DATABASE", "sqlite+aiosqlite:///notes.db"))
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase): ...


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(index=True)
    author_id: Mapped[UUID]
    author: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]


async def create_tables() -> None:
    # Each statement for itself leaves what is there: another process may make the same at this moment, and
    # `create_all` looks first and makes then.
    async with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            await connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                await connection.execute(CreateIndex(index, if_not_exists=True))
