"""The README shows the recipes as they are run: each block of its chapter is a part of one, each number of lines its own."""

import re

from .clients import RECIPES, lines_of
from .program import ROOT, Broken


def check():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    chapter = text[text.index("\n## Keeping a copy\n"):text.index("\n## Developer Tools\n")]
    recipes = {path.name: path.read_text(encoding="utf-8") for path in RECIPES.iterdir() if path.is_file()}
    for block in re.findall(r"^```\w*\n(.*?)^```", chapter, re.M | re.S):
        if not any(block in recipe for recipe in recipes.values()):
            raise Broken(f"the README shows what no recipe says:\n{block}")
    for row in re.findall(r"^\|.*\|$", chapter, re.M):
        names = re.findall(r"clients/recipes/([\w.]+)\)", row)
        numbers = row.split("|")[-2].strip()
        if names and numbers != ", ".join(str(lines_of(name)) for name in names):
            raise Broken(f"the README has {numbers} lines for {names}, which have {[lines_of(name) for name in names]}")
    missing = [name for name in recipes if f"clients/recipes/{name})" not in chapter]
    if missing:
        raise Broken(f"the README names no {', '.join(missing)}")
