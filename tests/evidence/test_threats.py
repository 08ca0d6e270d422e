"""docs/THREATS.md names tests; each of them exists.

    python3 -m unittest discover tests/evidence
"""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FILE = re.compile(r"`([\w./-]+\.(?:rs|py))`((?:[:,] `\w+`)*)")


class Threats(unittest.TestCase):
    """The page and the tree."""

    def test_every_test_that_the_page_names_exists(self):
        page, named = ROOT.joinpath("docs", "THREATS.md").read_text(), 0
        for file, tests in _FILE.findall(page):
            path = ROOT / file
            self.assertTrue(path.is_file(), file)
            code = path.read_text()
            for test in re.findall(r"`(\w+)`", tests):
                named += 1
                self.assertRegex(code, rf"\b(fn|def) {test}\b", f"{file} has no {test}")
        self.assertGreater(named, 20)


if __name__ == "__main__":
    unittest.main()
