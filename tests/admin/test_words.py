"""Staff read words, not names of functions."""

from sync.admin.labels import KINDS, step_words
from sync.flows import FLOWS


def test_every_step_of_every_flow_has_words():
    steps = [step for flow in FLOWS.values() for step in flow.steps]
    assert [step for step in steps if step_words(step) == step] == []


def test_every_kind_of_job_has_words():
    assert {"deal", "feedback", "comment", "comment_back", "directory", "lead"} <= KINDS.keys()
