"""The notify FIFO: whole lines, however they arrive, from whichever inode keepalived writes to."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepalived_core.node import fifo
from keepalived_core.node.fifo import Line, LineBuffer, Reader, parse_line

LINES = {
    'INSTANCE "VI_1" MASTER 150': Line("INSTANCE", "VI_1", "MASTER", 150),
    'GROUP "G 1" BACKUP 0': Line("GROUP", "G 1", "BACKUP", 0),
    'INSTANCE "ä/b%" MASTER_RX_LOWER_PRI 150': Line("INSTANCE", "ä/b%", "MASTER_RX_LOWER_PRI", 150),
    'INSTANCE "" STOP 1': Line("INSTANCE", "", "STOP", 1),
    "": None,
    'INSTANCE "VI_1" MASTER': None,
    'INSTANCE "VI_1" MASTER 150 x': None,
    'INSTANCE "VI_1" MASTER 15000': None,
    'instance "VI_1" MASTER 150': None,
    'INSTANCE VI_1 MASTER 150': None,
    'STANCE "VI_1" MASTER 150': None,
    'INSTANCE "VI_1" ${x} 150': None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), LINES.items())
def test_a_line_is_read_or_refused(text, line):
    assert parse_line(text.encode()) == line


_GOOD = st.builds(
    lambda kind, name, state, priority: f'{kind} "{name}" {state} {priority}',
    st.sampled_from(["INSTANCE", "GROUP"]),
    st.text(st.characters(exclude_characters='"\n', exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(["MASTER", "BACKUP", "FAULT", "STOP", "MASTER_PRIORITY"]),
    st.integers(0, 255),
)
_BAD = st.one_of(
    st.just("x" * (fifo.MAX_LINE + 1)),
    st.just("y" * (3 * fifo.MAX_LINE)),
    st.just("VS [10.0.0.1]:tcp:80 UP"),
    st.text(st.characters(exclude_characters='\n"', exclude_categories=["Cs"]), max_size=9),
)


@given(st.lists(st.one_of(_GOOD, _BAD)), st.lists(st.integers(1, 5000)))
def test_any_chunking_gives_the_same_lines(texts, sizes):
    stream = "".join(f"{text}\n" for text in texts).encode()
    expected = [line for text in texts if (line := parse_line(text.encode()))]
    whole, chopped = LineBuffer(), LineBuffer()
    assert whole.feed(stream) == expected
    found = []
    while stream:
        size = sizes.pop() if sizes else 7
        found += chopped.feed(stream[:size])
        stream = stream[size:]
    assert found == expected
    assert chopped.garbage == whole.garbage


def test_garbage_is_counted_lines_of_load_balancing_are_not():
    buffer = LineBuffer()
    buffer.feed(b"VS [10.0.0.1]:tcp:80 UP\nRS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN\n")
    assert buffer.garbage == 0
    buffer.feed(b'nonsense\nINSTANCE "A" MASTER 1\n\xff\xfe\n')
    assert buffer.garbage == 2


def test_a_line_without_an_end_does_not_grow_for_ever():
    buffer = LineBuffer()
    for _ in range(1000):
        assert buffer.feed(b"z" * 1000) == []
    assert buffer.garbage == 1
    assert len(buffer._rest) <= fifo.MAX_LINE
    assert buffer.feed(b'\nINSTANCE "A" MASTER 1\n') == [Line("INSTANCE", "A", "MASTER", 1)]


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path / "run" / "notify.fifo")
    reader.ensure()
    yield reader
    reader.close()


def write(path, *names):
    """Write as keepalived does: O_RDWR, and keep it open."""
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    for name in names:
        os.write(descriptor, f'INSTANCE "{name}" MASTER 100\n'.encode())
    return descriptor


def names(reader):
    return [line.name for line in reader.read()]


def test_the_fifo_is_made_for_root_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        assert fifo.make(tmp_path / "f")
    finally:
        os.umask(before)
    assert oct((tmp_path / "f").stat().st_mode) == "0o10600"
    assert not fifo.make(tmp_path / "f")


def test_lines_wait_for_a_reader_that_restarts(reader):
    keepalived = write(reader.path, "A")
    reader.close()
    os.write(keepalived, b'INSTANCE "B" MASTER 100\n')
    again = Reader(reader.path)
    again.ensure()
    assert names(again) == ["A", "B"]
    again.close()
    os.close(keepalived)


def test_an_intact_fifo_is_not_opened_again(reader):
    assert not reader.ensure()
    assert len(reader.pipes) == 1


def test_a_removed_fifo_is_made_anew_and_the_old_one_still_read(reader):
    keepalived = write(reader.path, "before")
    reader.path.unlink()
    assert reader.ensure()
    os.write(keepalived, b'INSTANCE "after" MASTER 100\n')
    reloaded = write(reader.path, "new")
    assert names(reader) == ["before", "after", "new"]
    os.close(keepalived)
    os.close(reloaded)


def test_a_replaced_pipe_is_closed_once_keepalived_let_go_of_it(reader):
    old = reader.pipes[0].identity
    os.write(reader.pipes[0].fd, b"garbage\n")
    reader.path.unlink()
    reader.ensure()
    reader.read()
    reader.release(old)
    assert [pipe.identity for pipe in reader.pipes] == [old, reader.pipes[-1].identity]
    reader.release(reader.pipes[-1].identity)
    assert [pipe.identity for pipe in reader.pipes] == [reader.pipes[-1].identity]
    assert reader.garbage == 1


def test_the_pipe_behind_keepalived_s_descriptor_is_read_though_its_file_is_gone(tmp_path):
    path = tmp_path / "notify.fifo"
    fifo.make(path)
    keepalived = write(path, "A")
    path.unlink()
    reader = Reader(path)
    reader.ensure()
    descriptor = fifo.Path(f"/proc/self/fd/{keepalived}")
    assert reader.adopt(descriptor)
    assert not reader.adopt(descriptor)
    assert names(reader) == ["A"]
    reader.close()
    os.close(keepalived)


def test_a_file_that_is_no_fifo_is_left_alone(tmp_path):
    path = tmp_path / "notify.fifo"
    path.write_text("somebody's")
    with pytest.raises(OSError, match="is not a FIFO"):
        Reader(path).ensure()
    assert path.read_text() == "somebody's"
