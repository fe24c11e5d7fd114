"""The engine of Slurm: jobs as processes of this machine, and arrays on a stand-in for Slurm's commands."""

import importlib.util
import os
import pickle
import sys

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps.run.engines import job_files, slurm
from infojax.sweeps.run.engines.slurm import Options, check, minutes
from infojax.sweeps.run.unit import Outcome, Unit

pytestmark = pytest.mark.skipif(importlib.util.find_spec("submitit") is None, reason="submitit is not installed")

SBATCH = """
import itertools, os, pathlib, re, subprocess, sys
folder, text = pathlib.Path(os.environ["STAND_IN"]), pathlib.Path(sys.argv[1]).read_text()
(folder / f"submitted{len(list(folder.glob('submitted*')))}").write_text(text)
if "--partition=closed" in text:
    sys.exit("sbatch: error: invalid partition specified: closed")
job = str(1000 + len(list(folder.glob("submitted*"))))
array = re.search(r"--array=0-(\\d+)%(\\d+)", text)
runner = [sys.executable, str(folder / "runner.py"), job, sys.argv[1], *(array.groups() if array else ["", "1"])]
subprocess.Popen(runner, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(f"Submitted batch job {job}")
"""
RUNNER = """
import os, pathlib, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
job, script, last, limit = sys.argv[1:]
folder = pathlib.Path(os.environ["STAND_IN"])
def one(task):
    name = job if task is None else f"{job}_{task}"
    array = {} if task is None else {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": str(task)}
    common = {"SLURM_JOB_ID": name.replace("_", "0"), "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1",
              "SLURM_JOB_NODELIST": "here", "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
    (folder / f"state-{name}").write_text("RUNNING")
    code = subprocess.run(["bash", script], env=os.environ | common | array).returncode
    (folder / f"state-{name}").write_text("COMPLETED" if code == 0 else "FAILED")
with ThreadPoolExecutor(int(limit)) as pool:
    list(pool.map(one, [None] if last == "" else range(int(last) + 1)))
"""
SACCT = """
import os, pathlib, sys
print("JobID|State|NodeList")
for state in pathlib.Path(os.environ["STAND_IN"]).glob("state-*"):
    print(f"{state.name.removeprefix('state-')}|{state.read_text()}|here")
"""
SRUN = """
import os, sys
words = sys.argv[1:]
while words[0].startswith("--"):
    words = words[1:] if words[0] == "--unbuffered" or "=" in words[0] else words[2:]
os.execvp(words[0], words)
"""


@pytest.fixture
def stand_in(tmp_path):
    """A folder with commands that do what Slurm's would, and the environment in which they are found."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "runner.py").write_text(RUNNER)
    commands = {"sbatch": SBATCH, "sacct": SACCT, "srun": SRUN, "scancel": "", "scontrol": "print('here')"}
    for name, program in commands.items():
        file = tmp_path / "bin" / name
        file.write_text(f"#!{sys.executable}\n{program}")
        file.chmod(0o755)
    return {"STAND_IN": str(tmp_path), "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_jobs_here_that_die_and_fail(naps):
    naps.kill_once(1)
    naps.fail(2)
    args = ("--over", "seed=0..3", "--engine", "slurm", "--local", "--max-jobs", "2", "--retries", "1")
    first = naps.start(*args, "--slurm-setup", "export SET_UP=yes")
    out, err = first.communicate(timeout=120)
    assert first.returncode == 1, out + err
    assert "3 computed, 0 found, 1 failed" in out
    assert "told to fail" in out + err
    assert naps.tables() == {0: 0, 1: 1, 3: 9}
    assert sorted(naps.begun()) == [0, 1, 1, 2, 2, 3]
    jobs = naps.folder / "results" / "nap" / ".jobs"
    assert list(jobs.glob("*log.out"))
    (naps.folder / "fail2").unlink()
    again = naps.start("--over", "seed=0..3")  # another engine goes on
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, out + err
    assert "1 computed, 3 found, 0 failed" in out


def test_an_array_with_a_job_that_dies(naps, stand_in):
    naps.kill_once(1)
    args = ("--over", "seed=0..4", "--engine", "slurm", "--max-jobs", "2", "--time", "1:00:00", "--mem", "2GB")
    options = ("--partition", "short", "--cpus-per-task", "3", "--gpus-per-task", "1", "--slurm-setup", "export A=1")
    sweep = naps.start(*args, *options, "--retries", "1", **stand_in, JAX_PLATFORMS="cpu")
    out, err = sweep.communicate(timeout=180)
    assert sweep.returncode == 0, out + err
    assert "5 computed, 0 found, 0 failed" in out
    assert naps.tables() == {seed: seed**2 for seed in range(5)}
    assert sorted(naps.begun()) == [0, 1, 1, 2, 3, 4]
    text = (naps.folder / "submitted0").read_text()
    words = ("array=0-4%2", "time=60", "mem=2GB", "partition=short", "cpus-per-task=3", "gpus-per-node=1", "export A=1")
    assert [word for word in words if word not in text] == []
    assert "--array" not in (naps.folder / "submitted1").read_text()  # the one that died


def test_slurm_refuses(naps, stand_in):
    sweep = naps.start("--over", "seed=0,1", "--engine", "slurm", "--partition", "closed", **stand_in)
    _, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 2
    assert "Slurm refused the jobs" in err
    assert "invalid partition" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "soon", "local": True}, "--time soon is no time"),
        ({"time": "1:30", "local": True}, "--time 1:30 is no time"),
        ({"time": "0", "local": True}, "leaves no time"),
        ({"time": "9" * 5000, "local": True}, "is no time"),
        ({"time": "1-" + "9" * 5000 + ":00:00", "local": True}, "is no time"),
        ({"mem": "much", "local": True}, "--mem much"),
        ({"max_jobs": 0, "local": True}, "1 job or more"),
        ({"cpus_per_task": 0}, "1 CPU"),
    ],
)
def test_what_cannot_work_is_refused(options, words):
    with pytest.raises(InvalidInput, match=words):
        check(Options(**options))


def test_without_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match="no sbatch on this machine"):
        check(Options())
    check(Options(local=True))


def test_minutes():
    assert [minutes(text) for text in ("5", "00:05:00", "1-00:00:00", "0:00:01")] == [5, 5, 1440, 1]


def test_how_many_units_run_at_once(monkeypatch):
    monkeypatch.setattr(slurm.os, "cpu_count", lambda: 8)
    assert Options().parallel == 64
    assert Options(local=True, cpus_per_task=2).parallel == 4
    assert Options(local=True, max_jobs=1).parallel == 1


class Planted:
    """Runs code when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.fixture
