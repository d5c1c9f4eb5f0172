# sqlite3 in a file of the working directory.
import os
import sqlite3

with sqlite3.connect("data.db") as db:
    db.execute("create table t (x)")
    db.execute("insert into t values (1)")
db.close()
print(sqlite3.connect("data.db").execute("select x from t").fetchall(), os.listdir("."))
