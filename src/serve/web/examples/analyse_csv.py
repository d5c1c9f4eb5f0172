import time
import matplotlib.pyplot as plt
import pandas as pd

sales = pd.read_csv("sales.csv")
for percent in range(0, 101, 5):
    print(f"\rAnalysing {percent:3} %", end="", flush=True)
    time.sleep(0.05)
print(f"\n{len(sales)} rows")

table = sales.pivot(index="month", columns="city")["sales"]
table.plot(marker="o", title="Sales", xlabel="")
plt.show()
table.to_csv("by_city.csv")
table.describe().round(1)
