# getpass without a terminal: it warns and reads standard input.
# stdin: "secret\n"
import getpass
import warnings

warnings.simplefilter("ignore")
print(getpass.getpass("Password: "))
