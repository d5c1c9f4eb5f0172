# coding: no-such-encoding A coding declaration of an encoding that there is not.
print("never")
