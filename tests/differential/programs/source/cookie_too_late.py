# A coding declaration in the third line is a comment.

# coding: latin-1
print("é", len("é"))