def jobs(tmp_path):
    folder = tmp_path / "results" / "nap" / ".jobs"
    job_files.make_private(folder)
    return folder


def answer(jobs, content):
    from submitit.local.local import LocalJob

    (jobs / "77_0_result.pkl").write_bytes(content)
    unit = Unit("nap", "napping", (), ("a",), jobs.parents[1])
    return slurm._answer(LocalJob(folder=jobs, job_id="77", tasks=[0]), unit, Options(local=True))


def test_outcomes_are_read(jobs):
    outcomes = [Outcome("a", "computed", 1.5, 1, "error", None, "remark"), Outcome("b", "busy")]
    assert answer(jobs, pickle.dumps(("success", outcomes))) == (outcomes, [])
    with pytest.raises(RuntimeError, match="a job of Slurm failed: Traceback"):
        answer(jobs, pickle.dumps(("error", "Traceback …")))


@pytest.mark.parametrize("how", ["alone", "in a result", "in an outcome", "as an error"])
def test_planted_pickles_do_not_run(jobs, tmp_path, how):
    planted = Planted(tmp_path / "ran")
    outcome = Outcome("a", "failed")
    object.__setattr__(outcome, "error", planted)
    held = {"alone": planted, "in a result": ("success", [planted]), "in an outcome": ("success", [outcome])}
    with pytest.raises(InvalidInput, match="not what a job has written"):
        answer(jobs, pickle.dumps(held.get(how, ("error", planted))))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content", [b"?", b"\x80\x05.", pickle.dumps(3), pickle.dumps(("success", ["computed"])), b"cos\n"]
)
def test_what_is_no_outcome_is_refused(jobs, content):
    with pytest.raises(InvalidInput, match="_result"):
        answer(jobs, content)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_folders_that_others_may_write_to_are_refused(jobs, mode):
    jobs.chmod(mode)
    for call in (lambda: job_files.make_private(jobs), lambda: answer(jobs, pickle.dumps(("success", [])))):
        with pytest.raises(InvalidInput, match="nobody else may write to it"):
            call()


def test_a_folder_of_ours_is_made_so_that_others_may_not_write(tmp_path):
    before = os.umask(0)
    try:
        job_files.make_private(tmp_path / "results" / ".jobs")
    finally:
        os.umask(before)
    assert (tmp_path / "results" / ".jobs").stat().st_mode & 0o777 == 0o755
    (tmp_path / "link").symlink_to(tmp_path / "results")
    with pytest.raises(InvalidInput, match="must be yours"):
        job_files.make_private(tmp_path / "link")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_files_and_folders_of_others_are_refused(jobs):
    content = pickle.dumps(("success", []))
    assert answer(jobs, content) == ([], [])
    os.chown(jobs / "77_0_result.pkl", 12345, -1)
    with pytest.raises(InvalidInput, match="is another's"):
        answer(jobs, content)
    os.chown(jobs, 12345, -1)
    with pytest.raises(InvalidInput, match="must be yours"):
        answer(jobs, content)
