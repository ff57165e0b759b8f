"""The contract's tests notice each promise that is broken, and only that."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXPECTED = {
    "TestForgetful": {
        "test_the_same_seed_makes_the_same_and_another_seed_another",
        "test_output_does_not_depend_on_who_else_is_served",
        "test_generation_stops_when_the_client_left",
        "test_the_same_seed_and_key_make_the_same",
    },
    "TestDistracted": {"test_output_does_not_depend_on_who_else_is_served"},
    "TestLeaky": {"test_training_writes_nothing_outside_the_workspace"},
    "TestGenerous": {
        "test_previews_stream_and_never_pass_the_reveal[0.0]",
        "test_previews_stream_and_never_pass_the_reveal[0.3]",
    },
    "TestRestless": {"test_training_progress_never_goes_back_and_ends_at_planned"},
    "TestStubborn": {"test_generation_stops_when_the_client_left"},
    "TestCareless": {"test_bad_files_are_refused_with_a_remedy"},
    "TestUnguarded": {"test_refused_subjects_are_refused", "test_words_never_used_are_not_written"},
    "TestUnmarked": {"test_a_mark_is_found_by_its_key_and_by_no_other"},
    "TestBoastful": {
        "test_a_mark_is_found_by_its_key_and_by_no_other",
        "test_what_is_made_without_a_key_is_unmarked",
    },
}


def test_each_broken_promise_is_noticed(tmp_path: Path) -> None:
    module = Path(__file__).with_name("broken_engines.py")
    words = [sys.executable, "-m", "pytest", "-q", "-rfE", "-c", "/dev/null", "--rootdir", str(module.parent)]
    plain = ["--import-mode=prepend", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
    seen = subprocess.run(
        [*words, *plain, f"--basetemp={tmp_path / 'base'}", str(module)], capture_output=True, text=True, check=False
    )
    failed: dict[str, set[str]] = {}
    for kind, test in re.findall(r"^(?:FAILED|ERROR) \S*?::(\w+)::(\S+)", seen.stdout, re.MULTILINE):
        failed.setdefault(kind, set()).add(test)
    assert failed == EXPECTED, seen.stdout[-3000:]
