# decimal and fractions.
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, getcontext
from fractions import Fraction

getcontext().prec = 30
print(Decimal(1) / 7, Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal(2).sqrt(), 0.1 + 0.2)
print(Fraction(1, 3) + Fraction(1, 6), Fraction(0.5), Fraction("3.14").limit_denominator(10))
try:
    Decimal("x")
except InvalidOperation as error:
    print(error)
print(getcontext())
