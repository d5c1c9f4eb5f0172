# The caret of a SyntaxError behind wide characters.
größe = "日本語" + + + ) 1
