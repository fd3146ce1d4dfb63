"""Which waiting image may be converted next."""

from services.worker.sandbox.scheduler import Scheduler, Ticket


def submit(to: Scheduler, *, interactive: bool = True, expensive: bool = False, now: float = 0.0) -> Ticket:
    """Submit an image."""
    return to.submit(interactive=interactive, expensive=expensive, now=now)


def test_as_many_images_begin_as_there_are_cores_and_one() -> None:
    """The others wait, and follow in their order."""
    two = Scheduler(cores=2)
    tickets = [submit(two) for _ in range(5)]

    assert two.begin(0.0) == tickets[:3]
    two.finish(tickets[1])
    assert two.begin(0.0) == tickets[3:4]
    assert two.running == 3


def test_interactive_images_are_first() -> None:
    """Even if batch images came before; each kind in its order."""
    four = Scheduler(cores=4)
    batch = [submit(four, interactive=False) for _ in range(2)]
    interactive = [submit(four) for _ in range(2)]

    assert four.begin(0.0) == [*interactive, *batch]


def test_batch_images_leave_room_for_an_interactive_one() -> None:
    """On a single core too, where the kernel divides the time."""
    one = Scheduler(cores=1)
    batch = [submit(one, interactive=False) for _ in range(3)]
    assert one.begin(0.0) == batch[:1]

    interactive = submit(one)
    assert one.begin(0.0) == [interactive]


def test_expensive_images_leave_room_for_others() -> None:
    """However many there are, of whatever kind; even if all cores were theirs because no other image came."""
    for cores in (1, 2, 4):
        scheduler = Scheduler(cores=cores)
        for interactive in (True, False) * 8:
            submit(scheduler, interactive=interactive, expensive=True, now=5.0)
        assert len(scheduler.begin(5.0)) >= cores

        other = submit(scheduler, now=5.0)
        assert scheduler.begin(5.0) == [other]
        assert scheduler.running <= scheduler.max_running


def test_expensive_images_get_their_share_while_others_come() -> None:
    """An image that is held back is no obstacle to those behind it."""
    two = Scheduler(cores=2)
    cheap = submit(two, interactive=False, now=10.0)
    expensive = [submit(two, interactive=False, expensive=True, now=10.0) for _ in range(2)]
    behind = submit(two, interactive=False, now=10.0)

    assert two.begin(10.0) == [cheap, expensive[0], behind]
    assert two.expensive == 1


def test_a_batch_of_expensive_images_leaves_room_for_an_interactive_one() -> None:
    """One that is expensive too does not wait for a batch."""
    two = Scheduler(cores=2)
    submit(two, now=5.0)
    batch = [submit(two, interactive=False, expensive=True, now=5.0) for _ in range(2)]
    assert batch[0] in two.begin(5.0)

    interactive = [submit(two, expensive=True, now=5.0) for _ in range(2)]
    assert two.begin(5.0) == interactive[:1]


def test_expensive_images_get_all_cores_when_no_other_comes() -> None:
    """A second after the last one."""
    two = Scheduler(cores=2)
    other = submit(two, interactive=False, now=5.0)
    tickets = [submit(two, interactive=False, expensive=True, now=5.0) for _ in range(2)]
    two.begin(5.0)
    two.finish(other)

    assert two.begin(5.5) == []
    assert two.begin_again_at(5.5) == 6.0
    assert two.begin(6.0) == tickets[1:]
    assert two.begin_again_at(6.0) is None


def test_an_image_becomes_expensive_if_there_is_room() -> None:
    """Its place is free for the next image then; without room, nothing changes."""
    one = Scheduler(cores=1)
    running = [submit(one) for _ in range(2)]
    waiting = [submit(one) for _ in range(2)]
    one.begin(0.0)

    assert one.become_expensive(running[0], 0.0)
    assert one.begin(0.0) == waiting[:1]
    assert not one.become_expensive(running[1], 0.0)
    assert (one.expensive, one.begin(0.0)) == (1, [])


def test_the_next_expensive_image_follows_the_one_that_is_finished() -> None:
    """While others come."""
    two = Scheduler(cores=2)
    submit(two, now=5.0)
    first, second = (submit(two, interactive=False, expensive=True, now=5.0) for _ in range(2))
    two.begin(5.0)
    two.finish(first)

    assert two.begin(5.0) == [second]


def test_a_withdrawn_image_does_not_begin() -> None:
    """The one behind it does."""
    one = Scheduler(cores=1)
    batch = [submit(one, interactive=False) for _ in range(3)]
    one.begin(0.0)
    one.withdraw(batch[1])
    one.finish(batch[0])

    assert one.begin(0.0) == batch[2:]


def test_nothing_begins_later_if_no_expensive_image_waits() -> None:
    """The next one begins when another is finished."""
    one = Scheduler(cores=1)
    for _ in range(3):
        submit(one)
    one.begin(0.0)

    assert one.begin_again_at(0.0) is None
