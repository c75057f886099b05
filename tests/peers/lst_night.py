"""Two sub-runs of an LST run with lstosa's own definition and variables, traced by lstosa or by provkg.

Run by a Python that has lstosa: ``python lst_night.py lstosa|provkg``, in the folder of the night. As in reality, each
sub-run has a process; the last step of the second one fails. The functions have the names and arguments of lstosa's;
they write small files where lstosa would have large ones.
"""

import datetime
import os
import sys
from pathlib import Path

BY = sys.argv[1]
sys.argv = sys.argv[:1]

from osa.configs import options  # noqa: E402
from osa.configs.config import cfg  # noqa: E402
from osa.utils.utils import date_to_dir  # noqa: E402

if BY == "lstosa":
    from osa.provenance.capture import trace
else:
    from provkg.capture.lstosa import trace

options.date, options.prod_id, options.tel_id = datetime.datetime(2020, 1, 17), "v0.1.0", "LST1"
options.input_state = "legacy_raw"
cfg.set("lstchain", "store_image_dl1ab", "False")
cfg.set("lstchain", "dl1b_config", str(Path("inputs/config.json").resolve()))
R0 = Path(cfg.get("LST1", "R0_DIR")) / date_to_dir(options.date)
DL1 = Path(cfg.get("LST1", "DL1_DIR")) / date_to_dir(options.date) / options.prod_id


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@trace
def r0_to_dl1(calibration, pedestal, time_calibration, systematics, drive, summary, pedestal_ids, run_str):
    raw = (R0 / f"LST-1.1.Run{run_str}.fits.fz").read_text()
    write(DL1 / f"dl1_LST-1.Run{run_str}.h5", raw + Path(calibration).read_text())
    write(DL1 / "muons" / f"muons_LST-1.Run{run_str}.fits", "muons of " + raw)
    return 0


@trace
def dl1ab(run_str, config, dl1_prod_id):
    write(DL1 / dl1_prod_id / f"dl1_LST-1.Run{run_str}.h5", (DL1 / f"dl1_LST-1.Run{run_str}.h5").read_text() + " clean")
    return 0


@trace
def dl1_datacheck(run_str, dl1_prod_id):
    if run_str.endswith(".0001"):
        raise RuntimeError("the check failed")
    write(DL1 / dl1_prod_id / f"datacheck_dl1_LST-1.Run{run_str}.h5", f"check of {run_str}")
    return 0


def process(subrun):
    inputs = [Path(f"inputs/{name}") for name in ("cal.h5", "ped.h5", "time.h5", "sys.h5", "drive.txt", "summary.ecsv")]
    for each in (
        *inputs,
        R0 / f"LST-1.1.Run{subrun}.fits.fz",
        *map(Path, ("inputs/pedestal_ids.h5", "inputs/config.json")),
    ):
        if not each.exists():
            write(each, each.name)
    r0_to_dl1(*inputs, Path("inputs/pedestal_ids.h5").resolve(), subrun)
    dl1ab(subrun, Path("config.json"), "tailcut84")
    dl1_datacheck(subrun, "tailcut84")


for number in ("01807.0000", "01807.0001"):
    child = os.fork()
    if child == 0:
        try:
            process(number)
        except RuntimeError as error:
            sys.stderr.write(f"{error}\n")
        finally:
            sys.stdout.flush()
            if BY == "provkg":
                sys.modules["provkg.capture.lstosa"].recorder().wait()
            os._exit(0)
    os.waitpid(child, 0)
