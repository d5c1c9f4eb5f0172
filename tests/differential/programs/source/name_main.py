# if __name__ == "__main__".
def main():
    print("main is", __name__)


if __name__ == "__main__":
    main()
