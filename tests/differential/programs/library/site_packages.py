# site, the user's site, and what importlib.metadata finds.
import importlib.metadata
import site
import sys

print(site.ENABLE_USER_SITE, site.USER_BASE, site.getusersitepackages(), site.PREFIXES)
print(hasattr(sys, "ps1"), [name for name in ("quit", "exit", "copyright", "help", "credits") if name in dir(__builtins__)])
print(sorted(each.metadata["Name"] for each in importlib.metadata.distributions()))
