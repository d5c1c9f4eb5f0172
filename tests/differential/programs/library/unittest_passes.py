# unittest.main(exit=False) of tests that pass.
import unittest


class Test(unittest.TestCase):
    def setUp(self):
        self.value = 3

    def test_value(self):
        self.assertEqual(self.value, 3)


class Async(unittest.IsolatedAsyncioTestCase):
    async def test_async(self):
        self.assertTrue(True)


result = unittest.main(exit=False, argv=["main"], testRunner=unittest.TextTestRunner(stream=open("log", "w"))).result
print(result.testsRun, result.wasSuccessful())
