#!/usr/bin/env python3
"""Runs the end-to-end tests: every function test_* of every test_*.py beside this file, each in a world of its own.

Usage: run.py --anclora PATH [--only TEXT] [--jobs N]     exit 0 when all passed

Each test has a process and a time limit of its own: one that hangs fails. Many wait for time to pass, so more of them
run at once than there are cores. ANCLORA_TEST_SEED repeats the random choices of a run.
"""
import argparse
import concurrent.futures
import importlib.util
import inspect
import os
import pathlib
import random
import signal
import sys
import time
import traceback

from harness import World

LIMIT_SECONDS = 900  # for a test that hangs: none comes near it, not on a slow machine either
HERE = pathlib.Path(__file__).parent


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {f"{path.stem}.{name}": function for name, function in inspect.getmembers(module, inspect.isfunction)
            if name.startswith("test_") and function.__module__ == path.stem}


def too_long(*_):
    raise TimeoutError(f"not done within {LIMIT_SECONDS} s")


def run_one(anclora, path, name):
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup: what a test starts would ignore it too
        signal.signal(signal.SIGHUP, lambda *_: None)
    started = time.monotonic()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT_SECONDS)
    try:
        function = load(path)[name]
        with World(anclora) as world:
            try:
                function(world)
            except BaseException:
                print(f"FAILED  {name} (seed {world.seed})\n{traceback.format_exc()}\n{world.logs()}", flush=True)
                return name, False, time.monotonic() - started
        return name, True, time.monotonic() - started
    except BaseException:
        print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
        return name, False, time.monotonic() - started
    finally:
        signal.alarm(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--anclora", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=min(4, 1 + (os.cpu_count() or 1)))
    arguments = parser.parse_args()
    os.environ.setdefault("ANCLORA_TEST_SEED", str(random.randrange(1 << 32)))
    print(f"ANCLORA_TEST_SEED={os.environ['ANCLORA_TEST_SEED']}", flush=True)
    tests = [(path, name) for path in sorted(HERE.glob("test_*.py")) for name in load(path) if arguments.only in name]
    failed = []
    # A process is used for one test only: what one leaves behind does not reach the next.
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as threads:
        def in_process(test):
            with concurrent.futures.ProcessPoolExecutor(1) as process:
                try:
                    return process.submit(run_one, arguments.anclora, *test).result()
                except concurrent.futures.process.BrokenProcessPool as error:
                    return test[1] + f" (its process died: {error})", False, 0.0
        for done in concurrent.futures.as_completed([threads.submit(in_process, test) for test in tests]):
            name, passed, seconds = done.result()
            print(f"{'ok      ' if passed else 'failed  '}{name} ({seconds:.1f} s)", flush=True)
            if not passed:
                failed.append(name)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed" + "".join(f"\n  {name}" for name in failed))
    sys.exit(1 if failed or not tests else 0)


if __name__ == "__main__":
    main()
