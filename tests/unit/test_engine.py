"""A training's result does not depend on processes, kills or signals."""

import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from s2snets.config import Augmentation, Denoising, Finetune, Pretraining, Training
from s2snets.data.imageset import ImageSet
from s2snets.data.order import image_order
from s2snets.networks.architectures import lenet5, small_alexnet, small_inception
from s2snets.networks.frozen import FrozenClassifier, PixelClassifier
from s2snets.networks.segnet import SegNet, Tuned
from s2snets.runtime.errors import UserError
from s2snets.runtime.progress import Progress
from s2snets.runtime.signals import Preempted
from s2snets.training import checkpoint
from s2snets.training import engine as engines
from s2snets.training.batches import resumable_batches
from s2snets.training.job import describe_images
from s2snets.training.loop import Trainer
from s2snets.training.objectives import (
    classification,
    denoising,
    mean_square_error,
    reconstruction,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Sixteen images of two classes."""
    folder, draw = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for number in range(16):
        path = folder / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    return ImageSet(folder, 32)


def classifier(make):
    torch.manual_seed(1)
    return PixelClassifier(make(2), (0.5,) * 3, (0.25,) * 3)


def autoencoder():
    torch.manual_seed(1)
    return SegNet(4, 2)


def tuned():
    torch.manual_seed(1)
    frozen = FrozenClassifier(small_inception(2), (0.5,) * 3, (0.25,) * 3)
    return nn.Sequential(Tuned(SegNet(4, 2), "both"), frozen)


SHORT = {"images": 40, "batch": 8, "check_every": 16, "augment": Augmentation()}
NOISY = denoising("pixels", True)
RUNS = {
    "dropout": (
        lambda: classifier(small_alexnet),
        classification,
        Training(**SHORT, optimiser="adam", learning_rate=1e-3, schedule="one_cycle"),
    ),
    "batch norm": (
        lambda: classifier(small_inception),
        classification,
        Training(**SHORT, learning_rate=1e-3),
    ),
    "micro-batches": (
        autoencoder,
        reconstruction("normalised"),
        Pretraining(**SHORT, micro_batch=4),
    ),
    "noise": (autoencoder, NOISY, Denoising(**SHORT)),
    "frozen": (tuned, classification, Finetune(**SHORT)),
}


def train(
    images, run, path, *, engine=None, wrap=lambda start: start, seed=0, every=0, **more
):
    """Run a short training; return the model's state, the curve, and the model."""
    model, loss, settings = run
    model = model()
    engine = engine or engines.create_engine(settings)
    share = engine.share
    if loss is NOISY:
        loss = denoising("pixels", True, share)
    start = resumable_batches(
        images, settings, seed=seed, device=CPU, rank=share.rank, world=share.world
    )
    trainer = Trainer(
        model, loss, settings, engine, seed=seed, checkpoint_path=path,
        identity={"rate": settings.learning_rate}, save_every=every, **more,
    )  # fmt: skip
    curve = trainer.fit(wrap(start))
    return model.state_dict(), curve, model


def same(one, two):
    return all(value.equal(two[name]) for name, value in one.items())


def forked(work):
    """Start a process that works and then exits at once; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def processes(world, work, folder, slurm=False):
    """Run ``work(rank)`` in processes that find each other; return their results."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)

    def one(rank):
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        if slurm:
            os.environ |= {
                "SLURM_NTASKS": str(world), "SLURM_STEP_NUM_TASKS": str(world),
                "SLURM_NTASKS_PER_NODE": str(world), "SLURM_NNODES": "1",
                "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank),
                "SLURM_NODEID": "0", "SLURM_JOB_ID": "1234",
            }  # fmt: skip
        else:
            os.environ["LOCAL_RANK"] = str(rank)
        torch.save(work(rank), folder / f"{rank}.pt")

    started = [forked(lambda rank=rank: one(rank)) for rank in range(world)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
    assert codes == [0] * world
    return [
        torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(world)
    ]


def launched(settings, world, slurm=False):
    engine = engines.create_engine(settings, devices=None if slurm else world)
    engines.launch(engine)
    assert engine.share.world == world
    return engine


def seen_by(log):
    """Wrap batches so that they log the sum of each image."""

    def wrap(start):
        def noted(seen):
            for batch in start(seen):
                log.append(batch[0].double().sum((1, 2, 3)))
                yield batch

        return noted

    return wrap


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize(("world", "slurm"), [(2, True), (3, False)])
def test_the_result_does_not_depend_on_the_number_of_processes(
    images, tmp_path, kind, world, slurm
):
    def shared(rank):
        log, engine = [], launched(RUNS[kind][2], world, slurm)
        state, curve, _ = train(
            images, RUNS[kind], tmp_path / f"{world}.pt", engine=engine,
            wrap=seen_by(log),
        )  # fmt: skip
        return state, curve, log

    log = []
    whole, curve, _ = train(images, RUNS[kind], tmp_path / "one.pt", wrap=seen_by(log))
    parts = processes(world, shared, tmp_path / "parts", slurm)
    for step, images_seen in enumerate(log):
        assert torch.cat([part[2][step] for part in parts]).allclose(images_seen)
    for state, shared_curve, _ in parts:
        assert same(state, parts[0][0])
        assert shared_curve == parts[0][1]
        for row, own in zip(shared_curve, curve, strict=True):
            assert row == pytest.approx(own, rel=2e-4)
        for name, value in whole.items():
            assert state[name].allclose(value, rtol=2e-3, atol=2e-4), name


def test_batch_norm_over_processes_is_batch_norm_over_all_images(tmp_path):
    torch.manual_seed(0)
    pixels = torch.randn(7, 3, 5, 5, dtype=torch.float64) * 3 + 100
    weights = torch.randn_like(pixels)

    def normed(norm, x, weights):
        x = x.clone().requires_grad_()
        y = norm(x)
        (y.square() * weights).sum().backward()
        return y.detach(), x.grad, norm.weight.grad, norm.bias.grad, norm.state_dict()

    def shared(rank):
        engine = launched(Pretraining(batch=7), 3)
        norm = nn.BatchNorm2d(3).double()
        engines.synchronise_modules(norm, engine.share)
        part = slice(7 * rank // 3, 7 * (rank + 1) // 3)
        return normed(norm, pixels[part], weights[part])

    parts = processes(3, shared, tmp_path)
    y, gradient, weight, bias, state = normed(
        nn.BatchNorm2d(3).double(), pixels, weights
    )
    assert torch.cat([part[0] for part in parts]).allclose(y)
    assert torch.cat([part[1] for part in parts]).allclose(gradient)
    assert sum(part[2] for part in parts).allclose(weight)
    assert sum(part[3] for part in parts).allclose(bias)
    for part in parts:
        assert all(part[4][name].allclose(value) for name, value in state.items())


def test_processes_share_a_validation_error(images, tmp_path):
    model, numbers = autoencoder().eval(), np.arange(13)

    def shared(rank):
        engine = launched(Pretraining(batch=4), 3)
        return mean_square_error(model, images, numbers, batch=2, engine=engine)

    alone = mean_square_error(model, images, numbers, batch=13)
    assert processes(3, shared, tmp_path) == pytest.approx([alone] * 3, rel=1e-6)


def signalled(after, number, rank=0, share=engines.SINGLE):
    """Wrap batches so that a signal comes after so many of them."""

    def wrap(start):
        def sent(seen):
            for count, batch in enumerate(start(seen), 1):
                if count == after and share.rank == rank:
                    os.kill(os.getpid(), number)
                yield batch

        return sent

    return wrap


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_signal_is_answered_with_a_checkpoint(images, tmp_path, number, after):
    whole, curve, _ = train(images, RUNS["dropout"], tmp_path / "whole.pt")
    path, before = tmp_path / "checkpoint.pt", signal.getsignal(number)
    with pytest.raises(Preempted, match=f"{signal.Signals(number).name}.*run again"):
        train(images, RUNS["dropout"], path, wrap=signalled(after, number), every=1000)
    assert signal.getsignal(number) is before
    resumed, resumed_curve, _ = train(images, RUNS["dropout"], path)
    assert same(whole, resumed)
    assert resumed_curve == curve


def test_a_signal_to_one_process_stops_all_and_another_number_goes_on(images, tmp_path):
    path, run = tmp_path / "checkpoint.pt", RUNS["micro-batches"]
    whole, curve, _ = train(images, run, tmp_path / "whole.pt")

    def stopped(rank):
        engine = launched(run[2], 3)
        wrap = signalled(3, signal.SIGTERM, 1, engine.share)
        with pytest.raises(Preempted):
            train(images, run, path, engine=engine, wrap=wrap, every=1000)

    def resumed(rank):
        return train(images, run, path, engine=launched(run[2], 2))[:2]

    processes(3, stopped, tmp_path / "3")
    assert 0 < torch.load(path)["state"]["seen"] < 40
    for state, resumed_curve in processes(2, resumed, tmp_path / "2"):
        for row, own in zip(resumed_curve, curve, strict=True):
            assert row == pytest.approx(own, rel=2e-4)
        for name, value in whole.items():
            assert state[name].allclose(value, rtol=2e-3, atol=2e-4), name


def stage(folder, out, *options, environment=None, **changes):
    """Start a pretraining's command."""
    settings = {
        "image_size": 32, "resize_mode": "squash", "autoencoder": {"width": 4, "stages": 2},
        "pretraining": {"images": 10**6, "batch": 4, "augment": None} | changes,
        "validation_images": 4,
    }  # fmt: skip
    sets = ("images", "validation-photos", "validation-labelled")
    return subprocess.Popen(
        [
            sys.executable, "-m", "s2snets.stages", "pretrain_autoencoder",
            *(word for name in sets for word in (f"--{name}", folder)),
            "--weights", out / "weights.safetensors", "--curve", out / "curve.csv",
            "--record", out / "record.json", "--save-every", "0",
            "--settings", json.dumps(settings), *options,
        ],
        text=True, stderr=subprocess.PIPE, env=os.environ | (environment or {}),
    )  # fmt: skip


# A process group that its reducer outlives is a deadlock, in some runs of many.
REDUCERS = """import gc, os, sys
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
destroy = dist.destroy_process_group
def destroy_alone():
    alive = [one for one in gc.get_objects() if type(one) is DistributedDataParallel]
    print("reducers:", len(alive), file=sys.stderr, flush=True)
    destroy()
dist.destroy_process_group = destroy_alone
"""


def test_processes_part_when_nothing_averages_gradients(images, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(REDUCERS)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = stage(
        images.path, tmp_path / "out", "--devices", "2", images=16,
        environment={"PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert told.count("reducers: 0") == 2, told


def test_a_stage_asked_to_stop_exits_with_75_and_ends_when_run_again(images, tmp_path):
    process = stage(images.path, tmp_path, "--devices", "2")
    until = time.monotonic() + 60
    while not (tmp_path / "checkpoint.pt").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR1)
    _, told = process.communicate()
    assert process.returncode == 75
    assert told.strip().splitlines()[-1].startswith("SIGUSR1 asked to stop after ")
    assert "Traceback" not in told
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"checkpoint.pt", "checkpoint.previous.pt", "events"}
    # Slurm's usual way to end a job, told to a single process that goes on
    process = stage(images.path, tmp_path)
    # The older checkpoint is there even while the newest takes its place.
    older = tmp_path / "checkpoint.previous.pt"
    start = older.stat().st_mtime_ns
    while older.stat().st_mtime_ns == start:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 75


def test_a_mistake_in_one_process_ends_all_of_them(images, tmp_path):
    broken = tmp_path / "images"
    shutil.copytree(images.path, broken)
    (broken / "a/04.png").write_bytes(b"junk")
    process = stage(broken, tmp_path / "out", "--devices", "2")
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "04.png (image 2): unreadable image" in told
    assert "Traceback" not in told


def test_fifty_kills_change_no_bit_and_show_each_image_once(images, tmp_path):
    """Killed at random moments, among them the writing of a checkpoint."""
    settings = Pretraining(images=1600, batch=4, check_every=100)
    run = (autoencoder, reconstruction("pixels"), settings)
    whole, curve, _ = train(images, run, tmp_path / "whole.pt")
    path, log, done = tmp_path / "checkpoint.pt", tmp_path / "log", tmp_path / "done"

    def noted(start):
        def stream(seen):
            with log.open("a") as lines:
                lines.write(f"from {seen}\n")
                for step, batch in enumerate(start(seen)):
                    lines.write(f"{seen + step * 4}\n")
                    lines.flush()
                    yield batch

        return stream

    def work():
        state, found, _ = train(images, run, path, wrap=noted)
        torch.save((state, found), tmp_path / "result.pt")
        done.touch()

    moments, kills = random.Random(0), 0
    while not done.exists():
        # Time to come to the first steps, and then a moment among the next.
        pid, started = forked(work), log.stat().st_size if log.exists() else 0
        while kills < 50 and not (log.exists() and log.stat().st_size > started + 20):
            time.sleep(0.001)
        if kills < 50:
            time.sleep(moments.uniform(0, 0.05))
            os.kill(pid, signal.SIGKILL)
            kills += 1
        os.waitpid(pid, 0)
    assert kills == 50
    state, found = torch.load(tmp_path / "result.pt")
    assert same(whole, state)
    assert found == curve
    shown = []
    for line in log.read_text().splitlines():
        if line.startswith("from "):  # what came after the checkpoint is undone
            shown = shown[: int(line.split()[1]) // 4]
        else:
            shown.append(int(line))
    assert shown == list(range(0, 1600, 4))


def spoiled(at, what):
    """Return a loss that is, or whose gradient is, not finite from an image on."""
    seen = 0

    def loss(model, batch):
        nonlocal seen
        value, measured = reconstruction("pixels")(model, batch)
        seen += len(batch[0])
        if seen <= at:
            return value, measured
        if what == "loss":
            return value * float("nan"), measured
        zero = value - value.detach()
        return value.detach() + zero.abs().sqrt(), measured  # slope of a root at 0

    return loss


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_no_number_stops_and_names_images_and_checkpoint(
    images, tmp_path, what
):
    path = tmp_path / "checkpoint.pt"
    run = (autoencoder, spoiled(16, what), Pretraining(images=80, batch=4))
    with pytest.raises(UserError) as told:
        train(
            images, run, path,
            describe_images=lambda first, end: describe_images(images, first, end, 0),
        )  # fmt: skip
    text = str(told.value)
    assert "step 5: loss or gradient is not finite (positions 16 to 19, images" in text
    state = torch.load(path)["state"]
    assert f"{path}, after {state['seen']} images" in text
    assert 8 <= state["seen"] <= 16
    assert all(value.isfinite().all() for value in state["model"].values())


def test_what_is_no_number_before_any_checkpoint_is_told_too(images, tmp_path):
    run = (autoencoder, spoiled(0, "loss"), Pretraining(images=80, batch=4))
    with pytest.raises(UserError, match="there is no checkpoint yet, after 0 images"):
        train(images, run, tmp_path / "checkpoint.pt", every=1000)


def test_what_spoils_one_process_is_told_by_the_first(images, tmp_path):
    def shared(rank):
        settings = Pretraining(images=80, batch=4)
        loss = spoiled(4, "loss") if rank else reconstruction("pixels")
        engine = launched(settings, 2)
        with pytest.raises(SystemExit if rank else UserError) as told:
            train(images, (autoencoder, loss, settings), tmp_path / "c", engine=engine)
        return str(told.value)

    first, second = processes(2, shared, tmp_path / "parts")
    assert "step 3: loss or gradient is not finite (positions 8 to 11" in first
    assert second == "0"


def test_another_trainings_checkpoint_is_refused_by_the_first(images, tmp_path):
    path, run = tmp_path / "checkpoint.pt", RUNS["noise"]
    checkpoint.save(path, {"rate": 7.0}, {})

    def shared(rank):
        engine = launched(run[2], 2)
        with pytest.raises(SystemExit if rank else UserError) as told:
            train(images, run, path, engine=engine)
        return str(told.value)

    first, second = processes(2, shared, tmp_path / "parts")
    assert "rate was 7.0, is 0.01" in first
    assert second == "0"


def test_named_images_are_those_of_the_batch(images):
    assert describe_images(images, 0, 16, 0) == "images 0-15"
    batch = {number for _, number in image_order(4, 8, images.runs, 0)}
    told = describe_images(images, 4, 8, 0).removeprefix("images ")
    listed = set()
    for run in told.split(", "):
        low, _, high = run.partition("-")
        listed |= set(range(int(low), int(high or low) + 1))
    assert listed == batch


def test_the_two_last_checkpoints_are_kept(tmp_path):
    path = tmp_path / "checkpoint.pt"
    for number in range(3):
        checkpoint.save(path, {"a": 1}, {"seen": number})
    assert checkpoint.load(path, {"a": 1}) == {"seen": 2}
    path.unlink()  # as a kill between the two renames leaves them
    assert checkpoint.load(path, {"a": 1}) == {"seen": 1}
    checkpoint.remove(path)
    assert not list(tmp_path.iterdir())


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "cut":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    else:
        place = data.find(np.arange(64, dtype="f").tobytes()) + 40
        data[place] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["cut", "empty", "a flipped byte"])
def test_a_damaged_checkpoint_falls_back_on_the_one_before(tmp_path, capsys, how):
    path = tmp_path / "checkpoint.pt"
    for number in range(2):
        state = {"seen": number, "weight": torch.arange(64.0)}
        checkpoint.save(path, {"a": 1}, state)
    damage(path, how)
    assert checkpoint.load(path, {"a": 1})["seen"] == 0
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "checkpoint.pt: damaged" in told
    assert "going on from checkpoint.previous.pt" in told
    damage(checkpoint.previous_path(path), "cut")
    with pytest.raises(UserError, match=r"checkpoint\.pt: damaged.*previous.*delete"):
        checkpoint.load(path, {"a": 1})


def test_a_checkpoint_of_an_older_format_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"identity": {"a": 1}, "state": {}}, path)
    with pytest.raises(UserError, match=r"format was None, is 2.*delete"):
        checkpoint.load(path, {"a": 1})


def test_the_curve_and_the_events_grow_and_resume_without_repetition(images, tmp_path):
    path, curve_path = tmp_path / "checkpoint.pt", tmp_path / "curve.csv"
    settings = Pretraining(images=80, batch=4, check_every=8)
    run = (autoencoder, reconstruction("pixels"), settings)
    shown = {"curve_path": curve_path, "events_dir": tmp_path / "events"}

    class Killed(Exception):
        pass

    rows = []

    def killed(start):
        def stream(seen):
            for count, batch in enumerate(start(seen)):
                if count == 11:
                    rows.append(len(pd.read_csv(curve_path)))
                    raise Killed
                yield batch

        return stream

    with pytest.raises(Killed):
        train(images, run, path, wrap=killed, **shown)
    assert rows == [5]
    # All but what came first is lost with the job: its rows are told again.
    checkpoint.remove(path)
    with pytest.raises(Preempted):
        train(images, run, path, wrap=signalled(4, signal.SIGTERM), every=1000)
    _, curve, _ = train(images, run, path, **shown)
    assert pd.read_csv(curve_path)["images"].tolist() == list(range(8, 81, 8))
    events = EventAccumulator(str(tmp_path / "events"))
    events.Reload()
    scalars = events.Scalars("check/loss")
    assert [one.step for one in scalars] == list(range(8, 81, 8))
    assert [one.value for one in scalars] == pytest.approx(
        [row["loss"] for row in curve], rel=1e-6
    )
    assert {"check/mse", "check/rate", "training/images_per_second"} <= set(
        events.Tags()["scalars"]
    )


def test_micro_batches_descend_the_loss_of_the_batch(images, tmp_path):
    """LeNet has no batch norm: the sum of the parts' gradients is the whole's."""
    found = [
        train(
            images,
            (
                lambda: classifier(lenet5),
                classification,
                Training(**SHORT, micro_batch=size),
            ),
            tmp_path / f"{size}.pt",
        )
        for size in (None, 8, 4, 1)
    ]
    for state, curve, _ in found[1:]:
        for name, value in found[0][0].items():
            assert state[name].allclose(value, rtol=1e-3, atol=1e-5)
        assert [row["loss"] for row in curve] == pytest.approx(
            [row["loss"] for row in found[0][1]], rel=1e-4
        )


def test_a_micro_batch_divides_the_batch():
    with pytest.raises(ValueError, match="micro_batch: 3 does not divide batch 8"):
        Training(batch=8, micro_batch=3)


def test_half_precision_is_asked_for_and_resumes_alike(images, tmp_path):
    model, loss, settings = RUNS["noise"]
    half = settings.model_copy(update={"precision": "bf16-mixed"})
    full, _, _ = train(images, (model, loss, settings), tmp_path / "full.pt")
    whole, curve, _ = train(images, (model, loss, half), tmp_path / "whole.pt")
    assert not same(full, whole)
    assert all(value.dtype != torch.bfloat16 for value in whole.values())
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Preempted):
        train(images, (model, loss, half), path, wrap=signalled(2, signal.SIGTERM))
    resumed, resumed_curve, _ = train(images, (model, loss, half), path)
    assert same(whole, resumed)
    assert curve == resumed_curve


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_float16_needs_a_gpu():
    with pytest.raises(UserError, match="precision: 16-mixed needs a GPU"):
        engines.create_engine(Training(precision="16-mixed"))


def test_a_network_is_compiled_where_that_is_asked_for(images, tmp_path, monkeypatch):
    compiled = []

    def stub(model, options):
        assert options.keys() <= set(torch._inductor.list_options())
        assert options["deterministic"]
        compiled.append(model)
        return model

    monkeypatch.setattr(torch, "compile", stub)
    model, loss, settings = RUNS["dropout"]
    for wanted in (False, True):
        chosen = settings.model_copy(update={"compile": wanted})
        train(images, (model, loss, chosen), tmp_path / f"{wanted}.pt")
        assert len(compiled) == wanted


def test_more_processes_than_images_at_once_are_refused():
    with pytest.raises(UserError, match="batch: 2 images at once are less than the 3"):
        engines.create_engine(Training(batch=4, micro_batch=2), devices=3)


def test_a_slurm_job_of_one_task_starts_its_processes_itself(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_JOB_NAME", "job")
    engine = engines.create_engine(Training(), devices=2)
    assert not engine.fabric.strategy.cluster_environment.creates_processes_externally


def test_srun_must_say_how_many_tasks_a_node_has(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE", raising=False)
    with pytest.raises(UserError, match=r"SLURM_NTASKS_PER_NODE.*--ntasks-per-node"):
        engines.create_engine(Training())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_one_line_that_changes(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    report = Progress(3, every=0)
    told = [report(done, loss=1.0) for done in (1, 2, 3)]
    assert all(one["images_per_second"] > 0 for one in told)
    assert sys.stderr.getvalue().count("\n") == 1
    assert sys.stderr.getvalue().count("\r\x1b[K") == 3
