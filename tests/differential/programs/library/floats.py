# Floats: repr, rounding, formats, inf and nan, hex.
import math
import sys

print(0.1, 1e16, 1e-5, 123456789.123456789, 1 / 3, -0.0, float("inf"), float("nan"), 2.5.hex(), 1e22, 5e-324)
print(round(2.5), round(0.5), round(2.675, 2), f"{1234567.891:,.2f}", f"{0.000012345:g}", f"{255:08b} {1e3:e} {0.5:%}")
print(math.sqrt(2), math.pi, math.fsum([0.1] * 10), math.comb(50, 25), math.isclose(0.1 + 0.2, 0.3), math.lgamma(10))
print(sys.float_info.max, sys.float_info.epsilon, math.nextafter(1, 2), math.sin(1e10), math.exp(1), math.log(10))
