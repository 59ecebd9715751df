"""kill -9 of capture, fifty times and more at random moments under load; scripts/kill-loop does it for hours."""
from kill_loop import KillLoop


def test_fifty_kills_under_load_lose_nothing(world):
    loop = KillLoop(world, world.init(world.folder / "repo"), world.seed, "--pack-age", "5s")
    for _ in range(50):
        loop.cycle()
    loop.prove()
    loop.finish()
