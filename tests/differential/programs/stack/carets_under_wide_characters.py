# The carets under a part of a line with wide characters and tabs.
def größe(x):
	return "日本語" + x + ["ü"][1]


größe("é")
