"""Notebook cells with the packages that people plot and tabulate with: nothing in their code is changed, and no file is
written.

SANDBOX_ROOTFS_DATA names a root file system with numpy, pandas and matplotlib."""

import base64
import os
import struct

import pytest


@pytest.fixture(params=["cold", "warm"])
def cell(request, run):
    """Runs a cell under the policy for data; returns its verdict."""
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")

    def call(code, *options, policy="data"):
        ran = run("--rootfs", rootfs, "--policy", policy, "--start", request.param, "--timeout", "60", "--cpu-time", "60",
                  "--notebook", *options, json=True, code=code)
        assert (ran.verdict["verdict"], ran.verdict["displays_left_out"]) == ("ok", 0), ran.verdict
        assert ran.verdict["stderr"] == "", ran.verdict["stderr"]
        return ran.verdict

    return call


def size_of(display):
    data = base64.b64decode(display["image/png"], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_figures_that_are_shown_or_left_open_come_back_once(cell):
    verdict = cell("""
        import matplotlib.pyplot as plt
        plt.plot(range(100))
        plt.show()
        plt.show()
        figure, axes = plt.subplots(figsize=(2, 1))
        axes.bar([1, 2], [3, 4])
        display(figure)
        plt.figure(figsize=(3, 1))
        plt.scatter([1], [2])
        plt.close(plt.figure())
        print("printed")
        """)
    assert [size_of(display) for display in verdict["display"]] == [(640, 480), (200, 100), (300, 100)]
    assert verdict["display"][1]["text/plain"] == "<Figure size 200x100 with 1 Axes>"
    assert verdict["stdout"] == "printed\n"


def test_a_figure_is_what_savefig_makes(cell):
    verdict = cell("""
        import base64, io, matplotlib.pyplot as plt
        plt.rcParams["savefig.facecolor"] = "red"
        plt.plot([1, 4, 9])
        file = io.BytesIO()
        plt.savefig(file, format="png")
        print(base64.b64encode(file.getvalue()).decode())
        """)
    assert verdict["display"][0]["image/png"] == verdict["stdout"].strip()


def test_a_figure_is_the_last_value_and_is_not_shown_again(cell):
    verdict = cell("import matplotlib.pyplot as plt\nfigure = plt.figure()\nfigure")
    assert len(verdict["display"]) == 1 and size_of(verdict["display"][0]) == (640, 480)


def test_show_of_a_figure_and_another_backend_work(cell):
    assert len(cell("import matplotlib.pyplot as plt\nf = plt.figure()\nf.show()")["display"]) == 1
    assert len(cell("import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1]);")[
        "display"]) == 1


def test_figures_are_svg_if_the_policy_says_so(cell, tmp_path):
    import json
    import pathlib

    data = json.loads(pathlib.Path(os.environ["SANDBOX_POLICIES"], "data.json").read_text())
    path = tmp_path / "svg.json"
    path.write_text(json.dumps({**data, "figures": "svg"}))
    display, = cell("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", policy=path)["display"]
    assert set(display) == {"image/svg+xml", "text/plain"} and "<svg" in display["image/svg+xml"]


def test_figures_left_open_come_back_after_an_error(run):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    ran = run("--rootfs", rootfs, "--policy", "data", "--notebook", json=True,
              code="import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0")
    assert (ran.verdict["verdict"], len(ran.verdict["display"])) == ("exception", 1)
    assert ran.verdict["stderr"].endswith("in <module>\nZeroDivisionError: division by zero\n")


def test_chinese_japanese_and_korean_have_a_font(cell):
    """matplotlib warns on standard error when a font lacks a character."""
    assert len(cell("import matplotlib.pyplot as plt\nplt.title('图表 日本 かな 한국');")["display"]) == 1


def test_tables_and_pictures_come_in_their_own_forms(cell):
    verdict = cell("""
        import pandas as pd
        from PIL import Image
        display(Image.new("RGB", (3, 2)))
        frame = pd.DataFrame({"city": ["a<b"], "n": [1]})
        frame
        """)
    picture, table = verdict["display"]
    assert size_of(picture) == (3, 2) and set(picture) == {"image/png", "text/plain"}
    assert "<table" in table["text/html"] and "a&lt;b" in table["text/html"] and "city" in table["text/plain"]


def test_charts_of_plotly_and_altair_come_as_their_mime_types(cell):
    """The methods of these packages, as they are: neither is in the root file system."""
    verdict = cell("""
        import numpy as np
        class Chart:
            def _repr_mimebundle_(self, include=None, exclude=None):
                return {"application/vnd.plotly.v1+json": {"data": [{"y": [np.float64(1.5), np.int64(2)]}], "layout": {}}}
        Chart()
        """)
    assert verdict["display"][0]["application/vnd.plotly.v1+json"] == {"data": [{"y": [1.5, 2]}], "layout": {}}


def test_nothing_of_matplotlib_is_imported_or_written_by_a_cell_without_it(cell):
    verdict = cell("""
        import os, sys
        before = "matplotlib" in sys.modules
        [before == ("matplotlib.backends.backend_svg" in sys.modules), os.listdir("/tmp"), os.listdir("/work")]
        """)
    assert verdict["display"][0]["text/plain"].endswith("[], []]")


def test_a_figure_writes_no_file_and_its_first_chinese_label_no_warning(cell):
    """Not even matplotlib's list of fonts, which a root file system brings."""
    verdict = cell("""
        import io, os, matplotlib.pyplot as plt
        plt.plot([1])
        plt.xlabel("温度")
        plt.savefig(io.BytesIO())
        [found for top in ("/tmp", "/work", "/dev/shm") for found in os.walk(top) if found[1] + found[2]]
        """)
    assert verdict["display"][0] == {"text/plain": "[]"} and len(verdict["display"]) == 2, verdict


def test_a_list_of_fonts_of_the_script_counts_before_the_ready_one(cell):
    verdict = cell("""
        import os
        os.environ["MPLCONFIGDIR"] = "/tmp/own"
        import matplotlib.font_manager as fonts
        fonts.fontManager.addfont(os.path.join(fonts.mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"))
        fonts.fontManager.ttflist[-1].name = "Mine"
        fonts.json_dump(fonts.fontManager, os.path.join(fonts.mpl.get_cachedir(), f"fontlist-v{fonts.FontManager.__version__}.json"))
        "Mine" in fonts._load_fontmanager().get_font_names(), "Mine" in fonts._load_fontmanager(try_read_cache=False).get_font_names()
        """)
    assert verdict["display"][0] == {"text/plain": "(True, False)"}
