# A source with a table of several thousand lines, made by exec.
lines = "\n".join(f"    {n}: 'value {n}'," for n in range(5000))
exec("table = {\n" + lines + "\n}")
print(len(table), table[4999])
