"""Views for tests: random ones, and a run of many sub-runs as lstosa records it."""

import random
from typing import Any

from provkg.rollup import Node, Relation, View, view_of
from tests.logs import activity, entity, log, md5, session

KINDS = ("activity", "entity", "entity", "agent")
MARKS = ((), (), (), (), (), (), (), (), ("failed",), ("never ended",), ("tainted",))


def random_view(seed: int, nodes: int, relations: int, types: int, *, runs: int = 0) -> View:
    """Return a view without circles whose nodes are of random kinds and types."""
    chance = random.Random(seed)
    kinds = [chance.choice(KINDS) for _ in range(nodes)]
    found = [
        Node(
            f"urn:n{number}",
            kind,
            f"t{chance.randrange(types)}",
            f"/d/f{number}",
            keys=(("run", f"{chance.randrange(runs):05d}"),) if runs and kind == "activity" else (),
            marks=chance.choice(MARKS),
        )
        for number, kind in enumerate(kinds)
    ]
    pairs = [sorted(chance.sample(range(nodes), 2)) for _ in range(relations)] if nodes > 1 else []
    between = [
        Relation(
            chance.choice(("used", "wasGeneratedBy", "wasDerivedFrom")), f"urn:n{b}", f"urn:n{a}", chance.choice("xy")
        )
        for a, b in pairs
    ]
    return view_of(found, between, [f"urn:n{nodes - 1}"], "https://x.example/")


def run_log(subruns: int, run: str = "06269", *, failed: tuple[int, ...] = (), night: str = "20210913") -> str:
    """Return the log of a run with a calibration, in the words of lstosa 0.7.5."""
    number, tag = "8790617572325", f"r0_to_dl1:{run}"
    records: list[Any] = [session(number, run, tag, observation_date=night, software_version="0.7.5")]
    clock = iter(range(10_000))

    def step(
        name: str,
        used: dict[str, str],
        generated: dict[str, str],
        parameters: dict[str, Any] | None = None,
        ends: bool = True,
    ) -> None:
        """``used`` and ``generated`` are paths and ``role|type of entity``."""
        local = f"{next(clock):06x}"
        written = activity(
            local, name, at=float(next(clock)), seconds=1, parameters=parameters, in_session=number, tag=tag
        )
        end = written.pop()
        for verb, ends_of in (("used", used), ("generated", generated)):
            for path, what in ends_of.items():
                role, kind = what.split("|")
                written += [entity(path, kind), {"activity_id": local, f"{verb}_id": md5(path), f"{verb}_role": role}]
        records.append([*written, *([end] if ends else [])])

    calib, data = f"/fefs/calibration/{night}", f"/fefs/DL1/{night}"
    raw = f"/fefs/R0/{night}/LST-1.1.Run"
    summary = {f"/fefs/RunSummary_{night}.ecsv": "Run summary|RunSummaryFile"}
    pedestal, timing = f"{calib}/drs4_pedestal.Run06268.0000.fits", f"{calib}/time_calibration.Run06274.0000.hdf5"
    coefficients, camera = f"{calib}/calibration.Run06274.0000.hdf5", "/fefs/onsite_camera_calibration_param.json"
    step(
        "CreateRunSummary",
        {},
        summary,
        {
            "Date": "20200218",
            "R0Path": "/fefs/aswg/data/real/R0",
            "RunSummaryDir": "/fefs/aswg/data/real/monitoring/RunSummary",
        },
    )
    step(
        "lstchain_data_create_drs4_pedestal",
        {f"{raw}06268.0000.fits.fz": "Subrun for pedestal|RawObservationFile"},
        {
            pedestal: "Pedestal|PedestalFile",
            f"{calib}/log/drs4_pedestal.pdf": "Check plot for pedestal|PedestalCheckPlot",
        },
    )
    observed = {f"{raw}06274.0000.fits.fz": "Subrun for calibration|RawObservationFile"}
    configured = {camera: "Configuration file|AnalysisConfigFile"}
    step(
        "lstchain_data_create_time_calibration_file",
        observed | {pedestal: "Pedestal|PedestalFile"} | summary | configured,
        {timing: "Time calibration file|TimeCalibrationFile"},
    )
    step(
        "lstchain_create_calibration_file",
        observed
        | {pedestal: "Pedestal file|PedestalFile", timing: "Time calibration file|TimeCalibrationFile"}
        | summary
        | configured,
        {
            coefficients: "Coefficients calibration file|CoefficientsCalibrationFile",
            f"{calib}/log/calibration.pdf": "Check plot for calibration|CalibrationCheckPlot",
        },
        {
            "DefaultTriggerType": "tib",
            "FlatCalculatorSampleSize": 10000,
            "MaxEvents": 1000000,
            "MaxFlatfieldADC": 12000,
            "MinFlatfieldADC": 4000,
            "PedestalCalculatorSampleSize": 10000,
        },
    )
    for sub in range(subruns):
        names = {
            kind: f"{folder}_LST-1.Run{run}.{sub:04d}.{suffix}"
            for kind, folder, suffix in (
                ("dl1", f"{data}/dl1", "h5"),
                ("ab", f"{data}/tailcut84/dl1", "h5"),
                ("muons", f"{data}/muons/muons", "fits"),
                ("check", f"{data}/datacheck", "h5"),
                ("dl2", f"/fefs/DL2/{night}/dl2", "h5"),
            )
        }
        step(
            "lstchain_data_r0_to_dl1",
            {
                pedestal: "Pedestal file|PedestalFile",
                coefficients: "Coefficients calibration file|CoefficientsCalibrationFile",
                timing: "Time calibration file|TimeCalibrationFile",
                f"/fefs/drive_log_{night}.txt": "Pointing file|PointingFile",
                f"{raw}{run}.{sub:04d}.fits.fz": "R0 subrun|R0SubrunDataset",
            }
            | summary,
            {} if sub in failed else {names["dl1"]: "DL1 subrun|DL1SubrunDataset"},
            ends=sub not in failed,
        )
        if sub in failed:
            continue
        step(
            "lstchain_dl1ab",
            {
                names["dl1"]: "DL1 subrun|DL1SubrunDataset",
                "/fefs/dl1_config.json": "Configuration file|AnalysisConfigFile",
            },
            {names["ab"]: "DL1AB subrun|DL1SubrunDataset"},
            {"PedestalCleaning": True, "StoreImage": False},
        )
        step(
            "lstchain_check_dl1",
            {names["ab"]: "DL1AB subrun|DL1SubrunDataset", names["muons"]: "Muons subrun|MuonsSubrunDataset"},
            {
                f"{data}/datacheck.Run{run}.h5": "DL1Check HDF5 file|DL1CheckHDF5File",
                f"{data}/datacheck.Run{run}.pdf": "DL1Check PDF file|DL1CheckPDFFile",
                names["check"]: "DL1Check subrun|DL1CheckSubrunDataset",
            },
        )
        models = {
            f"/fefs/models/reg_{each}.sav": f"Model {each}|ModelRF{each.title()}File"
            for each in ("energy", "disp", "gammaness")
        }
        step(
            "lstchain_data_dl1_to_dl2",
            {
                names["ab"]: "DL1 subrun|DL1SubrunDataset",
                "/fefs/dl2_config.json": "Configuration file|AnalysisConfigFile",
            }
            | models,
            {
                names["dl2"]: "DL2 subrun|DL2SubrunDataset",
                f"/fefs/DL2/{night}/dl2_LST-1.Run{run}.h5": "DL2 merged file|DL2MergedFile",
            },
        )
    return log(*records)
