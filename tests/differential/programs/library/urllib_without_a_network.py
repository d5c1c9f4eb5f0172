# urllib.request without a network.
import urllib.request

try:
    urllib.request.urlopen("http://192.0.2.1/", timeout=1)
except OSError as error:
    print(error)
print(urllib.request.urlopen("data:text/plain,hello%20there").read())
