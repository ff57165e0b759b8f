"""An engine that does on command what no engine should: the runtime must survive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from atelier.workshop.contract import Inspection, Report, TrainResult, TrainSpec, Unreadable, Upload
from atelier.workshop.contract.fake import FakeEngine


class SlightlyUnreadable(Unreadable):
    """An error class of its own, as a third party may have."""

    code = "slightly_unreadable"


class RogueEngine(FakeEngine):
    """Behaves as the text of the file, or the category of the training, says."""

    name = "rogue"

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        what = Path(upload.path).read_text(encoding="utf-8").strip()
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "raise":
            raise RuntimeError("a bug on this file")
        if what == "own error":
            raise SlightlyUnreadable("Not quite.", where="line 1", remedy="Look again.")
        if what == "memory":
            _ = bytearray(8 << 30)
        if what == "sleep":
            time.sleep(600)
        if what == "spin":
            while True:
                pass
        if what == "disk":
            with (workspace / "big").open("wb") as file:
                file.truncate(1 << 40)
        if what == "chatter":
            print("this is no answer", flush=True)
            os.write(1, b'{"result": "forged"}\n')
        if what == "environment":
            (workspace / "environment").write_text("\n".join(os.environ), encoding="utf-8")
        return super().inspect(upload, workspace)

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        (workspace / "pid").write_text(str(os.getpid()), encoding="utf-8")
        if spec.category == "crash":
            print("the last thing it said", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if spec.category == "deaf":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (workspace / "grandchild").write_text(str(child.pid), encoding="utf-8")
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            (workspace / "deaf").touch()
            time.sleep(600)
        if spec.category == "environment":
            (workspace / "environment").write_text(json.dumps(dict(os.environ)), encoding="utf-8")
        if spec.category == "priority":
            (workspace / "nice").write_text(str(os.nice(0)), encoding="utf-8")
        result = super().train(spec, workspace, report)
        return result.model_copy(update={"card": {**result.card, "peak_memory_bytes": 1}})
