"""Training jobs: a process each, whose log goes to CloudWatch Logs and whose fate to the job's record."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.names import TRAINING_LOG_GROUP

ROOT = Path(__file__).parent.parent.parent

METRIC_DEFINITIONS = [
    {"Name": "train:accuracy", "Regex": r"Epoch\[\d+\] Train-accuracy=([0-9.]+)"},
    {"Name": "validation:accuracy", "Regex": r"Epoch\[\d+\] Validation-accuracy=([0-9.]+)"},
]


class Training:
    """One job: `record` is moto's object behind `DescribeTrainingJob`, kept up to date as the job goes on."""

    def __init__(self, job: Mapping[str, Any], record: Any, logs: Any, environment: Mapping[str, str]) -> None:
        self.job, self.record, self.logs = job, record, logs
        self.stream = f"{job['TrainingJobName']}/algo-1-{int(time.time())}"
        self.metrics: dict[str, float] = {}
        self.ending = ""
        self.started = time.monotonic()
        self._status("InProgress", "Starting")
        record.secondary_status_transitions = []
        record.final_metric_data_list = []
        record.training_end_time = None
        record.algorithm_specification["MetricDefinitions"] = METRIC_DEFINITIONS
        record.model_artifacts, self.artifacts = None, record.model_artifacts
        self._transition("Starting", "Preparing the instances for training")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localcloud.sagemaker.algorithm"],
            cwd=ROOT,
            env={**os.environ, **environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End the job as `StopTrainingJob` does."""
        self.ending = "Stopped"
        self._status("Stopping", "Stopping")
        self.process.kill()

    def join(self) -> None:
        """Wait until the job's record says how it ended."""
        self.thread.join(timeout=10)

    def _overrun(self) -> None:
        self.ending = "MaxRuntimeExceeded"
        self.process.kill()

    def _follow(self) -> None:
        limit = self.job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400)
        timer = threading.Timer(limit, self._overrun)
        timer.daemon = True
        timer.start()
        last = ""
        try:
            last = self._follow_lines()
        except Exception as error:
            # without its log nobody could tell how the training goes
            self.process.kill()
            last = f"the log could not be written: {error}"
        finally:
            timer.cancel()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        seconds = max(1, round(time.monotonic() - self.started))
        self.record.training_end_time = datetime.now(UTC)
        self.record.training_time_in_seconds = self.record.billable_time_in_seconds = seconds
        if self.ending:
            self._finish("Stopped", self.ending, "Training job stopped")
        elif code == 0:
            self.record.model_artifacts = self.artifacts
            self._finish("Completed", "Completed", "Training job completed")
        else:
            reason = last if code == 2 else f"InternalServerError: the algorithm ended with exit code {code}: {last}"
            self.record.failure_reason = f"AlgorithmError: {reason}, exit code: {code}"
            self._finish("Failed", "Failed", "Training job failed")

    def _follow_lines(self) -> str:
        """Tell the process its job, pass its lines on, and return the last."""
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(self.job) + "\n")
            # left open: the process ends when its standard input does
            self.process.stdin.flush()
        self._put_stream()
        if not self.ending:
            self._status("InProgress", "Training")
            self._transition("Training", "Training image download completed. Training in progress.")
        last = ""
        for line in self.process.stdout:
            last = line.rstrip("\n") or last
            self._put_line(line.rstrip("\n"))
            self._read_metric(line)
        return last

    def _finish(self, status: str, secondary: str, message: str) -> None:
        now = datetime.now(UTC)
        self.record.final_metric_data_list = [
            {"MetricName": name, "Value": value, "Timestamp": now} for name, value in self.metrics.items()
        ]
        self._transition(secondary, message)
        self._status(status, secondary)

    def _status(self, status: str, secondary: str) -> None:
        self.record.secondary_status = secondary
        self.record.last_modified_time = datetime.now(UTC)
        self.record.training_job_status = status

    def _transition(self, status: str, message: str) -> None:
        now = datetime.now(UTC)
        done = [{**entry, "EndTime": entry.get("EndTime", now)} for entry in self.record.secondary_status_transitions]
        self.record.secondary_status_transitions = [
            *done,
            {"Status": status, "StartTime": now, "StatusMessage": message},
        ]

    def _read_metric(self, line: str) -> None:
        for definition in METRIC_DEFINITIONS:
            if match := re.search(definition["Regex"], line):
                # SageMaker reports the last value of each metric
                self.metrics[definition["Name"]] = float(match[1])

    def _put_stream(self) -> None:
        for call, arguments in (
            (self.logs.create_log_group, {"logGroupName": TRAINING_LOG_GROUP}),
            (self.logs.create_log_stream, {"logGroupName": TRAINING_LOG_GROUP, "logStreamName": self.stream}),
        ):
            with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
                call(**arguments)

    def _put_line(self, line: str) -> None:
        if line:
            event = {"timestamp": int(time.time() * 1000), "message": line}
            self.logs.put_log_events(logGroupName=TRAINING_LOG_GROUP, logStreamName=self.stream, logEvents=[event])
