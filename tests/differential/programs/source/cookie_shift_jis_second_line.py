# A coding declaration in the second line.
# vim: set fileencoding=shift_jis :
text = "日本"
print(text)
