# A threading.Timer that fires after the end of main.
import threading

threading.Timer(0.05, print, ["fired"]).start()
print("end of main")
