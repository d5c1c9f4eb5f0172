# PYTHONWARNINGS=error::UserWarning and always for all others.
# env: PYTHONWARNINGS=always,error::UserWarning
import sys
import warnings

print(sys.warnoptions)
for _ in range(2):
    warnings.warn("old", DeprecationWarning)
warnings.warn("fatal")
