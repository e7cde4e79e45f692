"""Work in threads: every result comes out, and of several errors at once always the same one."""

import time

import pytest

from causalcf.io.threads import in_threads


def fail(item):
    raise ValueError(f"item {item}")


def slowly(n):
    """Items 0 to n - 1, the last one late enough for whatever began before to have ended."""
    for item in range(n):
        if item == n - 1:
            time.sleep(0.02)
        yield item


@pytest.mark.parametrize("workers", [1, 4])
def test_of_errors_at_the_same_time_the_earliest_items_is_raised(workers):
    for _ in range(20):  # the order of a set of futures is their addresses': by chance right now and then
        with pytest.raises(ValueError, match="item 0"):
            list(in_threads(fail, slowly(2 * workers), workers))


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_finished_before_an_error_comes_out_first(workers):
    came_out = []
    with pytest.raises(ValueError, match="item 1"):
        for item, _ in in_threads(lambda item: fail(item) if item == 1 else item, slowly(2 * workers), workers):
            came_out.append(item)
    assert 0 in came_out


@pytest.mark.parametrize("workers", [1, 3])
def test_every_result_comes_out_once(workers):
    assert sorted(in_threads(abs, range(-50, 50), workers)) == [(item, abs(item)) for item in range(-50, 50)]
