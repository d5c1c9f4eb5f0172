"""The page behind a proxy that is not configured for it."""

from proxies import plain


def test_run_works_behind_nginx_with_proxy_pass_alone(visitor, serve, proxy):
    server = serve()
    visitor.open(proxy("nginx", plain(server, tls=False), tls=False)).ready()
    visitor.paste_and_run("print('RAN')")
    assert visitor.content(".stdout pre") == "RAN\n"
