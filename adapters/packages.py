"""packages.py SCRIPT: which packages a script imports, as JSON on the standard output.

The script is read, not run, and nothing of a package is imported: `import` statements are looked up
in what importlib.metadata says is installed, and the requirements of what is found follow. For each
package: its version, who installed it, and the SHA-256 over all its files. `files` are the script and the modules
beside it that it imports. conform lock and conform verify ask this.
"""
import ast
import hashlib
import json
import os
import platform
import re
import sys
from importlib import metadata


def imported(path):
    """Top-level names that a file imports."""
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def modules(script):
    """(files beside the script, names from elsewhere)."""
    folder, files, names, ahead = os.path.dirname(script), [], set(), [script]
    while ahead:
        path = ahead.pop()
        files.append(path)
        for name in imported(path):
            beside = os.path.join(folder, name + ".py")
            if not os.path.exists(beside):
                names.add(name)
            elif beside not in files + ahead:
                ahead.append(beside)
    return sorted(files), names


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def installed():
    """Distributions by name; of two with one name the first on the path is what Python sees."""
    found = {}
    for one in metadata.distributions():
        if one.metadata["Name"]:
            found.setdefault(plain(one.metadata["Name"]), one)
    return found


def tops(one):
    """Top-level modules of a distribution."""
    named = (one.read_text("top_level.txt") or "").split()
    return set(named) | {str(file).split("/")[0].removesuffix(".py") for file in one.files or ()}


def owners(names, found):
    """The distributions of modules; only when one is not called as its module is all are looked through."""
    chosen = {plain(top) for top in names if plain(top) in found and top in tops(found[plain(top)])}
    missing = {top for top in names if plain(top) not in chosen} - set(sys.stdlib_module_names)
    return chosen | {name for name, one in found.items() if missing & tops(one)} if missing else chosen


def needed(one):
    """Requirements without a marker, or whose marker is no extra: a superset that is installed or not."""
    for line in one.requires or ():
        if "extra ==" not in line and "extra==" not in line:
            yield plain(re.match(r"[A-Za-z0-9._-]+", line).group())


def paths(one):
    """(name within the package, path) of every file; Debian's packages list none, so their folders are walked."""
    if one.read_text("RECORD"):
        listed = [(str(file), str(one.locate_file(file))) for file in one.files]
    else:
        listed = []
        for top in (one.read_text("top_level.txt") or plain(one.metadata["Name"])).split():
            root = str(one.locate_file(top))
            for folder, _, names in os.walk(root):
                listed += [(os.path.relpath(os.path.join(folder, n), root), os.path.join(folder, n)) for n in names]
    return sorted((name, path) for name, path in listed
                  if "__pycache__" not in name and ".dist-info/" not in name and os.path.isfile(path))


def digest(one):
    whole = hashlib.sha256()
    for name, path in paths(one):
        part = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                part.update(block)
        whole.update(f"{part.hexdigest()}  {name}\n".encode())
    return whole.hexdigest()


def origin(one):
    """Who put it there: "pip" and the like, "archive" for an unpacked wheel, "system" for a distribution's package."""
    return (one.read_text("INSTALLER") or "").strip() or ("archive" if one.read_text("RECORD") else "system")


def main():
    files, names = modules(os.path.realpath(sys.argv[1]))
    found = installed()
    chosen, ahead = {}, sorted(owners(names, found))
    while ahead:
        name = ahead.pop()
        if name in found and name not in chosen:
            chosen[name] = found[name]
            ahead += needed(found[name])
    print(json.dumps({
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: {"version": one.version, "sha256": digest(one), "from": origin(one)}
                     for name, one in chosen.items()},
        "files": files}))


main()
