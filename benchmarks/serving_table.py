"""The race of servers as a person reads it."""

from __future__ import annotations

from typing import Any


def lines(document: dict[str, Any]) -> list[str]:
    """All tables of what `serving.py` measured, a line each."""
    parts = [_servers(document), _limits(document), _rates(document), _load(document), _ratios(document)]
    return [line for part in parts if part for line in (*part, "")][:-1]


def _servers(document: dict[str, Any]) -> list[str]:
    told = [
        f"{document['cores']} cores; median (least to most) of {document['rounds']} rounds in turns; "
        f"texts of {document['tokens']} tokens; {document['seconds']:.0f} s in all",
        "",
        f"{'server':<20}{'start s':>8}{'memory':>9}{'as ours':>9}  settings",
    ]
    for each in document["servers"].values():
        same = "" if each["same_as_ours"] is None else f"{each['same_as_ours']:.0%}"
        start, memory = each["started_seconds"], each["memory_bytes"] / 2**20
        told.append(f"{each['title']:<20}{start:8.1f}{memory:7.0f} M{same:>9}  {each['settings']}")
    told.append("as ours: greedy tokens before a text first differs from ours, which rounds in another way")
    told += [f"not in it: {name}: {why}" for name, why in document["missing"].items()]
    return told


def _limits(document: dict[str, Any]) -> list[str]:
    told = [
        f"{'limit at':<10}{'MB a step':>10}{'GB/s':>7}{'memory tok/s':>14}"
        f"{'tera products/s':>17}{'arithmetic tok/s':>18}"
    ]
    for count, limit in document["limits"].items():
        told.append(
            f"{count:<10}{limit['bytes_a_step'] / 1e6:10.1f}{limit['bytes_a_second'] / 1e9:7.1f}{limit['memory']:14.0f}"
            f"{limit['products_a_second'] / 1e12:17.2f}{limit['arithmetic']:18.0f}"
        )
    return told


def _rates(document: dict[str, Any]) -> list[str]:
    told = [
        f"{'at once':<8}{'drawn':<9}{'server':<20}{'tokens a second':>24}{'of limit':>10}"
        f"{'first token p50 s':>19}{'p95 s':>8}"
    ]
    for row in _sorted(document, document["rows"], "drawn", "requests"):
        spread = f"{row['rate']:.1f} ({min(row['rates']):.1f} to {max(row['rates']):.1f})"
        title = document["servers"][row["server"]]["title"]
        told.append(
            f"{row['requests']:<8}{row['drawn']:<9}{title:<20}{spread:>24}{row['of_limit']:>10.0%}"
            f"{_wait(row, 'first_p50'):>19}{_wait(row, 'first_p95'):>8}"
        )
    return told


def _load(document: dict[str, Any]) -> list[str]:
    if not document["load"]:
        return []
    told = [
        f"{'under load':<12}{'server':<20}{'first token p50 s':>18}{'p95 s':>9}"
        f"{'pause p95 s':>13}{'begun':>8}{'done':>6}"
    ]
    for row in _sorted(document, document["load"], "arrivals_a_second"):
        pause = "" if row["pause_p95"] is None else f"{row['pause_p95']:.3f}"
        told.append(
            f"{row['arrivals_a_second']:g} a second  "[:12].ljust(12)
            + f"{document['servers'][row['server']]['title']:<20}{_wait(row, 'first_p50'):>18}"
            f"{_wait(row, 'first_p95'):>9}{pause:>13}{row['begun']:>8}{row['done']:>6}"
        )
    told.append(f"of {document['load'][0]['requests']} requests that came at random; >: some had not begun at the end")
    return told


def _ratios(document: dict[str, Any]) -> list[str]:
    told = []
    for drawn, key, best in (("greedy", "ratios", "best"), ("sampled", "ratios_sampled", "best_sampled")):
        for count, ratio in document[key].items():
            title = document["servers"][document[best][count]]["title"]
            told.append(f"{count} at once, {drawn}: {ratio:.2f} times the best peer ({title})")
    if not told:
        told.append("No ratios: no peer was in it.")
    for goal in document["goals"]:
        verdict = "met" if goal["met"] else "NOT met"
        told.append(f"goal, {goal['goal']}: {goal['wanted']:g} wanted, {goal['measured']:.2f} measured: {verdict}")
    return told


def _wait(row: dict[str, Any], key: str) -> str:
    """Seconds, marked where they were cut short: p50 when half had not begun at the end, p95 when anybody had not."""
    cut = row["begun"] < row["requests"] / (2 if key == "first_p50" else 1)
    return f"{'>' if cut else ''}{row[key]:.3f}"


def _sorted(document: dict[str, Any], rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """By the keys, servers in the order in which they are listed."""
    order = list(document["servers"])
    return sorted(rows, key=lambda row: (*(row[key] for key in keys), order.index(row["server"])))
