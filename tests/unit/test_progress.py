"""What a long work says of itself."""

import pytest

from s2snets.runtime import progress
from s2snets.runtime.progress import Progress, format_duration


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_tells_images_rate_time_left_and_values(clock, capsys):
    report = Progress(1000)
    clock[0] = 20.0
    report(400, loss=lambda: 0.012345)
    told = capsys.readouterr().err
    assert told == "400/1,000 images, 20 images/s, 30 s left, loss 0.01235\n"


def test_lines_are_seconds_apart_and_the_last_is_always_told(clock, capsys):
    report = Progress(100, every=10)
    for clock[0], done in ((1.0, 10), (11.0, 50), (12.0, 60), (13.0, 100)):
        report(done)
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == [
        "50/100", "100/100",
    ]  # fmt: skip


def test_a_resumed_work_counts_its_rate_from_where_it_went_on(clock, capsys):
    report = Progress(1000, done=900)
    clock[0] = 10.0
    report(950)
    assert "950/1,000 images, 5 images/s, 10 s left" in capsys.readouterr().err


def test_without_a_total_nothing_is_promised(clock, capsys):
    report = Progress()
    clock[0] = 10.0
    report(50)
    assert capsys.readouterr().err == "50 images, 5 images/s\n"


@pytest.mark.parametrize(
    ("seconds", "told"), [(5, "5 s"), (600, "10 min"), (86400, "24.0 h")]
)
def test_spans_are_told_as_people_do(seconds, told):
    assert format_duration(seconds) == told
