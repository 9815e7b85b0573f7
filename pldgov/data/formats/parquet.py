"""Parquet, through pyarrow (extra ``parquet``): loaded only when such a file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pldgov.data.rows import Row, check_rows

if TYPE_CHECKING:
    from pldgov.data.rows import Findings


def read_parquet(data: bytes, findings: Findings) -> list[Row]:
    """Return the rows of ``data``, numbered from 1 in the place of lines."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        check_rows(file.metadata.num_rows, where=findings.path)
        records = file.read().to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        findings.add(1, "data-parquet", f"not a readable Parquet file: {reason}")
        return []
    return [Row(number, record) for number, record in enumerate(records, 1)]
