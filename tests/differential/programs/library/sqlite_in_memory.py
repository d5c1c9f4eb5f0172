# sqlite3 in memory: rows, transactions, errors, functions.
import sqlite3

db = sqlite3.connect(":memory:")
db.row_factory = sqlite3.Row
db.execute("create table t (id integer primary key, name text unique, score real)")
with db:
    db.executemany("insert into t (name, score) values (?, ?)", [("ann", 1.5), ("böb", None)])
print([tuple(row) for row in db.execute("select * from t order by name desc")], dict(db.execute("select count(*) as n from t").fetchone()))
try:
    with db:
        db.execute("insert into t (name) values ('ann')")
except sqlite3.IntegrityError as error:
    print(error)
db.create_function("twice", 1, lambda x: 2 * x)
print(db.execute("select twice(21)").fetchone()[0])
db.execute("select * from nowhere")
