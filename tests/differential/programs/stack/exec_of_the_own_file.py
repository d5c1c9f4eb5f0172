# exec(open(__file__).read()) once more, as a module of another name.
if __name__ == "__main__":
    exec(compile(open(__file__).read(), __file__, "exec"), {"__name__": "again"})
else:
    print("run as", __name__)
    raise ValueError("from the second run")
