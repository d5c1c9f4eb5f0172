# Parentheses that are nested too deeply.
print(len(eval("(" * 150 + "1" + ",)" * 150)))
eval("(" * 250 + "1" + ")" * 250)
