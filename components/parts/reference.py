"""docs/components.md: every component's arguments, read from where they are declared.

`python -m components.parts.reference` writes it; a test says when it is stale.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/components.md"
SOURCES = (
    *(
        "data_bucket",
        "model_register",
        "training_endpoint",
        "parts/trained_model",
        "parts/promoted_model",
        "parts/registered_model",
    ),
    "parts/hosting",
    *("classification_workflow", "batch_classification", "parts/decision_places", "observability", "retraining"),
)
"""Modules below `components/` that declare components or their arguments."""
HEAD = """# Components

Written by `python -m components.parts.reference` from the docstrings of `components/`; change it there.
`Input[T]` is a `T`, or what another resource will give (`pulumi.Input`). An optional argument may be left out.
"""


def page(root: Path = ROOT) -> str:
    """The whole page.

    Raises:
        ValueError: an argument has no docstring.
    """
    return "\n".join([HEAD, *(line for name in SOURCES for line in _component(root / "components" / f"{name}.py"))])


def _component(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in classes:
        if "ComponentResource" in ast.unparse(node.bases[0] if node.bases else ast.Constant("")):
            yield f"## {node.name}\n\n{ast.get_docstring(node)}\n\n`components/{path.name}`\n"
    for node in classes:
        if any(ast.unparse(base) == "TypedDict" for base in node.bases):
            yield f"### {node.name}\n\n{ast.get_docstring(node)}\n"
            yield "| argument | type | meaning |\n|---|---|---|"
            yield from (f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in _arguments(node))
            yield ""


def _arguments(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    for declared, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(declared, ast.AnnAssign) or not isinstance(declared.target, ast.Name):
            continue
        text = after.value if isinstance(after, ast.Expr) else None
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            raise ValueError(f"{node.name}.{declared.target.id} has no docstring")
        kind = ast.unparse(declared.annotation).replace("pulumi.", "")
        optional = kind.startswith("NotRequired[")
        if optional:
            kind = kind.removeprefix("NotRequired[").removesuffix("]").removesuffix(" | None")
        shown = f"`{kind}`".replace("|", "\\|")
        yield declared.target.id, f"{shown}, optional" if optional else shown, " ".join(text.value.split())


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
