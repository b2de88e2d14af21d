"""Imports run one way: pages to services and queries, those to the record; libraries know none."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What pages, the API, the admin and commands stand on: neither the scanner nor the statistics.
BELOW_PAGES = {
    "studies.services",
    "studies.queries",
    "studies.models",
    "studies.errors",
    "studies.quality",
    "studies.questions",
    "studies.wording",
}

# Where code lives, and which of our own or of Django's modules it may import.
MAY_IMPORT = {
    "scanning": {"scanning"},
    "studies/stats": {"studies.stats"},
    "studies/figures": {"studies.figures", "studies.stats", "studies.wording"},
    "studies/reporting": {
        "studies.reporting",
        "studies.figures",
        "studies.stats",
        "studies.wording",
    },
    "studies/sequences": {"studies.sequences"},
    "studies/questions": {"studies.questions", "django.utils"},
    "studies/wording.py": set(),
    "studies/errors.py": set(),
    "studies/serving.py": set(),
    "studies/quality": {"studies.quality", "studies.wording"},
    "studies/models": {"studies.models", "django"},
    "studies/queries": {"studies.queries", "studies.models", "studies.quality", "django"},
    "studies/services": {
        "studies",
        "studies.services",
        "studies.queries",
        "studies.models",
        "studies.errors",
        "studies.quality",
        "studies.questions",
        "studies.wording",
        "studies.stats",
        "studies.reporting",
        "studies.sequences",
        "scanning",
        "django",
    },
    "studies/tasks.py": {"studies.services", "studies.models", "django"},
    "studies/forms.py": {"studies.models", "studies.queries", "studies.services", "django"},
    "studies/views": BELOW_PAGES
    | {
        "studies.views",
        "studies.figures",
        "studies.reporting",
        "studies.forms",
        "studies.tasks",
        "django",
    },
    "studies/api": BELOW_PAGES
    | {"studies.api", "studies.views.access", "studies.views.downloads", "studies.tasks"}
    | {"django", "rest_framework"},
    "studies/admin.py": BELOW_PAGES | {"django"},
    "studies/management": BELOW_PAGES
    | {"studies.management", "studies.figures", "studies.serving", "django"},
    "studies/templatetags": BELOW_PAGES | {"studies.reporting", "django"},
}
OURS = ("scanning", "studies", "django", "rest_framework")


def imported(path: Path) -> set[str]:
    """Every module that the file imports, relative ones made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                # `from package import module` names the module, `from module import x` itself.
                inside = ROOT.joinpath(*module.split("."), f"{alias.name}.py").exists()
                root_value = module == "studies" and not inside
                names.add(f"{module}.{alias.name}" if inside or root_value else module)
    return names


def files(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def allowed(module: str, may: set[str]) -> bool:
    # `from studies import __version__` names the package itself.
    if module == "studies.__version__":
        return "studies" in may
    return any(module == name or module.startswith(f"{name}.") for name in may - {"studies"})


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_imports_run_one_way(place):
    checked = files(place)
    assert checked, f"nothing at {place}"
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in checked
        for module in sorted(imported(path))
        if module.split(".")[0] in OURS and not allowed(module, MAY_IMPORT[place])
    ]
    assert not wrong, "\n".join(wrong)


def test_an_arrow_the_other_way_would_be_found(tmp_path):
    assert not allowed("studies.services.design", MAY_IMPORT["studies/models"])
    assert not allowed("django.db", MAY_IMPORT["studies/stats"])
    assert not allowed("studies.views.access", MAY_IMPORT["studies/services"])
    assert allowed("studies.models.fields", MAY_IMPORT["studies/services"])


def test_torch_is_named_only_where_models_live():
    at_home = {ROOT / "scanning" / "activations.py", ROOT / "scanning" / "_group_torch.py"}
    wrong = [
        str(path.relative_to(ROOT))
        for place in ("scanning", "studies")
        for path in files(place)
        if "generative" not in path.parts and path not in at_home
        for module in imported(path)
        if module.split(".")[0] == "torch"
    ]
    assert not wrong
