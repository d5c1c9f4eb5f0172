"""Removes files that Python scripts don't need from a fresh Debian tree. Runs in a cell (cell.py).

    python3 -I -B -c "<this file>" PACKAGE…

The packages of KEEP, those in the arguments, and their dependencies stay. Dependencies of
run-time packages on development packages are cut (scipy's on a C++ compiler, by way of pythran),
and so are those on the package manager. A development package that is named stays whole.
"""

import os
import re
import shutil
import sys

KEEP = """python3 libpython3-stdlib tzdata netbase media-types libc-bin base-files ncurses-base
bash dash coreutils debianutils findutils grep sed mawk diffutils gzip tar hostname""".split()

# Pre-dependencies of maintainer scripts, which never run again.
CUT = set("""dpkg debconf perl-base perl init-system-helpers install-info ucf sensible-utils
usr-is-merged usrmerge base-passwd mime-support readline-common login""".split())

DEVELOPMENT = {"devel", "libdevel", "doc", "debug"}

# Left over by no package, or of no use where nothing is installed, served, printed or logged in to.
REMAINS = """boot home media mnt srv root opt usr/games usr/include usr/src usr/local/games
usr/local/include usr/local/src usr/local/man usr/local/share
usr/share/doc usr/share/doc-base usr/share/man usr/share/info usr/share/locale usr/share/lintian
usr/share/bug usr/share/bash-completion usr/share/common-licenses usr/share/debconf
usr/share/menu usr/share/pixmaps usr/share/applications usr/share/gdb usr/share/gcc
usr/share/perl5 usr/share/dict usr/share/polkit-1 usr/share/keyrings usr/share/debianutils
usr/lib/systemd usr/lib/tmpfiles.d usr/lib/sysusers.d usr/lib/apt usr/lib/dpkg usr/lib/init
usr/lib/valgrind usr/share/base-passwd usr/share/sysv-rc usr/share/python3 usr/share/python
etc/apt etc/cron.d etc/cron.daily etc/dpkg etc/init.d etc/logrotate.d etc/pam.d etc/pam.conf
etc/rc0.d etc/rc1.d etc/rc2.d etc/rc3.d etc/rc4.d etc/rc5.d etc/rc6.d etc/rcS.d etc/security
etc/skel etc/systemd etc/update-motd.d etc/default etc/motd etc/issue etc/issue.net etc/fstab
etc/debconf.conf etc/login.defs etc/subuid etc/subgid etc/shells etc/profile.d etc/environment
etc/deluser.conf etc/adduser.conf etc/machine-id etc/apparmor.d etc/xattr.conf
var/lib/apt var/lib/systemd var/lib/pam var/lib/misc var/backups var/cache var/log var/mail
var/opt var/spool var/local""".split()

EMPTY = ["run", "var/tmp", "root", "opt", "mnt"]


def read_status():
    """dpkg's database: name → fields."""
    with open("/var/lib/dpkg/status", encoding="utf-8") as file:
        text = file.read()
    packages = {}
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^(\S+?): *(.*)$", paragraph, re.M))
        if "Package" in fields and fields.get("Status", "").endswith(" installed"):
            fields["text"] = paragraph
            packages[fields["Package"]] = fields
    return packages


def names(dependency):
    """'a (>= 1) | b:any' → a, b"""
    return [re.match(r"[^\s(:\[]+", part.strip())[0] for part in dependency.split("|")
            if part.strip()]


def closure(packages, roots):
    providers = {}
    for name, fields in packages.items():
        providers.setdefault(name, set()).add(name)
        for provided in filter(None, fields.get("Provides", "").split(",")):
            providers.setdefault(names(provided)[0], set()).add(name)

    def is_development(name):
        return packages[name].get("Section", "").split("/")[-1] in DEVELOPMENT

    kept = set()
    todo = [name for root in roots for name in providers.get(root, ())]
    while todo:
        name = todo.pop()
        if name in kept:
            continue
        kept.add(name)
        fields = packages[name]
        for dependency in ",".join((fields.get("Depends", ""),
                                    fields.get("Pre-Depends", ""))).split(","):
            for wanted in names(dependency):
                todo += [found for found in providers.get(wanted, ())
                         if found not in CUT and (is_development(name)
                                                  or not is_development(found))]
    return kept


def files_of(name, fields):
    for stem in (name, f"{name}:{fields.get('Architecture', '')}"):
        path = f"/var/lib/dpkg/info/{stem}.list"
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                return set(map(merged, file.read().splitlines()))
    return set()


def merged(path):
    """The path with /bin and its like followed, as two packages may name a file in two ways."""
    directory, name = os.path.split(path)
    return os.path.join(os.path.realpath(directory), name)


def remove_files(packages, kept):
    wanted = set()
    for name in kept:
        wanted |= files_of(name, packages[name])
    unwanted = set()
    for name in set(packages) - kept:
        unwanted |= files_of(name, packages[name])
    for path in sorted(unwanted - wanted, reverse=True):
        if os.path.isdir(path) and not os.path.islink(path):
            try:
                os.rmdir(path)
            except OSError:
                pass  # something else is in it
        elif os.path.lexists(path):
            os.unlink(path)


def remove_broken_links():
    """Links that update-alternatives made for programs and libraries that are gone."""
    for top in ("/etc/alternatives", "/usr/bin", "/usr/sbin", "/usr/lib"):
        for directory, directories, files in os.walk(top):
            for name in directories + files:
                path = os.path.join(directory, name)
                if os.path.islink(path) and not os.path.exists(path):
                    os.unlink(path)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def write_status(packages, kept):
    """Scanners for known weaknesses read this file: it says what is here, and nothing else."""
    remove("/var/lib/dpkg")
    os.mkdir("/var/lib/dpkg")
    with open("/var/lib/dpkg/status", "w", encoding="utf-8") as file:
        for name in sorted(kept):
            file.write(packages[name]["text"].strip("\n") + "\n\n")


def main():
    packages = read_status()
    kept = closure(packages, KEEP + sys.argv[1:])
    remove_files(packages, kept)
    asked = {os.path.dirname(path) for name in sys.argv[1:] if name in packages
             for path in files_of(name, packages[name])}
    write_status(packages, kept)
    for path in REMAINS:
        if not any(directory.startswith("/" + path) for directory in asked):
            remove("/" + path)
    for path in EMPTY:
        remove("/" + path)
        os.mkdir("/" + path)
    remove_broken_links()
    # Fewer libraries, a shorter cache to read at each start.
    if os.path.exists("/usr/sbin/ldconfig"):
        os.spawnv(os.P_WAIT, "/usr/sbin/ldconfig", ["ldconfig", "-X"])
    print(len(kept), "packages stay of", len(packages))


main()
