"""Write ``docs/schemas/*.json`` from the types: ``python -m benchmarks.schemas``."""

import json
from pathlib import Path
from typing import Any, Final

from benchmarks import (
    advice,
    asr,
    capacity,
    churn,
    clv,
    curve,
    customers,
    desk,
    device,
    emotion,
    freshness,
    fusion,
    health,
    intent,
    knowledge,
    likeness,
    live,
    longrun,
    pages,
    routing,
    rules,
    sentiment,
    silence,
    tail,
    vocabulary,
    windows,
)
from stream.schemas import TYPES, asyncapi, schema

DIRECTORY: Final = Path(__file__).resolve().parents[1] / "docs" / "schemas"
PUBLISHED: Final[dict[str, Any]] = {
    **TYPES,
    "bench-advice": advice.Result,
    "bench-likeness": likeness.Result,
    "bench-asr": asr.Result,
    "bench-capacity": capacity.Result,
    "bench-clv": clv.Result,
    "bench-churn": churn.Result,
    "bench-curve": curve.Result,
    "bench-customers": customers.Result,
    "bench-desk": desk.Result,
    "bench-device": device.Result,
    "bench-emotion": emotion.Result,
    "bench-freshness": freshness.Result,
    "bench-fusion": fusion.Result,
    "bench-health": health.Result,
    "bench-intent": intent.Result,
    "bench-knowledge": knowledge.Result,
    "bench-live": live.Result,
    "bench-longrun": longrun.Result,
    "bench-pages": pages.Result,
    "bench-routing": routing.Result,
    "bench-rules": rules.Result,
    "bench-sentiment": sentiment.Result,
    "bench-silence": silence.Result,
    "bench-tail": tail.Result,
    "bench-vocabulary": vocabulary.Result,
    "bench-windows": windows.Result,
}
"""Of the program and, beside it, of its benchmarks, which live in the checkout alone."""


def files() -> dict[str, str]:
    """Name and content of each file."""
    contents = {name: schema(name, kind) for name, kind in sorted(PUBLISHED.items())}
    contents["asyncapi"] = asyncapi("1")
    return {
        f"{name}.json": json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in contents.items()
    }


def main() -> None:
    """Write them, and remove what no type stands behind any more."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for path in DIRECTORY.glob("*.json"):
        path.unlink()
    for name, content in files().items():
        (DIRECTORY / name).write_text(content, encoding="utf-8")
    print(f"{len(files())} schemas in {DIRECTORY}")


if __name__ == "__main__":
    main()
