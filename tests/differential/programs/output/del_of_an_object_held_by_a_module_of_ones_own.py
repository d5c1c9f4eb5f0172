# __del__ of an object that a module of the script's holds.
# files: held.py "class Held:\n    def __del__(self): print('gone with', __name__)\nheld = Held()\n"
import held

print("end of main", held.__name__)
