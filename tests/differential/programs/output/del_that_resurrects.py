# __del__ that puts its object back: it is called once.
class Phoenix:
    def __del__(self):
        print("rises")
        everything.append(self)


everything = []
phoenix = Phoenix()
del phoenix
print(len(everything))
