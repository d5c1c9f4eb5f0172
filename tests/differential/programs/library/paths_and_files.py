# pathlib, os, shutil, glob: files in the working directory.
import glob
import os
import pathlib
import shutil

here = pathlib.Path()
(here / "a" / "b").mkdir(parents=True)
(here / "a" / "one.txt").write_text("é\n")
(here / "a" / "b" / "two.bin").write_bytes(b"\0")
print(sorted(map(str, here.rglob("*"))), glob.glob("a/**/*.bin", recursive=True), (here / "a/one.txt").stat().st_size)
print([(root, sorted(names), files) for root, names, files in os.walk("a")], pathlib.Path("a/../a").resolve(), here.absolute())
os.symlink("one.txt", "a/link")
os.rename("a/one.txt", "a/three.txt")
print(os.readlink("a/link"), os.path.exists("a/link"), oct(os.stat("a/b").st_mode), oct(os.stat("a/three.txt").st_mode))
shutil.copytree("a", "c", symlinks=True)
shutil.rmtree("a")
print(sorted(os.listdir("c")), os.path.expanduser("~"), os.path.abspath("x"), os.access("c", os.W_OK))
open("a/one.txt")
