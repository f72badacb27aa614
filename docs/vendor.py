"""Build the one bundle that is not ours: `python docs/vendor.py` (needs node and npm; installing and testing do not).

It takes the pinned packages through npm in a folder of its own, joins what the charts use of them into
`monitor/web/static/vendor/plot.js` and their licences into `LICENSES.txt`, and says the bundle's SHA-256, which the
README beside it must name. `--check` builds and compares without writing.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "monitor" / "web" / "static" / "vendor"

USED = "plot, line, areaY, dot, rect, rectY, ruleX, ruleY, axisX, axisY, gridY, text"
PLOT = "@observablehq/plot"
BUNDLED = {
    PLOT: "0.6.17",
    "d3": "7.9.2",
    "d3-array": "3.2.5",
    "d3-axis": "3.0.1",
    "d3-color": "3.1.1",
    "d3-format": "3.1.3",
    "d3-geo": "3.1.2",
    "d3-interpolate": "3.0.2",
    "d3-path": "3.1.1",
    "d3-scale": "4.0.3",
    "d3-scale-chromatic": "3.1.1",
    "d3-selection": "3.0.1",
    "d3-shape": "3.2.1",
    "d3-time": "3.1.1",
    "d3-time-format": "4.1.1",
    "internmap": "2.0.3",
    "isoformat": "0.2.1",
}
ESBUILD = "0.28.2"


def build(folder: Path) -> tuple[bytes, str]:
    """The bundle and the licences of what is in it. Raises CalledProcessError with npm's or esbuild's own words."""
    pinned = {**BUNDLED, "esbuild": ESBUILD}
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": pinned, "overrides": pinned}))
    (folder / "entry.js").write_text(f'export {{{USED}}} from "{PLOT}";\n')
    subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    options = ["--bundle", "--minify", "--format=esm", "--target=es2020", "--legal-comments=none"]
    command = ["node_modules/.bin/esbuild", "entry.js", *options, "--outfile=plot.js"]
    subprocess.run(command, cwd=folder, check=True)
    texts = []
    for name, version in sorted(BUNDLED.items()):
        licence = (folder / "node_modules" / name / "LICENSE").read_text(encoding="utf-8").strip()
        texts.append(f"{name} {version}\n\n{licence}\n")
    return (folder / "plot.js").read_bytes(), ("\n" + "-" * 72 + "\n\n").join(texts)


def main() -> int:
    """Build, then write or compare; 1 when what is committed is not what is built."""
    with tempfile.TemporaryDirectory() as folder:
        bundle, licences = build(Path(folder))
    print(f"plot.js: {len(bundle):,} bytes, sha256 {hashlib.sha256(bundle).hexdigest()}")
    if "--check" in sys.argv:
        return int((VENDOR / "plot.js").read_bytes() != bundle)
    (VENDOR / "plot.js").write_bytes(bundle)
    (VENDOR / "LICENSES.txt").write_text(licences, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
