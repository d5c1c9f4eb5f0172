# The Mandelbrot set, one character for each point.
shades = " .:-=+*#%@"

for y in range(17):
    line = ""
    for x in range(46):
        z = 0
        c = complex(x / 16 - 2.1, y / 7 - 1.14)
        for step in range(60):
            z = z * z + c
            if abs(z) > 2:
                break
        line += shades[step * len(shades) // 60]
    print(line.rstrip())
