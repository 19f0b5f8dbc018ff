"""Turn the results of all scripts of this folder into one page.

python benchmarks/speed/table.py                 # docs/benchmarks/speed.md
python benchmarks/speed/table.py --run [--quick] # measure everything first
"""

import json
import subprocess
import sys

from paired import HERE, RESULTS, Row, arguments, growth_text

PAGE = HERE.parents[1] / "docs" / "benchmarks" / "speed.md"
NOT_ROWS = ("paired.py", "published.py", "table.py")
HEAD = """# Speed, measured

Each row is written by a script in `benchmarks/speed/`;
`python benchmarks/speed/table.py --run` measures all of them and writes this page.
Contenders run in turns; the ratio is the median over turns of theirs / ours, with its
least and largest value. Memory is the peak of a fresh process, libraries included. The
published libraries compute other voxels where theirs are wrong (see the notes); what is
compared is the work.

| work | ours | theirs | ratio | wanted | memory, ours / theirs |
|---|---|---|---|---|---|
"""


def main():
    parser = arguments(__doc__)
    parser.add_argument("--run", action="store_true", help="measure first")
    args = parser.parse_args()
    if args.run:
        for script in sorted(HERE.glob("*.py")):
            if script.name not in NOT_ROWS:
                options = ["--quick"] if args.quick else []
                print(f"# {script.name}", flush=True)
                subprocess.run([sys.executable, str(script), *options], check=True)
    PAGE.write_text(page(), encoding="utf-8")


def page():
    records = [
        json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))
    ]
    rows = [Row(**row) for record in records for row in record["rows"]]
    parts = [HEAD + "\n".join(cells(row) for row in rows)]
    grown = [
        f"| {row.item} | {growth_text(row.growth)} |" for row in rows if row.growth
    ]
    if grown:
        parts.append(
            "## When the work doubles\n\n"
            "Seconds at each size over those at the size before.\n\n"
            "| work | amounts: factor from one to the next |\n|---|---|\n"
            + "\n".join(grown)
        )
    notes = [f"- **{row.item}**: {row.note}" for row in rows if row.note]
    if notes:
        parts.append("## Notes\n\n" + "\n".join(notes))
    machines = dict.fromkeys(
        f"- {each['machine']}, {each['date']}." for each in records
    )
    parts.append("## Machines\n\n" + "\n".join(machines))
    return "\n\n".join(parts) + "\n"


def cells(row):
    ratio = (
        ""
        if row.ratio is None
        else f"{row.ratio:.1f}x ({row.low:.1f} to {row.high:.1f})"
    )
    theirs = "" if row.theirs is None else f"{seconds(row.theirs)} {row.opponent}"
    memory = " / ".join(
        "" if value is None else f"{value:.0f} MiB"
        for value in (row.ours_mib, row.theirs_mib)
    ).strip(" /")
    parts = (row.item, seconds(row.ours), theirs, ratio, row.target, memory)
    return f"| {' | '.join(parts)} |"


def seconds(value):
    if value < 1e-5:
        return ""  # of a row about memory
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


if __name__ == "__main__":
    main()
