"""Numbers of terms: as a dictionary would give them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.search.meaning import no_vectors
from knowledge.search.vocabulary import NOBODY, Vocabulary

TERMS = st.text(alphabet="工资不发一二ab@", max_size=3)


@given(st.lists(TERMS, unique=True), st.lists(TERMS))
def test_terms_have_the_numbers_of_their_places(known: list[str], asked: list[str]) -> None:
    numbers = {term: number for number, term in enumerate(known)}
    assert Vocabulary(known)(asked).tolist() == [numbers.get(term, NOBODY) for term in asked]


def test_nothing_learned_knows_no_term() -> None:
    assert no_vectors().terms == []
    assert no_vectors().rows_of(["工", "资"]).tolist() == [NOBODY, NOBODY]
