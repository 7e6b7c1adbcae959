"""Hooks of the program run where Pulumi's engine runs them: around the step, in no preview; one that fails fails it."""

import gc
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from contract.errors import UserError
from localcloud.program import run_program

PROGRAM = """
import asyncio, os
import pulumi

def hook(name, function, **options):
    return pulumi.ResourceHook(name, function, pulumi.ResourceHookOptions(**options))

class Thing(pulumi.CustomResource):
    def __init__(self, name, hooks=None):
        super().__init__("test:index/thing:Thing", name, {"size": 1}, pulumi.ResourceOptions(hooks=hooks))

BODY
"""


class Recorder:
    """An engine that notes what happens, and runs hooks around a creation."""

    def __init__(self, *, hooks=True):
        self.events, self.hooks = [], hooks

    def create(self, registration):
        if self.hooks:
            registration.run_hooks("before_create", new_inputs=registration.inputs)
        self.events.append(f"create {registration.name}")
        outputs = {"arn": f"arn:{registration.name}"}
        if self.hooks:
            registration.run_hooks("after_create", id="i", new_inputs=registration.inputs, new_outputs=outputs)
        return "i", outputs

    def invoke(self, token, arguments):
        raise AssertionError(token)


def run(tmp_path, body, *, engine=None, said=None, **options):
    (tmp_path / "Pulumi.yaml").write_text("name: scones\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    (tmp_path / "__main__.py").write_text(PROGRAM.replace("BODY", body))
    engine = engine or Recorder()
    said = engine.events if said is None else said
    run_program(tmp_path, "dev", engine, say=said.append, **options)
    return engine.events


BOTH = """
def before(args):
    pulumi.log.info(f"before {args.name} {args.new_inputs['size']:g} {args.new_outputs}")
async def after(args):
    await asyncio.sleep(0)
    pulumi.log.info(f"after {args.name} {args.id} {args.new_outputs['arn']}")
Thing("one", pulumi.ResourceHookBinding(before_create=[hook("b", before)], after_create=[hook("a", after)]))
"""


def test_hooks_run_before_and_after_a_creation_with_what_is_known_then(tmp_path):
    assert run(tmp_path, BOTH) == ["before one 1 None", "create one", "after one i arn:one"]


def test_an_engine_that_only_plans_runs_none(tmp_path):
    assert run(tmp_path, BOTH, engine=Recorder(hooks=False)) == ["create one"]


def test_a_hook_that_raises_keeps_its_resource_from_being_created(tmp_path):
    body = """
def refuse(args): raise ValueError("not today")
Thing("one", pulumi.ResourceHookBinding(before_create=[hook("b", refuse)]))
"""
    engine = Recorder()
    with pytest.raises(UserError, match=r"^not today$"):
        run(tmp_path, body, engine=engine)
    assert engine.events == []


def test_a_hook_may_fail_where_the_program_says_that_its_errors_are_ignored(tmp_path):
    body = """
def refuse(args): raise ValueError("not today")
Thing("one", pulumi.ResourceHookBinding(before_create=[hook("b", refuse, ignore_errors=True)]))
"""
    assert run(tmp_path, body) == ["create one"]


def test_other_resources_are_created_while_a_hook_waits(tmp_path):
    body = """
made = asyncio.Event()
async def wait(args): await asyncio.wait_for(made.wait(), 20)
Thing("slow", pulumi.ResourceHookBinding(before_create=[hook("b", wait)]))
Thing("quick").urn.apply(lambda _: made.set())
"""
    assert run(tmp_path, body) == ["create quick", "create slow"]


def test_a_program_and_its_hooks_see_the_environment_that_they_are_given_and_no_other_account(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "my-real-account")
    body = """
def tell(args): pulumi.log.info(f"{os.environ.get('AWS_PROFILE')} {os.environ['AWS_ENDPOINT_URL']}")
Thing("one", pulumi.ResourceHookBinding(before_create=[hook("b", tell)]))
"""
    events = run(tmp_path, body, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert events == ["None http://127.0.0.1:1", "create one"]
    assert os.environ["AWS_PROFILE"] == "my-real-account" and "AWS_ENDPOINT_URL" not in os.environ


def test_an_interrupt_ends_the_waiting_for_a_hook(tmp_path):
    body = """
async def wait(args):
    pulumi.log.info("waiting")
    await asyncio.sleep(60)
Thing("one", pulumi.ResourceHookBinding(before_create=[hook("b", wait)]))
"""
    threads, folder = set(threading.enumerate()), Path.cwd()

    class Said(list):
        def append(self, line):
            super().append(line)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    # an interrupt that falls into a collection is lost: hypothesis has a callback there
    gc.disable()
    # a runner in the background of a shell ignores it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    engine, began = Recorder(), time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, body, engine=engine, said=Said())
    finally:
        signal.signal(signal.SIGINT, before)
        gc.enable()
    assert Path.cwd() == folder
    workers = [each for each in threading.enumerate() if each not in threads and not each.daemon]
    for worker in workers:
        worker.join(10)
    assert engine.events == [] and time.monotonic() - began < 20
