"""The page behind a proxy that has been told nothing of it."""

import importlib.util

import conftest

_path = conftest.CHECKOUT / "tests/http/proxies.py"
_spec = importlib.util.spec_from_file_location("proxies", _path)
proxies = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(proxies)
proxy = proxies.proxy


def test_run_works_behind_nginx_with_proxy_pass_alone(visitor, serve, proxy):
    server = serve()
    visitor.open(proxy("nginx", proxies.plain(server, tls=False), tls=False)).ready()
    visitor.paste_and_run("print('RAN')")
    assert visitor.content(".stdout pre") == "RAN\n"
