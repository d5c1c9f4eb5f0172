# unittest.main() with tests that pass, fail, raise and are skipped: exit status 1.
import re
import sys
import unittest


class Test(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(1 + 1, 2)

    def test_fails(self):
        self.assertEqual([1, 2], [1, 3], "on purpose")

    def test_raises(self):
        raise KeyError("x")

    @unittest.skip("skipped on purpose")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.fail()

    def test_subtests(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertNotEqual(n, 1)


class Stream:
    """Without the seconds that it took."""

    def write(self, text):
        sys.stderr.write(re.sub(r"in \d+\.\d+s", "in some seconds", text))

    def flush(self):
        sys.stderr.flush()


unittest.main(testRunner=unittest.TextTestRunner(stream=Stream(), verbosity=2))
