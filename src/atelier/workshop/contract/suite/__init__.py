"""The contract as tests: an engine that passes them may be offered to people. Needs pytest.

    class TestMyEngine(EngineContract):
        @pytest.fixture(scope="class")
        @classmethod
        def engine(cls): return MyEngine()

and `good_uploads`, `bad_uploads`, `brief` in the same way; where needed `recipe` and `cache_folders`. These fixtures
have class scope, so that one training serves most tests. Kinds of output other than text override `visible_share`
and `words_of`.
"""

import pytest

_PARTS = ("means", "reading", "training", "generating", "picturing", "varying", "marking", "attributing")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

from .attributing import Attributing  # noqa: E402
from .generating import Generating  # noqa: E402
from .marking import Marking  # noqa: E402
from .means import Made, Trained, upload_of  # noqa: E402
from .picturing import Picturing  # noqa: E402
from .reading import Reading  # noqa: E402
from .training import Training  # noqa: E402
from .varying import Varying  # noqa: E402

__all__ = ["EngineContract", "Made", "Trained", "upload_of"]


class EngineContract(Reading, Training, Generating, Picturing, Varying, Marking, Attributing):
    """Subclass it in a test module, as the module says."""
