# A child of ProcessPoolExecutor that dies.
import concurrent.futures
import os

with concurrent.futures.ProcessPoolExecutor(1) as pool:
    try:
        pool.submit(os._exit, 1).result()
    except concurrent.futures.process.BrokenProcessPool as error:
        print(type(error).__name__)
