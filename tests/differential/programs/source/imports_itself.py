# A script that imports itself as a module.
print("running as", __name__)
if __name__ == "__main__":
    import main

    print(main.__name__, main is not __import__("sys").modules["__main__"])
