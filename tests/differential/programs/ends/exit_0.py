# sys.exit(0), exit(), quit() are exit status 0.
# also: warm
print("before")
exit()
