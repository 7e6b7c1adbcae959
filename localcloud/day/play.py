"""The day itself: what happens, in its order, and what must be true at the end."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from contract import prefixes
from contract.decisions import EVENT_SOURCE, EVENT_TYPE, NEITHER, OUTCOMES, UNCLEAR, WORDS, Outcome
from contract.errors import AccessDenied, InvalidImage
from contract.photos import StoredObject
from contract.screen import counted
from localcloud.cloud import Cloud
from localcloud.day.drifting import AnnouncedDrift
from localcloud.day.incidents import Incidents
from localcloud.day.people import answer_all, review_page
from localcloud.day.transcript import Transcript
from localcloud.deployment import Deployment, environment_of
from localcloud.photos import Classification, Photo, Result, waiting_in
from operations.reconcile.accounts import STATES
from training.synthetic.drawings import DRAWINGS
from training.synthetic.synthesize import check_drawings, draw

if TYPE_CHECKING:
    from collections.abc import Generator

    from operations.review.queue import Waiting

DAMAGED = "damaged"
STRANGERS, DAMAGES = 10, 12
"""One photo in so many shows none of the classes; one in so many is damaged."""
FAULTS = 2
OF_A_DAY = 2
"""Beside a seed: an archive's parts are drawn with 0 and 1 (`training.synthetic.synthesize`)."""
BY = "anna"


