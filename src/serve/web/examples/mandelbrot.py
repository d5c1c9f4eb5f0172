# The Mandelbrot set, a character a point.
shades = " .:-=+*#%@"

for row in range(24):
    line = ""
    for column in range(64):
        z, c = 0, complex(column / 22 - 2.15, row / 10 - 1.15)
        for step in range(60):
            z = z * z + c
            if abs(z) > 2:
                break
        line += shades[step * (len(shades) - 1) // 59]
    print(line.rstrip())
