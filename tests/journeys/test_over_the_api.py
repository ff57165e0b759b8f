"""From works to a paid, licensed file without a browser: what a developer's program would do."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import requests
from trial.site import Site, rows
from trial.walk import Walk

pytestmark = [pytest.mark.slow, pytest.mark.engine]


def test_a_program_goes_from_works_to_a_licensed_file_and_everyone_is_credited_to_the_cent(
    real_site: Site, forty_works: list[dict[str, Any]]
) -> None:
    works = forty_works[:32]  # Of fewer than thirty the proof would train in rounds, four times as long.
    walk = Walk.begin(real_site)
    walk.become_creator()
    taken = walk.upload(works)
    assert len(taken) == len(works)

    model, version = walk.train(personal_minor=1299, reveal_percent=40)
    fidelity = version["evaluation"]["fidelity"]["measures"]
    assert fidelity["perplexity_adapter"]["value"] < fidelity["perplexity_base"]["value"]
    walk.publish(model["id"])

    made = walk.generate(model["id"], samples=2)
    assert len(made["outputs"]) == 2
    for output in made["outputs"]:
        assert not output["whole"]
        assert len(output["shown"]["text"].split()) <= 0.4 * output["extent"] + 1

    bought = walk.buy(made["outputs"][0]["id"])
    assert sum(part["amount_minor"] for part in bought["split"]) == bought["price_minor"] == 1299
    files = walk.files(bought["licence_id"])
    assert {"txt", "md", "docx"} <= set(files)
    whole = files["txt"].decode()
    assert whole.startswith(made["outputs"][0]["shown"]["text"][:40].strip()[:40])

    # Anyone can look the file up by its hash.
    record = requests.get(f"{real_site.url}/api/records/{hashlib.sha256(files['txt']).hexdigest()}", timeout=30)
    assert record.status_code == 200, record.text
    assert version["adapter_sha256"] in json.dumps(record.json())

    earned = walk.creator.call("GET", "/statement")
    assert (
        earned["totals"][0]["earned_minor"] == 1299 - 130
    )  # a fee of ten per cent is 129.9 cents: the largest remainder is the market’s
    assert earned["lines"][0]["purchase_id"] == bought["id"]
    (balance,) = rows(real_site, "SELECT coalesce(sum(balance_minor), 0) FROM ledger_account")
    assert balance == (0,)

    walk.write_to_creator(made["outputs"][0]["id"], "May I have this in a shorter form?")
    (seen,) = walk.creator.call("GET", "/conversations")["items"]
    assert seen["output_id"] == made["outputs"][0]["id"]
