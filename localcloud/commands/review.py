"""`review`: what waits for a person."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localcloud.commands.options import add_chosen_stack, add_json

if TYPE_CHECKING:
    from rich.console import Console

HELP = "list what waits for a person"
MORE = "The messages stay in the queue."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `review` takes."""
    add_chosen_stack(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the review queue."""
    from contract.screen import SCREEN, write_json, write_line
    from localcloud.deployment import connect
    from localcloud.photos import review_queue

    messages = review_queue(*connect(Path.cwd(), arguments.stack))
    if arguments.json:
        write_json(messages)
    elif not messages and SCREEN.is_terminal:
        write_line("nothing waits for a person")
    else:
        write_queue(messages, SCREEN)
    return 0


def write_queue(messages: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Write the review queue, a message a row."""
    from contract.decisions import outcome_of, word_for
    from contract.prefixes import INCOMING
    from contract.screen import Column, write_table

    rows: list[tuple[str, str, str]] = []
    for message in messages:
        error, said = str(message.get("error", "")), str(message.get("message", ""))
        if message.get("confidence") is not None:
            said = f"{message['label']} at {message['confidence']:.3f}, threshold {message['threshold']}"
        word = word_for(outcome_of("FAILED", error), 1)
        key = str(message.get("key", "")).removeprefix(INCOMING)
        rows.append((key, word, said if word != word_for("fault", 1) else f"{error}: {said}"))
    write_table((Column("photo"), Column("why"), Column("what was said", more=True)), rows, console)
