"""Write the examples of the rulebooks whose data may not be committed, from a folder of data.

    python benchmarks/public_data.py ../shared/data

``stereoset_bias_type`` (Nadeem et al. 2021, CC BY-SA 4.0) and ``contract_nli_spans`` (Koreeda &
Manning 2021, CC BY 4.0) hold ``train.jsonl`` and ``dev.jsonl``, one example a line with ``id``,
``label``, ``group`` and the inputs. ``dev`` becomes the gate split. Validation is cut from
``train``: whole groups, then a sample of as many examples as a candidate can be tried on in a
minute or two: about as many of each label, or of ContractNLI whole contracts, whose 17 statements
have the labels that they have in the gate split (an even sample, which earlier runs were chosen
by, is kept out of ``train`` as well). Nothing is left to chance but what SHA-256 of the ids says.

Contracts that stand in both parts of ContractNLI under two names, in full or nearly, leave
``train``: what stands in the gate split may not be learned from.

StereoSet's training part holds one group of religion only (one target term), so that label's
examples cannot be cut by group: they are dealt out one by one, and their group is renamed in
validation. Gate groups stand in neither split.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from pldgov.data.similarity import near_duplicates
from pldgov.dataset import Example

ROOT = Path(__file__).resolve().parent.parent

Row = dict[str, str]


@dataclass(frozen=True)
class DataSet:
    """A rulebook's name, where its rows come from, and how much validation it gets."""

    rulebook: str
    folder: str
    inputs: tuple[str, ...]
    strata: tuple[str, ...]
    group_share: float
    validation: int
    whole_groups: bool = False


SETS = (
    DataSet("stereoset-bias-type", "stereoset_bias_type", ("context", "sentence"), (), 0.25, 240),
    DataSet(
        "contract-nli",
        "contract_nli_spans",
        ("premise", "hypothesis"),
        ("hypothesis",),
        group_share=0.2,
        validation=204,
        whole_groups=True,
    ),
)


def main() -> int:
    """Write every data set that the folder holds; exit 1 when it holds none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder with one folder for each data set")
    found = [one for one in SETS if (parser.parse_args().data / one.folder).is_dir()]
    if not found:
        print("no data set lies there: " + ", ".join(one.folder for one in SETS), file=sys.stderr)
        return 1
    for one in found:
        _write(one, parser.parse_args().data / one.folder)
    return 0


def _write(one: DataSet, folder: Path) -> None:
    rows, gate = (
        [_row(line, one) for line in _lines(folder / f"{n}.jsonl")] for n in ("train", "dev")
    )
    train, held = _cut(rows, one)
    validation = _whole_groups(held, one) if one.whole_groups else _sample(held, one)
    tried = {row["id"]: row for row in (*validation, *_sample(held, one))}
    train = _unseen(train, {"gate": gate, "validation": list(tried.values())}, one)
    target = ROOT / "rulebooks" / one.rulebook / "examples"
    target.mkdir(parents=True, exist_ok=True)
    for name, split in (("train", train), ("validation", validation), ("gate", gate)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in split)
        (target / f"{name}.jsonl").write_text(text, encoding="utf-8")
        counts = ", ".join(
            f"{n} {label}" for label, n in sorted(Counter(r["label"] for r in split).items())
        )
        print(f"{one.rulebook} {name}: {len(split)} ({counts})")


def _lines(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _row(row: Row, one: DataSet) -> Row:
    """Keep what an example is; subset and hypothesis ids would give labels away."""
    return {key: row[key] for key in ("id", *one.inputs, "label", "group")}


def _cut(rows: list[Row], one: DataSet) -> tuple[list[Row], list[Row]]:
    """Return train, and the groups that are set apart for validation."""
    by_label: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        by_label[row["label"]].add(row["group"])
    apart: set[str] = set()
    for groups in by_label.values():
        ranked = sorted(groups, key=_draw)
        apart.update(ranked[: round(len(ranked) * one.group_share)] if len(ranked) > 1 else [])
    single = {next(iter(groups)) for groups in by_label.values() if len(groups) == 1}
    train, held = [], []
    for row in rows:
        if row["group"] in single and _draw(row["id"]) < "8":
            held.append({**row, "group": f"{row['group']}-validation"})
        else:
            (held if row["group"] in apart else train).append(row)
    return train, held


def _unseen(train: list[Row], others: dict[str, list[Row]], one: DataSet) -> list[Row]:
    """Leave out the groups of which an example is nearly the same as one of another split."""
    splits = {
        name: [_example(row, one) for row in rows]
        for name, rows in (*others.items(), ("train", train))
    }
    pairs = near_duplicates(splits)
    lost = {pair.second.group for pair in pairs if pair.second_split == "train"}
    return [row for row in train if row["group"] not in lost]


def _example(row: Row, one: DataSet) -> Example:
    inputs = {name: row[name] for name in one.inputs}
    return Example(id=row["id"], inputs=inputs, label=row["label"], group=row["group"])


def _whole_groups(rows: list[Row], one: DataSet) -> list[Row]:
    """Return about as many rows as validation has: whole groups, by the digests of their names."""
    ranked = sorted({row["group"] for row in rows}, key=_draw)
    chosen = set(ranked[: round(one.validation * len(ranked) / len(rows))])
    return [row for row in rows if row["group"] in chosen]


def _sample(rows: list[Row], one: DataSet) -> list[Row]:
    """Return about the same number of each stratum, by the digests of the ids."""
    strata: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        strata[row["label"], *(row[field] for field in one.strata)].append(row)
    ranked = [
        (rank, _draw(row["id"]), row)
        for members in strata.values()
        for rank, row in enumerate(sorted(members, key=lambda row: _draw(row["id"])))
    ]
    ranked.sort(key=lambda item: item[:2])
    chosen = {row["id"] for _, _, row in ranked[: one.validation]}
    return [row for row in rows if row["id"] in chosen]


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