@dataclass(slots=True)
class Day:
    """A day of a stack that is up.

    Args:
        cloud: the emulators.
        deployment: the stack.
        transcript: what is written of it.
        folder: takes the photos.
        progress: hears of each photo's end.
        seed: which photos come.
    """

    cloud: Cloud
    deployment: Deployment
    transcript: Transcript
    folder: Path
    progress: Callable[[Result], None] = lambda result: None
    seed: int = 0
    truth: dict[str, str] = field(default_factory=dict[str, str])
    """What is to be seen on the photo at a key."""
    sent: int = 0
    _drawn_so_far: int = 0
    _draws: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Begin the photos.

        Raises:
            UserError: a class that nobody can draw.
        """
        check_drawings(self.deployment.outputs["classes"])
        self._draws = np.random.default_rng([self.seed, OF_A_DAY])

    def play(self, photos: int, batch: int) -> list[str]:
        """Play it.

        Args:
            photos: how many come by themselves; the incidents bring a few more.
            batch: how many are classified as a batch.

        Returns:
            What is not as it should be.
        """
        outputs, day = self.deployment.outputs, self.transcript
        _until_next_second()
        began = datetime.now(UTC)
        since = ("--since", f"{began:%Y-%m-%dT%H:%M:%S}")
        incidents = Incidents(self.cloud, self.deployment)
        day.title(f"A day of the stack {self.deployment.stack}, played through locally")
        day.say(f"As `python -m localcloud rehearse day --photos {photos} --batch {batch}` tells it.")
        with self._orders() as told:
            self._photos_arrive(photos)
            self._a_policy_goes(incidents, since)
            self._executions_are_aborted(incidents, since)
            self._a_batch_is_classified(batch, f"{prefixes.BATCH}{began:%Y-%m-%dT%H%M%S}/")
            self._people_answer()
            if outputs.get("retraining"):
                self._a_drift_is_announced()
            self._account(since, told)
        day.say(f"All of it took {(datetime.now(UTC) - began) / timedelta(seconds=1):.0f} s, on {outputs['bucket']}.")
        return day.problems

    def _photos_arrive(self, count: int) -> None:
        day = self.transcript
        day.chapter(f"{counted(count, 'photo')} arrive")
        results = self._classify(self._drawn(count))
        kinds = {result.key: self.truth[result.key] for result in results}
        rows = [("photos", *WORDS.values(), "all")]
        for kind in (*self.deployment.outputs["classes"], NEITHER, DAMAGED):
            own = Counter(result.decision for result in results if kinds[result.key] == kind)
            rows.append((_name(kind), *(str(own[outcome]) for outcome in OUTCOMES), str(own.total())))
        every: Counter[Outcome] = Counter(result.decision for result in results)
        rows.append(("all", *(str(every[outcome]) for outcome in OUTCOMES), str(every.total())))
        day.table(rows)
        accepted = [result for result in results if result.decision == "accepted"]
        right = sum(result.label == self.truth[result.key] for result in accepted)
        day.say(f"Of {len(accepted)} accepted labels {right} are right.")
        faults = [result for result in results if result.decision == "fault"]
        day.expect(
            len(faults) == sum(kind == DAMAGED for kind in kinds.values()), "only damaged photos should be faults"
        )

    def _a_policy_goes(self, incidents: Incidents, since: tuple[str, str]) -> None:
        day = self.transcript
        day.chapter("A policy is taken away, and what failed meanwhile is replayed")
        with incidents.serializer_without_policy():
            results = self._classify(self._vehicles(FAULTS))
        day.expect([each.error for each in results] == [AccessDenied.__name__] * FAULTS, "they should be refused")
        photo = self._vehicles(1)[0]
        letter = incidents.undelivered(f"{prefixes.INCOMING}undelivered.png", photo.path.read_bytes())
        self._came(letter.key, photo.truth)
        day.say(
            f"For a moment the function that reads photos may not: {FAULTS} photos end in {AccessDenied.__name__}. The"
            " rule's role may not start executions either, and one upload ends in the dead-letter queue (the emulator"
            " has none, so that this letter is written as EventBridge writes it). The policy is given back."
        )
        day.run("replay", *since)
        chosen = ("--error", AccessDenied.__name__, "--error", "NO_PERM*")
        day.run("replay", *since, *chosen, "--start", "--yes", "--follow")
        damaged = next((key for key, kind in self.truth.items() if kind == DAMAGED), None)
        if damaged:
            day.say("A damaged photo is as damaged the second time, and the command says so:")
            words = ("--error", InvalidImage.__name__, "--key", damaged, "--start", "--yes", "--follow")
            day.run("replay", *since, *words, code=1)

    def _executions_are_aborted(self, incidents: Incidents, since: tuple[str, str]) -> None:
        day = self.transcript
        day.chapter("Two executions are aborted")
        photo = self._vehicles(1)[0]
        photos, aborted = incidents.aborted("aborted.png", photo.path.read_bytes())
        self._arrived(photos, photo.truth)
        day.say("The rule on ended executions sends the first one's photo to the review queue:")

        def waiting() -> list[Waiting]:
            return [each for each in waiting_in(self.cloud, self.deployment) if each.execution == aborted]

        day.expect(_eventually(lambda: bool(waiting())), "the aborted execution's photo should wait for a person")
        day.table([("photo", "why"), *((each.key, each.opinion) for each in waiting())])
        photo = self._vehicles(1)[0]
        with incidents.without_rule("States."):
            self._arrived(incidents.aborted("unnoticed.png", photo.path.read_bytes())[0], photo.truth)
        day.say("The second one is aborted while that rule is off. Nothing tells of it, but the account does:")
        day.run("reconcile", *since, "--grace", "0", code=1)
        day.run("reconcile", *since, "--grace", "0", "--repair", "--yes")
        day.expect(_eventually(self._ended), "what was repaired should come to an end")

    def _a_batch_is_classified(self, count: int, prefix: str) -> None:
        day, bucket = self.transcript, str(self.deployment.outputs["bucket"])
        day.chapter(f"A batch of {counted(count, 'photo')} is classified")
        strangers = count // STRANGERS
        for number, photo in enumerate([*self._vehicles(count - strangers), *self._strangers(strangers)]):
            key = f"{prefix}{number:04}.png"
            self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=photo.path.read_bytes())
            self.truth[key] = photo.truth or NEITHER
        day.run("batch", prefix, "--dry-run")
        day.run("batch", prefix)

    def _people_answer(self) -> None:
        day = self.transcript
        day.chapter("People answer what waits")
        day.run("review")
        with review_page(environment_of(self.cloud), BY) as address:
            given = answer_all(address, self._say)
        day.say(f"{BY.capitalize()} answers {counted(given.total(), 'photo')} on the page:")
        day.table([("answer", "photos"), *((answer, str(number)) for answer, number in given.most_common())])

    def _a_drift_is_announced(self) -> None:
        day, drifting = self.transcript, AnnouncedDrift(self.cloud, self.deployment)
        day.chapter("A drift is announced, and a model is proposed")
        served = drifting.served()
        with drifting.alerts() as heard:
            status = drifting.announce()
            day.say(
                "The event of the drift alarm starts a build, which trains on what people answered. The topic hears:"
            )
            for subject, text in heard():
                day.quote(f"{subject}\n\n{text}")
        day.expect(status == "SUCCEEDED", f"the build should succeed, got {status}")
        day.expect(drifting.served() == served, "a proposal deploys nothing")
        day.say("What serves is what served before.")

    def _account(self, since: tuple[str, str], told: Callable[[], Counter[str]]) -> None:
        day = self.transcript
        day.chapter("The account")
        said = day.run("reconcile", *since, "--grace", "0")
        states = _counts(said)
        sums = " + ".join(f"{number} {state}" for state, number in states.items() if number)
        day.say(f"{self.sent} photos were sent: {sums} = {sum(states.values())}; {states['lost']} lost.")
        day.expect(sum(states.values()) == self.sent, "every photo that was sent should be accounted for")
        day.expect(states["decided"] + states["answered"] == self.sent, "every photo should be decided or answered")
        drivers = told()
        arrived = sum(key.startswith(prefixes.INCOMING) for key in drivers)
        day.say(
            f"{arrived} drivers were told their bay, each once, and {len(drivers) - arrived} photos of the batch too."
        )
        day.expect(max(drivers.values(), default=1) == 1, f"no driver is told twice, got {drivers.most_common(1)}")
        day.expect(set(drivers) <= set(self.truth), "only drivers of this day are told")

    def _classify(self, photos: Sequence[Photo]) -> list[Result]:
        results = Classification(self.cloud, self.deployment).run(photos, self.progress)
        for photo, result in zip(photos, results, strict=True):
            self._came(result.key, photo.truth)
        return results

    def _came(self, key: str, truth: str | None) -> None:
        self.truth[key] = truth or NEITHER
        self.sent += 1

    def _arrived(self, photos: Sequence[StoredObject], truth: str | None) -> None:
        for photo in photos:
            self._came(photo.key, truth)

    def _say(self, key: str) -> str:
        """What a person says who knows what is to be seen."""
        kind = self.truth.get(key, DAMAGED)
        return UNCLEAR if kind == DAMAGED else kind

    def _drawn(self, count: int) -> list[Photo]:
        strangers, damages = count // STRANGERS, count // DAMAGES
        found = [*self._vehicles(count - strangers - damages), *self._strangers(strangers), *self._damaged(damages)]
        random.Random(self.seed).shuffle(found)
        return found

    def _vehicles(self, count: int) -> list[Photo]:
        classes = list(self.deployment.outputs["classes"])
        return [self._draw(str(name), str(name)) for name in self._draws.choice(classes, count)]

    def _strangers(self, count: int) -> list[Photo]:
        """Of kinds that a training may see: what people answer trains, and an evaluation asks about the unseen ones."""
        others = [name for name in DRAWINGS if name not in self.deployment.outputs["classes"]]
        unseen = {path.name for path in Path(self.deployment.dataset).glob("strangers/unseen/*")}
        kinds = [name for name in others if name not in unseen] or others
        return [self._draw(str(name), NEITHER) for name in self._draws.choice(kinds, count)]

    def _draw(self, kind: str, truth: str) -> Photo:
        """A photo that is in no dataset: its answer may become a sample, and no evaluation meets it again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._drawn_so_far:04}-{kind}.png"
        self._drawn_so_far += 1
        draw(kind, self._draws).save(path)
        return Photo(path, truth)

    def _damaged(self, count: int) -> list[Photo]:
        """Photos of which the second half is missing, as after a connection that broke."""
        found: list[Photo] = []
        for number, photo in enumerate(self._vehicles(count)):
            path = self.folder / f"damaged-{number}.png"
            data = photo.path.read_bytes()
            path.write_bytes(data[: len(data) // 2])
            found.append(Photo(path, DAMAGED))
        return found

    def _ended(self) -> bool:
        """Whether no execution is under way."""
        states, machine = self.cloud.client("stepfunctions"), str(self.deployment.outputs["stateMachineArn"])
        return not states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]

    @contextmanager
    def _orders(self) -> Generator[Callable[[], Counter[str]]]:
        """Whoever assigns orders: hears every decision on the stack's bus, and counts them by photo."""
        sqs, events = self.cloud.client("sqs"), self.cloud.client("events")
        bus, name = str(self.deployment.outputs["eventBusName"]), "day-orders"
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = json.dumps({"source": [EVENT_SOURCE], "detail-type": [EVENT_TYPE]})
        events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": name, "Arn": arn}])

        def told() -> Counter[str]:
            heard: Counter[str] = Counter()
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                for message in messages:
                    detail: Any = json.loads(message.get("Body", "{}"))["detail"]
                    heard[str(detail["key"])] += 1
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message.get("ReceiptHandle", ""))
            return heard

        try:
            yield told
        finally:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=[name])
            events.delete_rule(Name=name, EventBusName=bus)
            sqs.delete_queue(QueueUrl=queue)


def _name(kind: str) -> str:
    return {NEITHER: "of none of the classes"}.get(kind, kind)


def _counts(said: str) -> Mapping[str, int]:
    """What `operations reconcile` counts, by state."""
    rows = {cells[0]: cells[1] for line in said.splitlines() if len(cells := line.split("\t")) == 2}
    return {state: int(rows[state]) for state in STATES}


def _until_next_second() -> None:
    """S3 tells whole seconds, and the day begins with one."""
    time.sleep(1 - time.time() % 1)


def _eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.5)
    return found
