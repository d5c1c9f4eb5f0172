# zipfile, tarfile, gzip, bz2, lzma, zlib.
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

text = b"hello " * 100
print([module.decompress(module.compress(text)) == text for module in (bz2, gzip, lzma, zlib)], zlib.crc32(text))
with zipfile.ZipFile("x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("dir/file.txt", text)
print(zipfile.ZipFile("x.zip").namelist(), zipfile.ZipFile("x.zip").testzip())
with tarfile.open("x.tar.gz", "w:gz") as archive:
    archive.addfile(tarfile.TarInfo("empty"), io.BytesIO())
print(tarfile.open("x.tar.gz").getnames())
