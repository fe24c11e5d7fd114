"""What figure pages say of results is computed, and the prose beside it describes the setting."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from infojax.sweeps import load_experiment, load_module, summaries
from paper_figures._drawing import NEEDS

FIGURES = sorted(summaries("paper_figures"))
# Words that say how a comparison ended: they belong into findings, where code decides.
VERDICTS = re.compile(
    r"""\b(
        wins? | beats? | outperforms? | confirms? | (is|are)\ (not\ )?seen | as\ claimed | in\ numbers |
        (is|are)\ (well\ |far\ |clearly\ )?(below|above|best|better|worse|higher|lower|steeper) |
        (better|worse|higher|lower|steeper|sharper)\ than | as\ (good|well|high|low)\ as |
        (does|do)\ not\ (beat|hold|help) | agrees?\ (with|better|best|more|less) | more\ informative |
        (helps|hurts|gains|loses|fails|improves|grows|falls|rises)\ (most|more|only|by|from|until|again|at|with)
    )\b | \d\ ?%\ (of\ the\ error|off|higher|lower) | \d\ times\ (as|the) | \d\ ?±\ ?\d""",
    re.VERBOSE | re.IGNORECASE,
)


PAPERS = re.compile(r"\b(the|its) (paper|abstract|theorem|authors|text)", re.IGNORECASE)


def module(name: str) -> ModuleType:
    return load_module("paper_figures", name, NEEDS)


def verdicts(text: str) -> list[str]:
    """Sentences of a text that state a result; what a paper says is the paper's."""
    sentences = re.split(r"(?<=[.:;?!])\s+", " ".join(text.split()))
    return [each for each in sentences if VERDICTS.search(each) and not PAPERS.search(each)]


@pytest.mark.parametrize("name", FIGURES)
def test_remarks_describe_the_setting_alone(name):
    """They are not given the tables, and the words that they have without them state no result."""
    remarks = module(name).remarks
    assert list(inspect.signature(remarks).parameters) == ["config"]
    for config in load_experiment(module(name).EXPERIMENT).PRESETS.values():
        assert verdicts(remarks(config)) == []


@pytest.mark.parametrize("name", FIGURES)
def test_titles_state_no_result(name):
    assert verdicts(module(name).TITLE) == []


@pytest.mark.parametrize("name", FIGURES)
def test_whether_a_finding_holds_is_computed(name):
    """Nothing is decided by a constant, and each function of findings looks at what it is given."""
    made = list(decided(ast.parse(inspect.getsource(module(name)))))
    assert made
    assert [
        ast.unparse(holds) for holds in made if not any(isinstance(part, ast.Name) for part in ast.walk(holds))
    ] == []


def decided(tree: ast.AST) -> Iterator[ast.expr]:
    """What stands for `holds` in each finding that is made, or the function that makes one of a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "Finding":
                yield node.args[1]
            elif node.func.id == "follows":
                yield node.args[0]


@pytest.mark.parametrize(
    "text",
    [
        "The claim is seen, and is sharp.",
        "F-SI is below the plain residual.",
        "Deliberate practice wins.",
        "They score 14 times as high.",
        "Keeping hard examples is\n    best.",
        "Simulations agree with the law.",
        "It is off by 0.3 ± 0.1.",
    ],
)
def test_results_stated_in_prose_are_noticed(text):
    assert verdicts(text)


def test_a_finding_that_a_constant_decides_is_noticed():
    (holds,) = decided(ast.parse('Finding("It is so.", True, "1")'))
    assert not any(isinstance(part, ast.Name) for part in ast.walk(holds))
