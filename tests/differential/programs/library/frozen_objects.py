# Objects that the collector does not look at: none at the start.
import gc

print(gc.get_freeze_count())
