"""Builds the wheel of the client with Python's own modules (PEP 517), so that pip needs no network: it would fetch
setuptools otherwise."""

import base64
import hashlib
import pathlib
import re
import zipfile

HERE = pathlib.Path(__file__).parent
MODULE = "sandbox_run.py"
TAG = "py3-none-any"


def project(key):
    """A text of pyproject.toml's table [project]. Python before 3.11 has no parser for it."""
    return re.search(rf'^{key} = "(.*)"$', (HERE / "pyproject.toml").read_text(encoding="utf-8"), re.M)[1]


def record(path, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"{project('name').replace('-', '_')}-{project('version')}"
    info = f"{name}.dist-info"
    files = {
        MODULE: (HERE / MODULE).read_bytes(),
        f"{info}/METADATA": (f"Metadata-Version: 2.1\nName: {project('name')}\nVersion: {project('version')}\n"
                             f"Summary: {project('description')}\nLicense: MIT\n"
                             f"Requires-Python: {project('requires-python')}\n").encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: sandbox-run\nRoot-Is-Purelib: true\nTag: {TAG}\n".encode(),
    }
    listing = "".join(record(path, data) for path, data in files.items()) + f"{info}/RECORD,,\n"
    wheel = f"{name}-{TAG}.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**files, f"{info}/RECORD": listing.encode()}.items():
            archive.writestr(path, data)
    return wheel
