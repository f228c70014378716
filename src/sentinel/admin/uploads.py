"""A CSV file that somebody sends, for the JSON API and the page alike."""

import asyncio
from typing import Annotated

from fastapi import File, UploadFile

from sentinel.workspaces import csv_file
from sentinel.workspaces.csv_file import ImportRow

CsvFile = Annotated[UploadFile, File()]


async def rows_of(file: UploadFile) -> list[ImportRow]:
    """The rows of an uploaded file. What the browser says of its name and kind is not looked at.

    Raises :class:`TooLarge` and :class:`Invalid` as :func:`~sentinel.workspaces.csv_file.parse` does.
    """
    # One byte more than is taken tells that there is more.
    content = await file.read(csv_file.MAX_BYTES + 1)
    # A large file takes a while, and other requests must not wait for it.
    return await asyncio.to_thread(csv_file.parse, content)
