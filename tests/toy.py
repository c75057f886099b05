"""A toy pipeline: five real scripts that read and write real files, run and recorded by provkg itself."""

import sys
from collections.abc import Sequence
from pathlib import Path

from provkg.capture import Recorder, run_command

SCRIPTS = {
    "observe.py": """
import sys
seed, out = int(sys.argv[1]), sys.argv[2]
with open(out, "w") as file:
    for number in range(200):
        seed = (1103515245 * seed + 12345) % 2**31
        file.write(f"{number} {seed % 1000}\\n")
""",
    "calibrate.py": """
import json, sys
raw, out = sys.argv[1:]
values = [int(line.split()[1]) for line in open(raw)]
json.dump({"pedestal": sum(values) / len(values)}, open(out, "w"))
""",
    "clean.py": """
import json, sys
raw, calibration, threshold, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
pedestal = json.load(open(calibration))["pedestal"]
with open(out, "w") as file:
    for line in open(raw):
        number, value = line.split()
        if float(value) - pedestal > threshold:
            file.write(f"{number} {float(value) - pedestal:.3f}\\n")
""",
    "merge.py": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--output")
parser.add_argument("inputs", nargs="+")
options = parser.parse_args()
with open(options.output, "w") as file:
    for name in options.inputs:
        file.write(open(name).read())
""",
    "spectrum.py": """
import sys
values = sorted(float(line.split()[1]) for line in open(sys.argv[1]))
print(len(values), f"{sum(values):.3f}", file=open(sys.argv[2], "w"))
""",
}
LAST = "products/spectrum.txt"


class Pipeline:
    """The pipeline in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "provkg.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in SCRIPTS.items():
            (folder / name).write_text(text.lstrip())
        for name in ("raw", "products"):
            (folder / name).mkdir(exist_ok=True)

    def step(self, script: str, *arguments: str, used: Sequence[str], made: str, **parameters: object) -> None:
        """Run one script in the folder, and record it."""
        paths = [
            ("script", str(self.folder / script)),
            *((f"input {each.rpartition('/')[2]}", str(self.folder / each)) for each in used),
        ]
        code = run_command(
            Recorder(self.log),
            [sys.executable, script, *arguments],
            name=script.removesuffix(".py"),
            used=paths,
            generated=[("output", str(self.folder / made))],
            parameters=parameters,
        )
        assert code == 0, script

    def run(self, *, threshold: float = 100.0) -> None:
        """Run it all: two subruns, one calibration."""
        for seed in ("1", "2"):
            self.step("observe.py", seed, f"raw/{seed}.txt", used=[], made=f"raw/{seed}.txt", seed=int(seed))
        self.step(
            "calibrate.py", "raw/1.txt", "products/pedestal.json", used=["raw/1.txt"], made="products/pedestal.json"
        )
        for seed in ("1", "2"):
            raw, clean = f"raw/{seed}.txt", f"products/clean {seed}.txt"
            arguments = (raw, str(self.folder / "products/pedestal.json"), str(threshold), clean)
            used = [raw, "products/pedestal.json"]
            self.step("clean.py", *arguments, used=used, made=clean, threshold=threshold)
        cleaned = ["products/clean 1.txt", "products/clean 2.txt"]
        merged = self.folder / "products/merged.txt"
        self.step("merge.py", f"--output={merged}", *cleaned, used=cleaned, made="products/merged.txt")
        self.step("spectrum.py", "products/merged.txt", LAST, used=["products/merged.txt"], made=LAST)
