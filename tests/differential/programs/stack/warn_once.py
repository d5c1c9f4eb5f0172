# A warning is shown once for each place, a DeprecationWarning in main is shown.
import warnings

for _ in range(3):
    warnings.warn("in a loop")
warnings.warn("old", DeprecationWarning)
warnings.warn("bytes", PendingDeprecationWarning)
warnings.warn("resource", ResourceWarning)
warnings.warn("import", ImportWarning)
