# A script that was copied with its prompts.
>>> print(1)
1
