"""The faults that happen around photos, each proven by the test that it names: see `table.py`."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.table import Fault

DEPLOYMENT = (
    Fault("bad-config", "`up` with a setting that can't be", "one sentence, exit 2", "elsewhere",
          "every mistake at once, with key, value and what is allowed; nothing was changed",
          proof="tests/faults/test_faults.py::test_a_bad_setting_changes_nothing_of_what_runs"),
    Fault("bad-dataset", "A dataset that the training job would refuse", "one sentence, exit 2", "elsewhere",
          "before anything is created",
          proof="tests/components/test_settings.py::"
          "test_a_dataset_with_fewer_validation_images_than_a_batch_is_refused_before_anything_is_created"),
    Fault("killed-before", "`up` is killed before any of its steps", "the next `up` goes on", "elsewhere",
          "what is missing is created, and nothing twice",
          proof="tests/faults/test_interrupted.py::test_killed_before_a_step_the_next_up_ends_whole"),
    Fault("killed-after", "`up` is killed after any of its steps, before it has noted it", "the next `up` goes on",
          "elsewhere", "what nobody noted is removed and created anew; nothing is there twice",
          proof="tests/faults/test_interrupted.py::test_killed_after_a_step_that_nobody_noted_the_next_up_ends_whole"),
    Fault("killed-really", "`up` gets SIGKILL at some moment", "the next `up` goes on", "elsewhere",
          "the same", proof="tests/faults/test_interrupted.py::test_a_real_kill_leaves_nothing_that_the_next_up_minds"),
    Fault("interrupted", "Ctrl-C during the training", "exit 130", "elsewhere",
          "the job goes on, and the next `up` waits for the same one",
          proof="tests/localcloud/test_daemon.py::"
          "test_an_up_interrupted_during_the_training_stays_where_it_is_and_the_next_goes_on_with_the_same_job"),
    Fault("training-failed", "The training job fails", "`up` fails with the job's reason", "elsewhere",
          "its reason, its last lines, and the command that helps",
          proof="tests/components/parts/test_training_wait.py::"
          "test_a_failed_job_is_told_with_its_reason_its_last_lines_and_what_to_do"),
    Fault("rolled-back", "SageMaker takes a new model back", "`up` fails until another model serves", "elsewhere",
          "what serves, and why", proof="tests/localcloud/test_rollout.py::"
          "test_a_model_that_is_taken_back_fails_every_up_until_another_one_serves"),
    Fault("two-at-once", "Two people run `up` here", "the second waits", "elsewhere", "for whom, and since when",
          proof="tests/localcloud/test_daemon.py::test_who_comes_second_waits_and_says_for_whom"),
)  # fmt: skip
MACHINE = (
    Fault("emulator-killed", "The emulators are killed", "every command says so, exit 2", "elsewhere",
          "that what they held is lost, and where their log is",
          proof="tests/localcloud/test_daemon.py::test_a_daemon_that_died_says_so_and_its_log_is_kept"),
    Fault("orphans", "The emulators are killed while functions run", "nothing is left at the next start", "elsewhere",
          "nothing", proof="tests/localcloud/test_daemon.py::test_a_killed_daemon_leaves_nothing_at_the_next_start"),
    Fault("disk-full", "The disk is full when `up` notes a step", "one sentence, exit 2", "elsewhere",
          "which file, and why; the next `up` goes on",
          proof="tests/faults/test_interrupted.py::test_a_full_disk_is_told_in_a_sentence_and_the_next_up_goes_on"),
    Fault("port-taken", "A port is taken", "one sentence, exit 2", "elsewhere", "which port",
          proof="tests/localcloud/test_start.py::test_a_port_that_is_taken_is_named"),
    Fault("clock-set", "Somebody sets this machine's clock", "the daemon is still known", "elsewhere", "nothing",
          proof="tests/localcloud/test_daemon.py::test_another_process_with_the_same_id_is_not_the_daemon"),
)  # fmt: skip
CAPTURES = (
    Fault("cut-off", "A captured record is cut off", "the others are read", "elsewhere",
          "file, line and problem, in the log and the report",
          proof="tests/operations/captures/test_reader.py::"
          "test_a_record_cut_off_is_reported_with_its_file_and_line_and_the_others_are_read"),
    Fault("twice", "A photo was classified twice", "it counts once", "elsewhere", "how many repeats there were",
          proof="tests/operations/captures/test_reader.py::"
          "test_a_photo_classified_twice_is_counted_once_and_the_repeat_reported"),
    Fault("clock-back", "The clock jumps back or ahead between two records", "each is read once, at its own time",
          "elsewhere", "how many lie outside the period", proof="tests/faults/test_clock.py::"
          "test_every_record_is_read_once_at_its_own_time"),
    Fault("clock-far", "A record is weeks old, or from tomorrow", "its metrics are left out", "elsewhere",
          "how many, in the log",
          proof="tests/handlers/observe/test_metrics.py::"
          "test_data_points_that_cloudwatch_would_refuse_are_counted_and_left_out"),
    Fault("clock-outside", "A record of another time lies in the file of a period", "it is counted, and left out",
          "elsewhere", "how many lie outside the period", proof="tests/faults/test_clock.py::"
          "test_in_a_period_those_of_another_time_are_counted_and_none_is_twice"),
    Fault("clock-unset", "A clock says 1970 or 9999", "the record counts as damaged", "elsewhere",
          "file, line and time, in the log and the report", proof="tests/faults/test_clock.py::"
          "test_a_clock_that_was_never_set_or_ran_away_is_damage_and_stops_no_report"),
)  # fmt: skip
AROUND: tuple[tuple[str, Sequence[Fault]], ...] = (
    ("A deployment", DEPLOYMENT),
    ("This machine", MACHINE),
    ("What was captured", CAPTURES),
)
"""What happens around it."""
