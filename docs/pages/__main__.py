"""Measure the configs of a page, write the pages, or lay out the site of all: see ``docs.pages``."""

import argparse
import tempfile
from pathlib import Path

from docs.pages.answers import write_answers
from docs.pages.config_reference import write_config_reference
from docs.pages.evidence import ROOT, measure
from docs.pages.page_config import PageConfig
from docs.pages.published import write_published
from docs.pages.site import lay_out

_PAGES = {"answers": write_answers, "published": write_published}


def page_configs(page: str) -> list[PageConfig]:
    """Return the configs of a page, in the order of their names."""
    files = (ROOT / "configs" / page).glob("*.yaml")
    return sorted(map(PageConfig, files), key=lambda config: config.name)


def write(docs: Path = ROOT / "docs") -> None:
    """Write the keys of a config from the schema, and all pages of results from what is kept."""
    write_config_reference(docs / "config.md")
    for page, write_page in _PAGES.items():
        write_page(page_configs(page), docs / f"{page}.md")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser(
        "measure", help="run the configs of a page, keep the runs, and write the pages"
    )
    measuring.add_argument("page", choices=_PAGES)
    measuring.add_argument("names", nargs="*", help="configs of it, without .yaml; all if left out")
    commands.add_parser(
        "write", help="write the keys of a config from the schema, and the pages from the runs that are kept"
    )
    site = commands.add_parser("site", help="lay out the documentation site in a folder, for Zensical")
    site.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "site":
        lay_out(arguments.folder)
        return
    if arguments.command == "measure":
        configs = page_configs(arguments.page)
        if unknown := {*arguments.names} - {each.name for each in configs}:
            parser.error(f"no config of {arguments.page} is named {', '.join(sorted(unknown))}")
        for config in configs:
            if not arguments.names or config.name in arguments.names:
                with tempfile.TemporaryDirectory() as folder:
                    measure(config, Path(folder) / config.name)
    write()


if __name__ == "__main__":
    main()
