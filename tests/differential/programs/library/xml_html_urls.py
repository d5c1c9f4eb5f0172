# xml.etree, html, urllib.parse, configparser, email, tomllib.
import configparser
import html
import io
import tomllib
import urllib.parse
import xml.etree.ElementTree as ElementTree
from email.message import EmailMessage

tree = ElementTree.fromstring("<a x='1'><b>é</b><b/></a>")
print(ElementTree.tostring(tree), [each.tag for each in tree.iter()], html.escape("<é&\">"), html.unescape("&eacute;"))
print(urllib.parse.urlencode({"q": "a b&é"}), urllib.parse.urlsplit("http://u@h:8/p?q#f"), urllib.parse.quote("é/"))
config = configparser.ConfigParser()
config.read_string("[s]\na = 1\nb = %(a)s2\n")
print(dict(config["s"]), tomllib.loads("a = [1, 2]\n[t]\nx = 1979-05-27"))
message = EmailMessage()
message["Subject"] = "é"
message.set_content("text\n")
print(message.as_string())
ElementTree.fromstring("<a>")
