"""No statement of the specifications is forgotten: a test shows it, or the documentation says why none does."""

from collections import Counter

import pytest

from protocol.statements import every, excused, shown

BOTH = pytest.mark.parametrize("version", ["v3", "v5"])


@BOTH
def test_every_statement_is_shown_by_a_test_or_has_its_reason_in_the_documentation(version):
    spoken_of = set(shown(version)) | set(excused(version))
    assert sorted(every(version) - spoken_of) == []


@BOTH
def test_only_statements_that_exist_are_spoken_of(version):
    assert sorted((set(shown(version)) | set(excused(version))) - every(version)) == []


@BOTH
def test_a_statement_has_one_reason_and_none_if_a_test_shows_it(version):
    reasons = Counter(excused(version))
    assert sorted(one for one, count in reasons.items() if count > 1) == []
    assert sorted(set(reasons) & set(shown(version))) == []
