"""The form of a function of the user's, by its text."""

import ast

import pytest

from bench.config.source_code import find_forms


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def download_many(job): ...", "job"),
        ("def download_many(task): ...", "job"),
        ("def download_many(job: 'Job') -> list: ...", "job"),
        ("def download_many(each: Other): ...", "job"),
        ("def download_many(cc_list): ...", "codes"),
        ("def download_many(cc_list: list): ...", "codes"),
        ("def download_many(codes: Iterable): ...", "codes"),
        ("def download_many(names: list[str]): ...", "codes"),
        ("def download_many(cc_list, base_url, verbose, concur_req): ...", "codes"),
        ("def get(url): ...", "url"),
        ("def get(url: str, timeout=5) -> bytes: ...", "url"),
        ("async def fetch(url: str) -> bytes: ...", "async url"),
        ("def download_many(urls): ...", None),
        ("def download_many(things: list): ...", None),
        ("def download_many(count: int): ...", None),
        ("def download_many(): ...", None),
        ("def download_many(cc_list, unknown): ...", None),
        ("async def download_many(job): ...", "job"),
        ("async def download_many(cc_list): ...", "codes"),
        ("async def download_many(cc_list, base_url, verbose, concur_req): ...", "codes"),
        ("async def download_many(count: int): ...", None),
        ("def get(url, folder): ...", None),
    ],
)
def test_form_is_that_of_the_parameters(text: str, kind: str | None) -> None:
    found = [form.kind for form in find_forms(ast.parse(text)).values()]
    assert found == ([] if kind is None else [kind])
