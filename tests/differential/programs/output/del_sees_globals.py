# What a __del__ at the end finds of the module's names.
class Named:
    def __del__(self):
        try:
            print("value is", value)
        except Exception as error:
            print(type(error).__name__)


a = Named()
value = 42
b = Named()
