"""Runs the real supervisor with tiny stand-ins for web, worker and prepare: `stand_ins.py VERSION ARGUMENTS…`.

The stand-ins are real processes that use the real database, so that what the tests kill is what a person would lose.
"""

import sys

from atelier.supervisor.main import main
from atelier.supervisor.site import Site

PREPARE = """
import errno, json, os, psycopg, time
if os.environ.get("STAND_IN_DISK") == "full":
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
print(json.dumps({"step": "Making tables", "done": 0, "planned": 2}), flush=True)
# Longer than the supervisor looks away, so that a person sees the step.
time.sleep(0.6)
with psycopg.connect(os.environ["DATABASE_URL"]) as c:
    c.execute("CREATE TABLE IF NOT EXISTS prepared (at timestamptz DEFAULT now())")
    c.execute("INSERT INTO prepared DEFAULT VALUES")
print(json.dumps({"step": "Made tables", "done": 2, "planned": 2}), flush=True)
"""
WEB = """
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers["Host"].partition(":")[0] not in os.environ.get("ATELIER_HOSTS", "localhost,127.0.0.1"):
            return self.send_error(400)
        names = ("DATABASE_URL", "ATELIER_DATA", "ATELIER_DEMO")
        body = "\\n".join([str(os.getpid()), *(os.environ[n] for n in names)]).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
"""
WORKER = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("working", flush=True)
time.sleep(600)
"""
PYTHON = sys.executable
SITE = Site(
    prepare=(PYTHON, "-c", PREPARE),
    web=(PYTHON, "-c", WEB, "{host}", "{port}"),
    worker=(PYTHON, "-c", WORKER),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], site=SITE, version=sys.argv[1]))
