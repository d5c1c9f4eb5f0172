# unittest.mock: patch, calls, side effects.
import os
from unittest import mock

with mock.patch("os.getcwd", return_value="/nowhere") as patched:
    print(os.getcwd(), patched.call_count)
thing = mock.Mock(side_effect=[1, ValueError("second")])
print(thing(1, a=2), thing.call_args)
try:
    thing()
except ValueError as error:
    print(error)
thing.assert_called_once()
