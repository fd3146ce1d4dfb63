"""Which image gets the next free process."""

from services.worker.sandbox.scheduler import Scheduler, Ticket


def scheduler(*processes: str, max_expensive: int = 1) -> Scheduler[str]:
    """Return a scheduler with free *processes*."""
    made = Scheduler[str](max_expensive=max_expensive)
    for process in processes:
        made.add(process)
    return made


def submit(to: Scheduler[str], *, interactive: bool = True, expensive: bool = False, now: float = 0.0) -> Ticket:
    """Submit an image."""
    return to.submit(interactive=interactive, expensive=expensive, now=now)


def assigned(by: Scheduler[str], now: float = 0.0) -> list[Ticket]:
    """Return the images that get a process now."""
    return [ticket for ticket, _ in by.assign(now)]


def test_each_free_process_gets_one_image() -> None:
    """The others wait."""
    two = scheduler("a", "b")
    tickets = [submit(two) for _ in range(3)]
    first = two.assign(0.0)

    assert [ticket for ticket, _ in first] == tickets[:2]
    assert {process for _, process in first} == {"a", "b"}
    assert two.free == 0
    two.add("a")
    assert two.assign(0.0) == [(tickets[2], "a")]


def test_interactive_images_are_first() -> None:
    """Even if batch images came before; each kind in its order."""
    several = scheduler("a", "b", "c", "d")
    batch = [submit(several, interactive=False) for _ in range(2)]
    interactive = [submit(several) for _ in range(2)]

    assert assigned(several) == [*interactive, *batch]


def test_expensive_images_get_their_share_while_others_come() -> None:
    """A process stays free for the next image that is not expensive."""
    three = scheduler("a", "b", "c")
    cheap = submit(three, now=10.0)
    expensive = [submit(three, expensive=True, now=10.0) for _ in range(2)]

    assert assigned(three, 10.0) == [cheap, expensive[0]]
    assert three.expensive == 1
    assert three.free == 1


def test_a_held_image_is_no_obstacle_to_those_behind_it() -> None:
    """Interactive or not."""
    two = scheduler("a", "b")
    first, held = (submit(two, expensive=True) for _ in range(2))
    batch = submit(two, interactive=False)

    assert assigned(two) == [first, batch]
    two.add("a")
    assert assigned(two, 0.9) == []
    assert assigned(two, 1.0) == [held]


def test_expensive_images_get_all_processes_when_no_other_comes() -> None:
    """A second after the last one."""
    two = scheduler("a", "b")
    submit(two, now=5.0)
    tickets = [submit(two, expensive=True, now=5.0) for _ in range(2)]
    two.assign(5.0)
    two.add("a")

    assert assigned(two, 5.5) == []
    assert two.assign_again_at() == 6.0
    assert assigned(two, 6.0) == tickets[1:]
    assert two.assign_again_at() is None


def test_the_next_expensive_image_follows_the_one_that_is_finished() -> None:
    """While others come."""
    two = scheduler("a", "b")
    submit(two, now=5.0)
    first, second = (submit(two, expensive=True, now=5.0) for _ in range(2))
    two.assign(5.0)
    two.add("a")
    two.finish(first)

    assert assigned(two, 5.0) == [second]


def test_a_withdrawn_image_gets_no_process() -> None:
    """The one behind it does."""
    one = scheduler()
    first, second = submit(one), submit(one)
    one.withdraw(first)
    one.add("a")

    assert assigned(one) == [second]


def test_a_process_that_has_ended_is_not_assigned() -> None:
    """Free or not."""
    two = scheduler("a", "b")
    two.discard("b")
    two.discard("c")
    submit(two)

    assert [process for _, process in two.assign(0.0)] == ["a"]


def test_nothing_is_to_be_assigned_later_without_a_free_process() -> None:
    """The next free one is assigned when it comes."""
    none = scheduler()
    submit(none)

    assert none.assign_again_at() is None
