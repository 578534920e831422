"""Staff read words, not names of functions."""

from collections import Counter

from django.utils import translation
from django.utils.functional import Promise

from sync.admin.labels import action_label, entity_label
from sync.connectors import CONNECTORS
from sync.flows import FLOWS, job_kind, step_label


def test_every_step_and_kind_of_job_has_a_label_of_its_own_flow() -> None:
    for flow in FLOWS.values():
        assert {name: step_label(name) for name in flow.steps} == {
            name: step.label for name, step in flow.steps.items()
        }
        assert {kind: job_kind(kind) for kind in flow.kinds} == dict(flow.kinds)
        assert all(isinstance(kind.label, Promise) for kind in flow.kinds.values())


def test_no_two_flows_share_the_name_of_a_step_or_a_kind_of_job() -> None:
    names = Counter(name for flow in FLOWS.values() for name in {*flow.steps, *flow.kinds})
    assert [name for name, count in names.items() if count > 1] == []


def test_a_step_that_is_no_more_is_shown_by_its_name() -> None:
    assert (step_label("of_old"), job_kind("of_old").label, entity_label("of_old")) == ("of_old",) * 3


def test_every_word_of_an_event_has_a_label() -> None:
    with translation.override("ru"):
        for connector in CONNECTORS.values():
            assert all(entity_label(word) != word for word in connector.entities)
            assert all(action_label(word) != word for word in connector.actions)
