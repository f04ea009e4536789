"""Both locks exclude processes and threads, give up in time, and hear a stop event."""

import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sessions_app.folder.store import FolderBusyError, FolderLock, SessionFolder
from tests.session_folder import read_token

HOLDER = """
import sys
from pathlib import Path
from sessions_app.folder.store import FolderLock
with FolderLock(Path(sys.argv[1])).take(limit_s=5):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def lock(tmp_path: Path) -> FolderLock:
    return FolderLock(tmp_path / ".data.lock")


def test_another_process_is_kept_out_until_it_lets_go(lock: FolderLock) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert lock.try_take() is None
        with pytest.raises(FolderBusyError, match="for too long"):
            lock.take(limit_s=0.12)
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        lock.take(limit_s=5).release()
        holder.wait(5)


def test_a_killed_holder_lets_go(lock: FolderLock) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait(5)
        lock.take(limit_s=5).release()


def test_threads_of_one_process_exclude_each_other(lock: FolderLock) -> None:
    inside, most, total = 0, 0, 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal inside, most, total
        for _ in range(20):
            with lock.take(limit_s=30):
                with guard:
                    inside += 1
                    most = max(most, inside)
                total += 1
                with guard:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (most, total) == (1, 80)


def test_one_thread_cannot_take_it_twice_and_release_may_be_called_twice(
    lock: FolderLock,
) -> None:
    held = lock.take(limit_s=1)
    assert lock.try_take() is None
    held.release()
    held.release()
    again = lock.try_take()
    assert again is not None
    again.release()


def test_a_stop_event_ends_the_waiting(lock: FolderLock) -> None:
    stop = threading.Event()
    errors: list[Exception] = []

    def wait() -> None:
        try:
            lock.take(limit_s=60, stop=stop)
        except FolderBusyError as error:
            errors.append(error)

    with lock.take(limit_s=1):
        thread = threading.Thread(target=wait)
        thread.start()
        stop.set()
        thread.join(5)
    assert not thread.is_alive()
    assert "Stopped" in str(errors[0])


def test_a_lock_file_that_was_deleted_is_no_lock(lock: FolderLock) -> None:
    with lock.take(limit_s=1):
        lock.path.unlink()
        lock.take(limit_s=1).release()  # a new file, which others would open as well
    assert lock.path.exists()


def test_a_lock_on_a_file_that_goes_in_the_same_moment_is_not_taken(
    lock: FolderLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def deleted_meanwhile(descriptor: int, operation: int) -> None:
        lock.path.unlink()
        flock(descriptor, operation)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", deleted_meanwhile)
        assert lock.try_take() is None
    lock.take(limit_s=1).release()


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".data.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match=r"\.data\.lock could not be opened"):
        FolderLock(tmp_path / ".data.lock").try_take()
    assert not (tmp_path / "elsewhere").exists()


def test_reading_never_waits_for_a_lock(
    folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slept(_seconds: float) -> None:
        pytest.fail("it waited")

    folder.base.mkdir()
    with folder.data_lock.take(limit_s=1), folder.poll_lock.take(limit_s=1):
        monkeypatch.setattr(time, "sleep", slept)
        folder.scan()
        read_token(folder, "shop")
        folder.read_contexts("shop")
